"""What was not to be had, said once on a response that has cards (clinical section 2.4, first row).

Missing data make rules unknown, and an unknown rule is silent. A reader of the other cards must
not take that silence for "looked at and fine". The card names the kinds of data; which rules were
not run for it stands in the extension.
"""

import re
from collections.abc import Iterator, Sequence

from cds_service.cards.values import listed
from cds_service.facts import availability
from cds_service.facts.chart import Chart, Supply
from cds_service.facts.prefetch_keys import KEYS
from cds_service.rules.model import Evaluation, Pack, Rule
from cds_service.values import value

MOST_SUBJECTS = 3
_NOTE = re.compile(r" \([^)]*\)$")  # "ankle-brachial index (lower leg)"
_SAID = {
    Supply.MISSING: "were not supplied",
    Supply.FAILED: "could not be read",
    Supply.INCOMPLETE: "are incomplete",
}

_BRIEFLY = {"were not supplied": "not supplied", "are incomplete": "incomplete"}


@value
class Gaps:
    """The kinds of data that were not to be had: for the card, and in full for the extension."""

    short: tuple[str, ...] = ()  # "laboratory results and procedures (not supplied)"
    full: str = ""  # "Laboratory results were not supplied; rules on ferritin were not run."


def of_call(pack: Pack, evaluation: Evaluation, chart: Chart, told: Sequence[str] = ()) -> Gaps:
    """Which kinds of data the rules lacked and what could not be judged for it.

    `told`: keys of which the card speaks already.
    """
    keys = [key for key in KEYS if key in evaluation.reads and key not in told]
    lacking = [key for key in keys if availability.gaps(chart, (key,))]
    if not lacking:
        return Gaps()
    kinds = list(_kinds(chart, lacking))
    parts = [
        *(f"{words} {said}" for words, said in kinds),
        *_not_run(pack, evaluation, frozenset(lacking)),
    ]
    text = "; ".join(parts)
    return Gaps(
        tuple(f"{words} ({_BRIEFLY.get(said, said)})" for words, said in kinds),
        f"{text[:1].upper()}{text[1:]}.",
    )


def _kinds(chart: Chart, lacking: Sequence[str]) -> Iterator[tuple[str, str]]:
    """ "laboratory results and procedures", "were not supplied": for each way of lacking."""
    for supply, said in _SAID.items():
        words = [_word(chart, key) for key in lacking if chart.slot(key).supply is supply]
        if words:
            yield listed(words), said


def _word(chart: Chart, key: str) -> str:
    supply = chart.slot(key).supply
    if key == "medicationRequests" and chart.slot("medicationStatements").supply is supply:
        return "medications"
    return KEYS[key].on_cards


def _not_run(pack: Pack, evaluation: Evaluation, lacking: frozenset[str]) -> Iterator[str]:
    """ "rules on ferritin and potassium were not run", where the lack left a rule unknown."""
    subjects = dict.fromkeys(
        _NOTE.sub("", pack.catalogue[fact].title)
        for rule in _silent(pack, evaluation)
        for fact in _facts_of(evaluation.unknown_because[rule.id])
        if fact in pack.catalogue
        and not lacking.isdisjoint(availability.rests_on(pack.catalogue[fact]))
    )
    if subjects:
        more = len(subjects) - MOST_SUBJECTS
        shown = [*list(subjects)[:MOST_SUBJECTS], *([f"{more} more"] if more > 0 else [])]
        yield f"rules on {listed(shown)} were not run"


def _silent(pack: Pack, evaluation: Evaluation) -> list[Rule]:
    """The rules that are unknown and that no card shows, in the order of cards."""
    unknown = evaluation.unknown_because.keys() - {f.rule.id for f in evaluation.findings}
    rules = [rule for rule in pack.rules if rule.id in unknown and rule.status == "active"]
    return sorted(rules, key=lambda rule: (pack.groups[rule.group].order, rule.rank))


def _facts_of(reasons: Sequence[str]) -> Iterator[str]:
    """The facts that reasons for unknown are about ("fact: why")."""
    return (reason.partition(": ")[0] for reason in reasons)
