"""What was not to be had, said once on a response that has cards (clinical section 2.4, first row).

Missing data make rules unknown, and an unknown rule is silent. A reader of the other cards must
not take that silence for "looked at and fine". The card names the kinds of data; which rules were
not run for it stands in the extension.
"""

import re
from collections.abc import Iterator, Sequence

from cds_service.cards import phrases
from cds_service.cards.language import ENGLISH, Language
from cds_service.facts import availability, notes
from cds_service.facts.chart import Chart, Supply
from cds_service.facts.prefetch_keys import KEYS
from cds_service.rules.model import Evaluation, Pack, Rule
from cds_service.values import value

MOST_SUBJECTS = 3
_NOTE = re.compile(r" \([^)]*\)$")  # "ankle-brachial index (lower leg)"
_SAID = {  # in full and briefly
    Supply.MISSING: (notes.NOT_SUPPLIED, phrases.HOW_MISSING),
    Supply.FAILED: (notes.NOT_READ, phrases.HOW_FAILED),
    Supply.INCOMPLETE: (notes.INCOMPLETE, phrases.HOW_INCOMPLETE),
}


@value
class Gaps:
    """The kinds of data that were not to be had: for the card, and in full for the extension."""

    short: tuple[str, ...] = ()  # "laboratory results and procedures (not supplied)"
    full: str = ""  # "Laboratory results were not supplied; rules on ferritin were not run."


def of_call(
    pack: Pack,
    evaluation: Evaluation,
    chart: Chart,
    told: Sequence[str] = (),
    language: Language = ENGLISH,
) -> Gaps:
    """Which kinds of data the rules lacked and what could not be judged for it.

    `told`: keys of which the card speaks already.
    """
    keys = [key for key in KEYS if key in evaluation.reads and key not in told]
    without = availability.lacking(chart, keys)
    lacking = [key for key in keys if key in without]
    if not lacking:
        return Gaps()
    kinds = list(_kinds(chart, lacking, language))
    parts = [
        *(language.say(phrase, what=words) for words, (phrase, _) in kinds),
        *_not_run(pack, evaluation, frozenset(lacking), language),
    ]
    text = "; ".join(parts)
    return Gaps(
        tuple(
            language.say(phrases.LACKING, what=words, how=language.text(briefly))
            for words, (_, briefly) in kinds
        ),
        f"{text[:1].upper()}{text[1:]}.",
    )


def _kinds(
    chart: Chart, lacking: Sequence[str], language: Language
) -> Iterator[tuple[str, tuple[str, str]]]:
    """ "laboratory results and procedures", and how they are lacking, for each way of it."""
    for supply, phrases_of_supply in _SAID.items():
        words = [
            language.text(_word(chart, key)) for key in lacking if chart.slot(key).supply is supply
        ]
        if words:
            yield language.listed(words), phrases_of_supply


def _word(chart: Chart, key: str) -> str:
    supply = chart.slot(key).supply
    if key == "medicationRequests" and chart.slot("medicationStatements").supply is supply:
        return phrases.MEDICATIONS
    return KEYS[key].on_cards


def _not_run(
    pack: Pack, evaluation: Evaluation, lacking: frozenset[str], language: Language
) -> Iterator[str]:
    """ "rules on ferritin and potassium were not run", where the lack left a rule unknown."""
    subjects = dict.fromkeys(
        language.name(_NOTE.sub("", pack.catalogue[fact].title))
        for rule in _silent(pack, evaluation)
        for fact in _facts_of(evaluation.unknown_because[rule.id])
        if fact in pack.catalogue
        and not lacking.isdisjoint(availability.rests_on(pack.catalogue[fact]))
    )
    if subjects:
        more = len(subjects) - MOST_SUBJECTS
        rest = [language.say(phrases.MORE, count=str(more))] if more > 0 else []
        shown = [*list(subjects)[:MOST_SUBJECTS], *rest]
        yield language.say(phrases.NOT_RUN, subjects=language.listed(shown))


def _silent(pack: Pack, evaluation: Evaluation) -> list[Rule]:
    """The rules that are unknown and that no card shows, in the order of cards."""
    unknown = evaluation.unknown_because.keys() - {f.rule.id for f in evaluation.findings}
    rules = [rule for rule in pack.rules if rule.id in unknown and rule.status == "active"]
    return sorted(rules, key=lambda rule: (pack.groups[rule.group].order, rule.rank))


def _facts_of(reasons: Sequence[str]) -> Iterator[str]:
    """The facts that reasons for unknown are about ("fact: why")."""
    return (reason.partition(": ")[0] for reason in reasons)
