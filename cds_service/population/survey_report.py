"""The counts of a survey by service and rule, as JSON; the command line prints a table of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.population.survey import ServiceTally, Tally
from cds_service.rules.model import Pack, Rule, ServiceDefinition
from cds_service.rules.ruleset import serves

Json = Any
SHOWN_REASONS = 3


def as_json(tally: Tally, pack: Pack) -> Json:
    """The counts by service and rule; rules that never fired are named apart."""
    return {
        "charts": tally.charts,
        "leftOut": dict(tally.left_out.most_common()),
        "pack": {"name": pack.name, "version": pack.version, "profile": list(pack.profiles)},
        "services": [_service(pack, name, counts) for name, counts in tally.services.items()],
        "unknownCodes": dict(tally.unknown_codes.most_common()),
        "dropped": dict(tally.dropped.most_common()),
    }


def _service(pack: Pack, name: str, counts: ServiceTally) -> Json:
    service = next(service for service in pack.services if service.id == name)
    rules = [_rule(rule.id, rule.status, counts) for rule in _rules(pack, service)]
    answered = counts.charts - counts.refused.total()
    cards = sum(number * charts for number, charts in counts.cards.items())
    return {
        "service": name,
        "charts": counts.charts,
        "refused": dict(counts.refused),
        "withCards": answered - counts.cards[0],
        "cards": cards,
        "per100": _per_hundred(cards, answered),
        "chartsByCards": {str(n): charts for n, charts in sorted(counts.cards.items())},
        "indicators": dict(counts.indicators),
        "complaint": _complaint(counts.complaint),
        "rules": [rule for rule in rules if rule["fires"] or rule["unknown"] or rule["error"]],
        "neverFire": [rule["rule"] for rule in rules if not rule["fires"]],
    }


def _rules(pack: Pack, service: ServiceDefinition) -> Iterator[Rule]:
    for rule in sorted(pack.rules, key=lambda rule: rule.id):
        if serves(service, rule) and rule.status in ("active", "shadow"):
            yield rule


def _rule(rule: str, status: str, counts: ServiceTally) -> dict[str, Json]:
    why = [(reason, n) for (name, reason), n in counts.reasons.most_common() if name == rule]
    return {
        "rule": rule,
        "status": status,
        "fires": counts.outcomes[rule, "fires"],
        "heads": counts.headed[rule],
        "per100": _per_hundred(counts.headed[rule], counts.charts - counts.refused.total()),
        "unknown": counts.outcomes[rule, "unknown"],
        "error": counts.outcomes[rule, "error"],
        "reasons": [{"reason": reason, "charts": n} for reason, n in why[:SHOWN_REASONS]],
    }


def _per_hundred(cards: int, encounters: int) -> float:
    """Cards per 100 encounters: each opening of a chart stands for one."""
    return round(100 * cards / encounters, 2) if encounters else 0.0


def _complaint(counts: Mapping[tuple[str, bool], int]) -> Json:
    truths = dict.fromkeys(truth for truth, _ in counts)
    return {
        truth: {
            "charts": counts.get((truth, True), 0) + counts.get((truth, False), 0),
            "withCards": counts.get((truth, True), 0),
        }
        for truth in sorted(truths)
    }
