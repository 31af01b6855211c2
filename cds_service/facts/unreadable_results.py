"""Results on file that are never read as values, and what is said of them."""

from collections.abc import Iterator
from datetime import date

from cds_service.facts import abi, dates, notes
from cds_service.facts.catalogue import NAMED
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Quantity
from cds_service.facts.fhir import reference_of
from cds_service.facts.hits import MEMBER, Hit
from cds_service.facts.measurements import measure
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.notes import Note
from cds_service.facts.observations import (
    RETRACTED,
    date_of,
    has_value,
    status_of_hit,
)
from cds_service.facts.query import Query
from cds_service.facts.results import parts_of, results_on_file, title_of
from cds_service.terminology.codings import names_of

# Why a result on file cannot be read, as the list of a card's reasons says it.
BY_NAME = "name alone"
DISAGREE = "code and name disagree"
STRANGE = "status not known"
NOT_SENT = "named in a report, not sent"


def unreadable(query: Query[Quantity]) -> list[Item]:
    """Results on file that are never read as values, the newest first: only the name says what
    they are, code and name disagree, the status does not say whether they count, or a report names
    them and they were not sent.
    """
    today = query.patient.today
    items = []
    by_name = ((hit, _why_by_name(hit)) for hit in _named(query))
    strange = ((hit, STRANGE) for hit in results_on_file(query).strange)
    for hit, why in (*by_name, *strange):
        parts = [part for part in parts_of(query, hit) if has_value(part)]
        if not parts or all(abi.other_state(query, hit, part) for part in parts):
            continue
        when = date_of(query, hit)
        if when is None or dates.inside(when.day, today, query.days):
            items.append(_unreadable_item(query, hit, when, why, parts[0]))
    items.sort(key=lambda item: item.text)
    return sorted(items, key=lambda item: item.on or date.max, reverse=True)


def _why_by_name(hit: Hit) -> str:
    if hit.source == MEMBER:
        return NOT_SENT
    return DISAGREE if hit.code else BY_NAME


def _named(query: Query[Quantity]) -> Iterator[Hit]:
    filed, names = query.patient.index.observations, query.patient.terminology.names
    for set_id in query.definition.value_sets:
        for hit in filed.get(NAMED + set_id):
            if status_of_hit(hit) in RETRACTED:
                continue
            specimen = hit.resource.get("specimen")
            names_of_specimen = names_of(specimen) if isinstance(specimen, dict) else []
            if not any(names.of_another_kind(text) for text in names_of_specimen):
                yield hit


def _unreadable_item(
    query: Query[Quantity], hit: Hit, when: dates.When | None, why: str, part: Resource
) -> Item:
    """The result in the chart's own words."""
    details = {"source": why, "shown": measure(query, part).shown}
    return Item(
        reference=reference_of(hit.resource),
        text=next(iter(names_of(hit.concept)), "") or title_of(query),
        on=when.day if when else None,
        date_text=when.text if when else "",
        via="code" if why == STRANGE else "name",
        details={key: value for key, value in details.items() if value},
    )


def newer_than(unread: list[Item], fact: Fact) -> list[Item]:
    """Those of the results that are newer than the value that decides; all where none does."""
    decides = fact.items[0] if fact.items else None
    if decides is None or decides.on is None:
        return unread
    return [item for item in unread if item.on is not None and item.on > decides.on]


def beside_unreadable(query: Query[Quantity], fact: Fact, unread: list[Item]) -> Fact:
    """The fact beside newer results that cannot be read: unknown."""
    decides = fact.items[0] if fact.items else None
    told = [_unreadable_told(query, item) for item in unread]
    return Fact(
        fact.name,
        State.UNKNOWN,
        (),
        tuple(dict.fromkeys((*(reason for _, reason in told), *fact.reasons))),
        tuple(dict.fromkeys((*(note for note, _ in told), *fact.notes))),
        decides or fact.unused,
    )


def _unreadable_told(query: Query[Quantity], item: Item) -> tuple[str, str]:
    """The note on a result that cannot be read, and the reason it gives."""
    why, on = item.details["source"], item.date_text
    if why == STRANGE:
        seen = ", ".join(filter(None, (item.details.get("shown"), on)))
        return Note(notes.STRANGE_STATUS, seen=seen), "a result is of unknown status"
    dated = f", {on}" if on else ""
    if why == BY_NAME:
        note = Note(notes.BY_NAME_ONLY, name=item.text, dated=dated)
        return note, f"a result named as {title_of(query)} has no code that is known"
    if why == NOT_SENT:
        note = Note(notes.NOT_SENT, name=item.text, dated=dated)
        return note, f"a report names a result ({title_of(query)}) that was not sent"
    note = Note(notes.NAME_AND_CODE, name=item.text, dated=dated)
    return note, "the code and the name of a result disagree"
