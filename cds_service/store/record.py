"""The decision record: what a call came to. No values, no patient, no chart entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.values import value


@value
class CardRecord:
    """A card that was given. `rules` are (id, version), the rule that heads the card first."""

    uuid: str
    rules: tuple[tuple[str, str], ...]


@value
class DecisionRecord:
    """One call. `outcomes` and `versions` leave out rules that said "no"; `day` is ISO, in UTC.

    `stages` are seconds spent, by stage: parse, gather, facts, rules, cards.
    """

    service: str
    day: str
    pack_revision: str
    profile: str = ""  # the names of the profiles in force, separated by spaces
    cards: tuple[CardRecord, ...] = ()
    outcomes: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleFeedback:
    """What became of one rule's cards. `rule` is "unknown" for cards that are not on record.

    `reasons` counts override reason codes; "" stands for an override without a coded reason.
    """

    rule: str
    version: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intervention:
    """One piece of feedback with the rule it is about: what 45 CFR 170.315(b)(11) asks to export.

    A card that joins several rules counts as an intervention of the rule that heads it. "" stands
    for what was not provided: user and location never are, since CDS Hooks feedback has neither.
    """

    intervention: str
    version: str
    service: str
    pack_revision: str
    card: str
    action: str
    suggestions: str
    reason_system: str
    reason_code: str
    user_feedback: str
    date: str
    user: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows a purge took away."""

    calls: int = 0
    cards: int = 0
    rule_days: int = 0
    feedback: int = 0
