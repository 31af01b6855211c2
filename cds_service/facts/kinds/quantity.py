"""Measured values: which result counts, and what is said of those that do not (clinical 2.4).

Which of one day's results decides is the fact's `pick`, of one moment's its `ofOneMoment`. What
"<5" means against a threshold is decided where it is compared (`rules.logic`).
"""

from datetime import date, datetime
from decimal import Decimal

from cds_service.facts import abi, dates, notes
from cds_service.facts.chart import Supply
from cds_service.facts.definitions import Quantity
from cds_service.facts.measurements import reference_limit
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.notes import Note
from cds_service.facts.observations import USABLE
from cds_service.facts.query import Query
from cds_service.facts.results import (
    BEFORE_ALL,
    Entry,
    Result,
    results_on_file,
    title_of,
    values_of,
)
from cds_service.facts.unreadable_results import beside_unreadable, newer_than, unreadable

_DAYS_PER_YEAR = 365
_DAYS_PER_MONTH = 30


def read(query: Query[Quantity]) -> Fact:
    """A fact of kind `quantity`; see `Fact.reasons` for results that exist and cannot be used.

    Values are read from the newest back, until a usable one decides.
    """
    fact = _readable(query)
    unread = newer_than(unreadable(query), fact)
    return beside_unreadable(query, fact, unread) if unread else fact


def newer_unreadable(query: Query[Quantity]) -> list[Item]:
    """The unreadable results that no readable one is as new as; the newest first."""
    unread = unreadable(query)
    return newer_than(unread, _readable(query)) if unread else []


def _readable(query: Query[Quantity]) -> Fact:
    """The fact by the results whose code and status are understood."""
    results: list[Result] = []
    usable: list[Result] = []
    for moment, hit, status in results_on_file(query).newest_first:
        if usable and moment.date() < _day(usable[0]):
            break
        for entry, result in values_of(query, hit, status):
            when = entry.when
            if when is not None and not dates.inside(when.day, query.patient.today, query.days):
                stale = _stale(entry, result)
                if stale is None:
                    continue
                return _without_value(query, results, stale)
            if result is not None:
                (results if result.reason else usable).append(result)
    return _known(query, usable, results) if usable else _without_value(query, results, None)


def usable_results(query: Query[Quantity]) -> list[Result]:
    """All values inside the look-back that can be used, the newest first, not only those of the
    day that decides.
    """
    results: list[Result] = []
    for _, hit, status in results_on_file(query).newest_first:
        for entry, result in values_of(query, hit, status):
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
    for _, hit, status in results_on_file(query).newest_first:
        for entry, result in values_of(query, hit, status):
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
    return result.when.moment if result.when else BEFORE_ALL


def _value(item: Item) -> Decimal:
    return item.quantity.value if item.quantity else Decimal(0)


def _without_value(query: Query[Quantity], results: list[Result], stale: Item | None) -> Fact:
    gaps = query.gaps()
    reasons = tuple(dict.fromkeys((*gaps, *(result.reason for result in results))))
    told = [result.note for result in results]
    if stale is not None:
        told.append(_stale_note(query, stale))
    if not results and query.patient.chart.slot("observations").supply is Supply.EMPTY:
        told.append(Note(notes.NONE_FOUND, title=title_of(query)))
    measured = [result.item for result in results if result.item.quantity]
    unused = measured[0] if measured else stale
    state = State.UNKNOWN if gaps else State.ABSENT
    return Fact(query.definition.name, state, (), reasons, tuple(dict.fromkeys(told)), unused)


def _stale_note(query: Query[Quantity], item: Item) -> str:
    shown = item.quantity.shown if item.quantity else ""
    phrase, count = _span(query.days or 0)
    return Note(phrase, title=title_of(query), shown=shown, dated=item.date_text, count=str(count))


def _span(days: int) -> tuple[str, int]:
    """Days in the months that a clinician counts in, where they make whole ones."""
    years, rest = divmod(days, _DAYS_PER_YEAR)
    if years and not rest:
        return notes.STALE_MONTHS, years * 12
    months, rest = divmod(days, _DAYS_PER_MONTH)
    return (notes.STALE_DAYS, days) if rest else (notes.STALE_MONTHS, months)


def _stale(entry: Entry, result: Result | None) -> Item | None:
    """The newest value that is too old to count, where it is final and can be read."""
    if entry.status not in USABLE or result is None or result.item.quantity is None:
        return None
    return result.item
