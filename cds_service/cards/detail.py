"""The detail of a card: what matters here, what was found, what is not known.

GitHub Flavored Markdown (spec H5), paragraphs and lists only. Evidence figures, caveats, gaps in
full, rule ids, versions and profiles are not for the eight seconds a card gets: they are behind the
source link and in the extension. All text that comes from the chart arrives here escaped or is
escaped here.
"""

from collections.abc import Iterable, Sequence

from cds_service.cards import body, values, wording
from cds_service.cards.grouping import Plan
from cds_service.cards.markdown import escape
from cds_service.facts.model import Item
from cds_service.rules.model import Finding

MOST_BASIS = 5
MOST_NOTES = 2
MOST_UNJUDGED = 3
LONGEST_NOTE = 240
_SOURCES = {
    "MedicationRequest": "medication order",
    "MedicationOrder": "medication order",
    "MedicationStatement": "reported medication",
    "MedicationUsage": "reported medication",
    "MedicationAdministration": "administered medication",
    "MedicationDispense": "dispensed medication",
}


def paragraphs(plan: Plan, opening: Sequence[str], closing: Sequence[str] = ()) -> str:
    """The whole detail. `opening` stands first and is Markdown already.

    `closing`: sentences for the last line, after what was not checked.
    """
    findings = [part.said.finding for part in plan.parts]
    said = body.body(plan, opening)
    last = [_not_checked(plan, findings), *closing]
    return "\n\n".join(
        filter(
            None,
            [
                *said.paragraphs,
                because(basis(plan)),
                _notes(findings),
                _unshown([*said.unsaid, *plan.unshown]),
                " ".join(filter(None, last)),
            ],
        )
    )


def basis(plan: Plan) -> list[Item]:
    """The chart entries that the card rests on: its findings', then its conditional sentences'."""
    findings = [item for part in plan.parts for item in part.said.finding.basis]
    return findings + [item for sentence in body.spoken(plan) for item in sentence.basis]


def because(entries: Iterable[Item]) -> str:
    """A list of what was found, when and with which value; each entry once."""
    lines = list(dict.fromkeys(_basis_line(item) for item in entries if item.text or item.quantity))
    if not lines:
        return ""
    return "\n".join(["Because:", "", *_counted([f"- {line}" for line in lines], MOST_BASIS, "- ")])


def _counted(texts: Sequence[str], most: int, before: str = "") -> list[str]:
    """The first texts, and how many others there are: "and 3 others"."""
    more = len(texts) - most
    rest = [f"{before}and {more} other{'s' if more > 1 else ''}"] if more > 0 else []
    return [*texts[:most], *rest]


def _basis_line(item: Item) -> str:
    source = item.details.get("source", "")
    facts = [
        _value(item),
        item.details.get("side", ""),
        _SOURCES.get(source, source),
        values.day(item) or ("undated" if _should_be_dated(item) else ""),
        "matched by name" if item.via == "name" else "",
    ]
    shown = ", ".join(escape(fact) for fact in facts if fact)
    return f"{escape(wording.opening(item.text or 'Result'))}: {shown}"


def _should_be_dated(item: Item) -> bool:
    """An age is of today and a draft is being written: they have no date to be missing."""
    is_age = item.quantity is not None and item.quantity.unit == "a"
    return not is_age and not values.is_of_the_call(item)


def _value(item: Item) -> str:
    if item.quantity is None:
        return ""
    told = values.measured(item.quantity)
    sent = item.quantity.shown
    same = not sent or sent.split() == told.split() or item.quantity.unit in values.UNITLESS
    return told if same else f"{told} (sent as {sent})"


def _not_checked(plan: Plan, findings: Sequence[Finding]) -> str:
    """What could not be judged or was not to be had, as one sentence."""
    exclusions = dict.fromkeys(text for one in findings for text in one.unknown_exclusions)
    clauses = [escape(f"whether {wording.clause(text)}", LONGEST_NOTE) for text in exclusions]
    told = [*_counted(clauses, MOST_UNJUDGED), *plan.gaps.short]
    return f"Not checked: {'; '.join(told)}." if told else ""


def _notes(findings: Sequence[Finding]) -> str:
    notes = list(dict.fromkeys(note for one in findings for note in one.notes))
    told = [escape(note, LONGEST_NOTE) for note in notes[:MOST_NOTES]]
    more = len(notes) - MOST_NOTES
    rest = [f"{more} further note{'s' if more > 1 else ''} on the data."] if more > 0 else []
    return f"Note: {' '.join([*told, *rest])}" if told else ""


def _unshown(titles: Sequence[str]) -> str:
    if not titles:
        return ""
    count = len(titles)
    return f"{count} further {'note' if count == 1 else 'notes'} not shown: {', '.join(titles)}."
