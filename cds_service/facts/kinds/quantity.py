"""Measured values: which result counts, and what is said of those that do not (clinical 2.4).

Which of one day's results decides is the fact's `pick`, of one moment's its `ofOneMoment`. What
"<5" means against a threshold is decided where it is compared (`rules.logic`).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from cds_service.facts import abi, dates, notes
from cds_service.facts.catalogue import NAMED
from cds_service.facts.chart import Resource, Supply
from cds_service.facts.definitions import Quantity
from cds_service.facts.fhir import reference_of
from cds_service.facts.hits import MEMBER, Hit
from cds_service.facts.measurements import Measurement, flag_of, measure, reference_limit
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.notes import Note
from cds_service.facts.observations import (
    PRELIMINARY,
    RETRACTED,
    USABLE,
    date_of,
    has_value,
    is_dated_by_report,
    moment_of,
    status_of_hit,
)
from cds_service.facts.query import Query
from cds_service.terminology.codings import names_of

# Why a result on file cannot be read, as the list of a card's reasons says it.
BY_NAME = "name alone"
DISAGREE = "code and name disagree"
STRANGE = "status not known"
NOT_SENT = "named in a report, not sent"
OF_REPORT = "date of the report"  # of a result that has none of its own
_DAYS_PER_YEAR = 365
_DAYS_PER_MONTH = 30
_FAULTS = {  # what is said of a value that cannot be used, and the reason it gives
    "text": (notes.TEXT_RESULT, "a result is text"),
    "number": (notes.NO_NUMBER, "a result is no number"),
    "no unit": (notes.NO_UNIT, "a result has no unit"),
    "unit": (notes.STRANGE_UNIT, "a result has a unit that cannot be converted"),
    "implausible": (notes.IMPLAUSIBLE, "a result is outside the plausible range"),
}
_BEFORE_ALL = datetime.max.replace(tzinfo=UTC)  # undated values are looked at first


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


def read(query: Query[Quantity]) -> Fact:
    """A fact of kind `quantity`; see `Fact.reasons` for results that exist and cannot be used.

    Values are read from the newest back, until a usable one decides.
    """
    fact = _readable(query)
    unread = _newer(unreadable(query), fact)
    return _beside_unreadable(query, fact, unread) if unread else fact


def newer_unreadable(query: Query[Quantity]) -> list[Item]:
    """The unreadable results that no readable one is as new as; the newest first."""
    unread = unreadable(query)
    return _newer(unread, _readable(query)) if unread else []


def _readable(query: Query[Quantity]) -> Fact:
    """The fact by the results whose code and status are understood."""
    results: list[Result] = []
    usable: list[Result] = []
    for moment, hit, status in _filed(query).newest_first:
        if usable and moment.date() < _day(usable[0]):
            break
        for entry, result in _values(query, hit, status):
            when = entry.when
            if when is not None and not dates.inside(when.day, query.patient.today, query.days):
                stale = _stale(entry, result)
                if stale is None:
                    continue
                return _without_value(query, results, stale)
            if result is not None:
                (results if result.reason else usable).append(result)
    return _known(query, usable, results) if usable else _without_value(query, results, None)


def unreadable(query: Query[Quantity]) -> list[Item]:
    """Results on file that are never read as values, the newest first: only the name says what
    they are, code and name disagree, the status does not say whether they count, or a report names
    them and they were not sent.
    """
    today = query.patient.today
    items = []
    by_name = ((hit, _why_by_name(hit)) for hit in _named(query))
    strange = ((hit, STRANGE) for hit in _filed(query).strange)
    for hit, why in (*by_name, *strange):
        parts = [part for part in _parts(query, hit) if has_value(part)]
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
        text=next(iter(names_of(hit.concept)), "") or _title(query),
        on=when.day if when else None,
        date_text=when.text if when else "",
        via="code" if why == STRANGE else "name",
        details={key: value for key, value in details.items() if value},
    )


def _newer(unread: list[Item], fact: Fact) -> list[Item]:
    """Those of the results that are newer than the value that decides; all where none does."""
    decides = fact.items[0] if fact.items else None
    if decides is None or decides.on is None:
        return unread
    return [item for item in unread if item.on is not None and item.on > decides.on]


def _beside_unreadable(query: Query[Quantity], fact: Fact, unread: list[Item]) -> Fact:
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
        return note, f"a result named as {_title(query)} has no code that is known"
    if why == NOT_SENT:
        note = Note(notes.NOT_SENT, name=item.text, dated=dated)
        return note, f"a report names a result ({_title(query)}) that was not sent"
    note = Note(notes.NAME_AND_CODE, name=item.text, dated=dated)
    return note, "the code and the name of a result disagree"


def usable_results(query: Query[Quantity]) -> list[Result]:
    """All values inside the look-back that can be used, the newest first, not only those of the
    day that decides.
    """
    results: list[Result] = []
    for _, hit, status in _filed(query).newest_first:
        for entry, result in _values(query, hit, status):
            when = entry.when
            if when is None or not dates.inside(when.day, query.patient.today, query.days):
                continue
            if result is not None and not result.reason:
                results.append(result)
    return _in_order(query, results)


def upper_limit(query: Query[Quantity], item: Item) -> str:
    """The upper reference limit that came with a value of the fact, in its unit; else "".

    Few facts ask, so no item has it.
    """
    for _, hit, status in _filed(query).newest_first:
        for entry, result in _values(query, hit, status):
            if result is not None and result.item is item:
                return reference_limit(query, entry.part, "high")
    return ""


def _day(result: Result) -> date:
    return result.when.day if result.when else date.min


def _known(query: Query[Quantity], usable: list[Result], unusable: list[Result]) -> Fact:
    items = _decided(query, usable)
    told = [result.note for result in unusable] + abi.missing_side(query, items)
    if gaps := query.gaps():
        told.append(Note(notes.NEWER, reason=gaps[0]))
    return Fact(query.definition.name, State.KNOWN, tuple(items), (), tuple(dict.fromkeys(told)))


def _decided(query: Query[Quantity], results: list[Result]) -> list[Item]:
    """The newest day's items, newest first on entry, with the deciding one in front."""
    if query.definition.pick == "newest":
        return [result.item for result in _in_order(query, results)]
    highest = query.definition.pick == "highest"
    return sorted([result.item for result in results], key=_value, reverse=highest)


def _in_order(query: Query[Quantity], results: list[Result]) -> list[Result]:
    """The newest first; of one moment the one that the fact is to be safe from, as the order in
    which results are sent says nothing.
    """
    if len(results) < 2:
        return results
    highest = query.definition.of_one_moment == "highest"
    by_value = sorted(results, key=lambda result: _value(result.item), reverse=highest)
    return sorted(by_value, key=_moment, reverse=True)


def _moment(result: Result) -> datetime:
    return result.when.moment if result.when else _BEFORE_ALL


def _value(item: Item) -> Decimal:
    return item.quantity.value if item.quantity else Decimal(0)


def _without_value(query: Query[Quantity], results: list[Result], stale: Item | None) -> Fact:
    gaps = query.gaps()
    reasons = tuple(dict.fromkeys((*gaps, *(result.reason for result in results))))
    told = [result.note for result in results]
    if stale is not None:
        told.append(_stale_note(query, stale))
    if not results and query.patient.chart.slot("observations").supply is Supply.EMPTY:
        told.append(Note(notes.NONE_FOUND, title=_title(query)))
    measured = [result.item for result in results if result.item.quantity]
    unused = measured[0] if measured else stale
    state = State.UNKNOWN if gaps else State.ABSENT
    return Fact(query.definition.name, state, (), reasons, tuple(dict.fromkeys(told)), unused)


def _stale_note(query: Query[Quantity], item: Item) -> str:
    shown = item.quantity.shown if item.quantity else ""
    phrase, count = _span(query.days or 0)
    return Note(phrase, title=_title(query), shown=shown, dated=item.date_text, count=str(count))


def _span(days: int) -> tuple[str, int]:
    """Days in the months that a clinician counts in, where they make whole ones."""
    years, rest = divmod(days, _DAYS_PER_YEAR)
    if years and not rest:
        return notes.STALE_MONTHS, years * 12
    months, rest = divmod(days, _DAYS_PER_MONTH)
    return (notes.STALE_DAYS, days) if rest else (notes.STALE_MONTHS, months)


def _filed(query: Query[Quantity]) -> Filed:
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
                moment = _BEFORE_ALL
            dated.append((moment, hit, status))
        elif status not in RETRACTED:
            strange.append(hit)
    return Filed(sorted(dated, key=itemgetter(0), reverse=True), strange)


def _moment_of_reports(query: Query[Quantity], hit: Hit) -> datetime | None:
    when = date_of(query, hit)
    return when.moment if when else None


def _values(query: Query[Quantity], hit: Hit, status: str) -> Values:
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
    for part in _parts(query, hit):
        yield Entry(hit, part, status, None if future else when, future)


def _parts(query: Query[Quantity], hit: Hit) -> list[Resource]:
    if hit.component is not None:
        return [hit.component]
    return abi.sided_components(query, hit) or [hit.resource]


def _stale(entry: Entry, result: Result | None) -> Item | None:
    """The newest value that is too old to count, where it is final and can be read."""
    if entry.status not in USABLE or result is None or result.item.quantity is None:
        return None
    return result.item


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
    title, shown = _capital(_title(query)), measured.shown
    measurement = Note(notes.MEASURED if shown else notes.NAMED, title=title, shown=shown)
    note = Note(phrase, title=_title(query), measurement=measurement)
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


def _title(query: Query[Quantity]) -> str:
    """The fact's title without the part in brackets that tells sister facts apart."""
    return query.definition.title.split(" (")[0]


def _capital(text: str) -> str:
    """ "Ferritin", but "eGFR"."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
