"""The decision record of one call."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cds_service.protocol.model import Card
from cds_service.rules.model import Evaluation, Pack, ServiceDefinition
from cds_service.store.record import CardRecord, DecisionRecord


def decision_record(
    pack: Pack,
    service: ServiceDefinition,
    *,
    outcomes: Mapping[str, str],
    versions: Mapping[str, str],
    cards: Sequence[Card],
    now: datetime,
    stages: Mapping[str, float],
) -> DecisionRecord:
    """What the call came to: rules, versions, outcomes, card uuids, seconds by stage.

    `versions` are those of all rules. Nothing of the patient.
    """
    return DecisionRecord(
        service=service.id,
        day=now.date().isoformat(),
        pack_revision=pack.revision,
        profile=" ".join(pack.profiles),
        cards=tuple(CardRecord(card.uuid, card.rules) for card in cards),
        outcomes=outcomes,
        versions={rule: versions[rule] for rule in outcomes if rule in versions},
        stages=stages,
    )


def all_outcomes(evaluation: Evaluation, card_errors: Mapping[str, str]) -> dict[str, str]:
    """Outcomes by rule; a rule whose card could not be written failed too (invariant 6)."""
    return {**evaluation.outcomes, **dict.fromkeys(card_errors, "error")}
