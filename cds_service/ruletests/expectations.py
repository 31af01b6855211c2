"""What a case expects against what came out. An empty list of complaints means that it passed."""

from collections.abc import Iterator, Mapping, Sequence

from cds_service.protocol.model import Card
from cds_service.rules.model import Evaluation
from cds_service.rules.ruleset import RuleSet
from cds_service.ruletests.sketch_values import Json, did_you_mean
from cds_service.ruletests.testfile import Case


def outcome_problems(case: Case, evaluation: Evaluation, ruleset: RuleSet) -> Iterator[str]:
    """Outcomes other than expected. Closed world: a rule that is not named must say no.

    Shadow rules that are not named may say anything: they give no card.
    """
    ids = {rule.id for rule in ruleset.pack.rules}
    for rule, expected in case.expect.items():
        got = evaluation.outcomes.get(rule, "no")
        if rule not in ids:
            yield f"{rule}: no such rule.{did_you_mean(rule, ids)}"
        elif got != expected:
            yield f"{rule}: expected {expected}, got {got}{_why(rule, evaluation)}"
    for rule, got in evaluation.outcomes.items():
        if rule not in case.expect and not _allowed(case, rule, got, ruleset):
            why = _why(rule, evaluation)
            yield f"{rule}: not named in 'expect', so expected no, got {got}{why}"


def _why(rule: str, evaluation: Evaluation) -> str:
    reasons = evaluation.unknown_because.get(rule, ())
    if rule in evaluation.errors:
        return f" ({evaluation.errors[rule]})"
    return f" ({'; '.join(reasons)})" if reasons else ""


def _allowed(case: Case, rule: str, got: str, ruleset: RuleSet) -> bool:
    if got == "error":
        return False
    if case.others == "any" or (case.others == "no-or-unknown" and got == "unknown"):
        return True
    return ruleset.rules[rule].rule.status == "shadow"


def because_problems(case: Case, evaluation: Evaluation, traces: str) -> Iterator[str]:
    """Texts of `because` that neither a reason for unknown nor a trace holds."""
    reasons = "\n".join(reason for why in evaluation.unknown_because.values() for reason in why)
    for text in case.because:
        if text not in reasons and text not in traces:
            yield f"because: no trace holds '{text}'"


def card_problems(expected: Sequence[Mapping[str, Json]], cards: Sequence[Card]) -> Iterator[str]:
    """Cards other than expected; `cards` of a case lists all of them in order."""
    if len(expected) != len(cards):
        got = "; ".join(f"{card.indicator}: {card.summary}" for card in cards) or "none"
        yield f"cards: expected {len(expected)}, got {len(cards)} ({got})"
        return
    for number, (wanted, card) in enumerate(zip(expected, cards, strict=True)):
        for problem in _card_problems(wanted, card):
            yield f"cards[{number}]: {problem}"


def _card_problems(wanted: Mapping[str, Json], card: Card) -> Iterator[str]:
    for key in ("indicator", "summary"):
        if key in wanted and wanted[key] != getattr(card, key):
            yield f"{key} is '{getattr(card, key)}', expected '{wanted[key]}'"
    for text in (*_texts(wanted.get("contains")), *_texts(wanted.get("detail"))):
        if text not in card.detail:
            yield f"the detail does not hold '{text}'"
    for text in _texts(wanted.get("lacks")):
        if text in card.detail:
            yield f"the detail holds '{text}'"
    if "rules" in wanted and list(wanted["rules"]) != [rule for rule, _ in card.rules]:
        yield f"rests on {', '.join(rule for rule, _ in card.rules)}"
    labels = [suggestion.label for suggestion in card.suggestions]
    offered = wanted.get("suggestions")
    if isinstance(offered, int) and offered != len(labels):
        yield f"has {len(labels)} suggestions, expected {offered}"
    elif isinstance(offered, list) and offered != labels:
        yield f"suggests {labels}"


def _texts(value: Json) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
