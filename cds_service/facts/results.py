"""Results on file: which may count, and each as it is read, with why it cannot be used."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple

from cds_service.facts import abi, dates, notes
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Quantity
from cds_service.facts.fhir import reference_of
from cds_service.facts.hits import Hit
from cds_service.facts.measurements import Measurement, flag_of, measure, reference_limit
from cds_service.facts.model import Item
from cds_service.facts.notes import Note
from cds_service.facts.observations import (
    PRELIMINARY,
    RETRACTED,
    USABLE,
    date_of,
    is_dated_by_report,
    moment_of,
    status_of_hit,
)
from cds_service.facts.query import Query

OF_REPORT = "date of the report"  # of a result that has none of its own
_FAULTS = {  # what is said of a value that cannot be used, and the reason it gives
    "text": (notes.TEXT_RESULT, "a result is text"),
    "number": (notes.NO_NUMBER, "a result is no number"),
    "no unit": (notes.NO_UNIT, "a result has no unit"),
    "unit": (notes.STRANGE_UNIT, "a result has a unit that cannot be converted"),
    "implausible": (notes.IMPLAUSIBLE, "a result is outside the plausible range"),
}
BEFORE_ALL = datetime.max.replace(tzinfo=UTC)  # undated values are looked at first


class Entry(NamedTuple):
    """A value on file, not yet read. `when` is None where it has no date or one of the future."""

    hit: Hit
    part: Resource
    status: str
    when: dates.When | None
    future: str = ""  # the date as sent, where it lies in the future


class Result(NamedTuple):
    """One value as read. `note` and `reason` say why it cannot be used; both "" when it can."""

    item: Item
    when: dates.When | None
    note: str = ""
    reason: str = ""


# The values of one Observation; None for a part that has none, or one of another state.
Values = Sequence[tuple[Entry, Result | None]]


class Filed(NamedTuple):
    """Results by what their status says; retracted ones are as if not there.

    `newest_first` may count: those without a usable date, then from the newest back, with moment
    and status. None is looked into yet, as most are older than the one that decides. Of `strange`
    ones the status does not say whether they count.
    """

    newest_first: list[tuple[datetime, Hit, str]]
    strange: list[Hit]


def results_on_file(query: Query[Quantity]) -> Filed:
    """The results of the fact's sets; put in order once, as several facts ask for the same ones."""
    filed: dict[tuple[str, ...], Filed] = query.patient.index.results
    known = filed.get(query.definition.value_sets)
    if known is None:
        known = filed[query.definition.value_sets] = _file(query)
    return known


def _file(query: Query[Quantity]) -> Filed:
    today = query.patient.today
    future = dates.first_future_moment(today)
    dated, strange = [], []
    for hit in query.hits("observations"):
        status = status_of_hit(hit)
        if status in USABLE or status in PRELIMINARY:
            moment = moment_of(hit, today) or _moment_of_reports(query, hit)
            if moment is None or moment >= future:
                moment = BEFORE_ALL
            dated.append((moment, hit, status))
        elif status not in RETRACTED:
            strange.append(hit)
    return Filed(sorted(dated, key=itemgetter(0), reverse=True), strange)


def _moment_of_reports(query: Query[Quantity], hit: Hit) -> datetime | None:
    when = date_of(query, hit)
    return when.moment if when else None


def values_of(query: Query[Quantity], hit: Hit, status: str) -> Values:
    """What a result says; read once, as a fact is asked for with several look-backs."""
    read: dict[tuple[str, int], Values] = query.patient.index.values
    key = (query.definition.name, id(hit))
    known = read.get(key)
    if known is None:
        entries = _entries(query, hit, status)
        known = read[key] = [(entry, _result(query, entry)) for entry in entries]
    return known


def _entries(query: Query[Quantity], hit: Hit, status: str) -> Iterator[Entry]:
    today = query.patient.today
    when = date_of(query, hit)
    future = when.text if when and dates.is_future(when.day, today) else ""
    for part in parts_of(query, hit):
        yield Entry(hit, part, status, None if future else when, future)


def parts_of(query: Query[Quantity], hit: Hit) -> list[Resource]:
    """What of a result may hold a value: itself, a component, or its two sides."""
    if hit.component is not None:
        return [hit.component]
    return abi.sided_components(query, hit) or [hit.resource]


def _result(query: Query[Quantity], entry: Entry) -> Result | None:
    measured = measure(query, entry.part)
    if measured.quantity is None and not measured.fault:
        return None
    if abi.other_state(query, entry.hit, entry.part):
        return None
    result = Result(_item(query, entry, measured), entry.when)
    if entry.future:
        note = Note(notes.FUTURE, dated=entry.future)
        return result._replace(note=note, reason="a result is dated in the future")
    if entry.when is None:
        return result._replace(note=Note(notes.UNDATED), reason="a result has no date")
    return _judged(query, result, measured, entry.status)


def _judged(query: Query[Quantity], result: Result, measured: Measurement, status: str) -> Result:
    """The result, or why its status or value keeps it from being used."""
    if status not in USABLE:
        seen = ", ".join(filter(None, (measured.shown, result.item.date_text)))
        note = Note(notes.PRELIMINARY, seen=seen)
        return result._replace(note=note, reason="a result is preliminary")
    if not measured.fault:
        return result
    phrase, reason = _FAULTS[measured.fault]
    title, shown = capital(title_of(query)), measured.shown
    measurement = Note(notes.MEASURED if shown else notes.NAMED, title=title, shown=shown)
    note = Note(phrase, title=title_of(query), measurement=measurement)
    return result._replace(note=note, reason=reason)


def _item(query: Query[Quantity], entry: Entry, measured: Measurement) -> Item:
    hit, part, when = entry.hit, entry.part, entry.when
    details = {"status": entry.status, "side": abi.side(query, hit, part)}
    if measured.quantity is not None:
        details["flag"] = flag_of(part)
        details["low"] = reference_limit(query, part, "low")
    if when is not None and is_dated_by_report(query, hit):
        details["dated"] = OF_REPORT
    return Item(
        reference=reference_of(hit.resource),
        text=query.definition.title,
        on=when.day if when else None,
        date_text=when.text if when else entry.future,
        quantity=measured.quantity,
        code=hit.code,
        details={key: value for key, value in details.items() if value},
    )


def title_of(query: Query[Quantity]) -> str:
    """The fact's title without the part in brackets that tells sister facts apart."""
    return query.definition.title.split(" (")[0]


def capital(text: str) -> str:
    """ "Ferritin", but "eGFR"."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
