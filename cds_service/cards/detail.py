"""The detail of a card: what matters here, what was found, what is not known.

GitHub Flavored Markdown (spec H5), paragraphs and lists only. Evidence figures, caveats, gaps in
full, rule ids, versions and profiles are not for the eight seconds a card gets: they are behind the
source link and in the extension. All text that comes from the chart arrives here escaped or is
escaped here.
"""

from collections.abc import Iterable, Sequence

from cds_service.cards import body, phrases, values
from cds_service.cards.grouping import Plan
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.markdown import escape
from cds_service.facts.model import Item
from cds_service.rules.model import Finding
from cds_service.units.table import fold

MOST_BASIS = 5
MOST_NOTES = 2
MOST_UNJUDGED = 3
LONGEST_NOTE = 240


def paragraphs(
    plan: Plan,
    opening: Sequence[str],
    closing: Sequence[str] = (),
    language: Language = ENGLISH,
) -> str:
    """The whole detail. `opening` stands first and is Markdown already.

    `closing`: sentences for the last line, after what was not checked.
    """
    findings = [part.texts.finding for part in plan.parts]
    main = body.body(plan, opening, language)
    last = [_not_checked(plan, findings, language), *closing]
    return "\n\n".join(
        filter(
            None,
            [
                *main.paragraphs,
                because(basis(plan), language),
                _notes(findings, language),
                _unshown([*main.unsaid, *plan.unshown], language),
                " ".join(filter(None, last)),
            ],
        )
    )


def basis(plan: Plan) -> list[Item]:
    """The chart entries that the card rests on: its findings', then its conditional sentences'."""
    findings = [item for part in plan.parts for item in part.texts.finding.basis]
    return findings + [item for sentence in body.spoken(plan) for item in sentence.basis]


def because(entries: Iterable[Item], language: Language = ENGLISH) -> str:
    """A list of what was found, when and with which value; each entry once."""
    once = {id(item): item for item in entries}  # most findings rest on the same ones
    told = (item for item in once.values() if item.text or item.quantity)
    lines = list(dict.fromkeys(_basis_line(item, language) for item in told))
    if not lines:
        return ""
    shown = _counted([f"- {line}" for line in lines], MOST_BASIS, language, "- ")
    return "\n".join([language.text(phrases.BECAUSE), "", *shown])


def _counted(texts: Sequence[str], most: int, language: Language, before: str = "") -> list[str]:
    """The first texts, and how many others there are: "and 3 others"."""
    more = len(texts) - most
    if more <= 0:
        return list(texts)
    rest = language.count(phrases.ONE_OTHER, phrases.MANY_OTHERS, more)
    return [*texts[:most], f"{before}{rest}"]


def _basis_line(item: Item, language: Language) -> str:
    source = item.details.get("source", "")
    undated = language.text(phrases.UNDATED) if _should_be_dated(item) else ""
    facts = [
        _value(item, language),
        language.text(item.details.get("side", "")),
        language.text(phrases.SOURCES.get(source, source)),
        _dated(item, language) or undated,
        language.text(phrases.MATCHED_BY_NAME) if item.via == "name" else "",
    ]
    shown = ", ".join(escape(fact) for fact in facts if fact)
    named = values.heading(item, language) if item.text else language.text(phrases.RESULT)
    return f"{escape(named)}: {shown}"


def _dated(item: Item, language: Language) -> str:
    on, of_what = language.date(values.day(item)), item.details.get("dated", "")
    return f"{on} ({language.text(of_what)})" if on and of_what else on


def _should_be_dated(item: Item) -> bool:
    """An age is of today and a draft is being written: they have no date to be missing."""
    is_age = item.quantity is not None and item.quantity.unit == "a"
    return not is_age and not values.is_of_the_call(item)


def _value(item: Item, language: Language) -> str:
    if item.quantity is None:
        return ""
    sent = item.quantity.shown
    plain = values.measured(item.quantity)
    measured = plain if language.is_english else values.measured(item.quantity, language)
    same = not sent or fold(sent) == fold(plain) or item.quantity.unit in values.UNITLESS
    return measured if same else language.say(phrases.SENT_AS, value=measured, sent=sent)


def _not_checked(plan: Plan, findings: Sequence[Finding], language: Language) -> str:
    """What could not be judged or was not to be had, as one sentence."""
    exclusions = dict.fromkeys(text for finding in findings for text in finding.unknown_exclusions)
    told = (language.say(phrases.WHETHER, clause=language.clause(text)) for text in exclusions)
    clauses = [escape(text, LONGEST_NOTE) for text in told]
    parts = [*_counted(clauses, MOST_UNJUDGED, language), *plan.gaps.short]
    return language.say(phrases.NOT_CHECKED, what="; ".join(parts)) if parts else ""


def _notes(findings: Sequence[Finding], language: Language) -> str:
    notes = list(dict.fromkeys(note for finding in findings for note in finding.notes))
    told = [escape(language.note(note), LONGEST_NOTE) for note in notes[:MOST_NOTES]]
    more = len(notes) - MOST_NOTES
    if more > 0:
        told.append(language.count(phrases.ONE_MORE_NOTE, phrases.MORE_NOTES, more))
    return language.say(phrases.NOTE, notes=" ".join(told)) if told else ""


def _unshown(titles: Sequence[str], language: Language) -> str:
    if not titles:
        return ""
    told = ", ".join(language.text(title) for title in titles)
    return language.count(phrases.ONE_UNSHOWN, phrases.MANY_UNSHOWN, len(titles), titles=told)
