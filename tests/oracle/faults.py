"""Subtle faults planted in this service's own engine, each of which the oracle must notice.

Each is a context in which one function answers as a slip of the pen would make it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from cds_service.facts import availability, dates, measurements, results
from cds_service.facts.model import Fact, State, Truth
from cds_service.rules import leaves, logic
from cds_service.rules.nodes import Not
from cds_service.terminology.statuses import Statuses

Planted = Callable[[], AbstractContextManager[Any]]


def _inside_one_day_less(day: Any, today: Any, days: int | None) -> bool:
    if dates.is_future(day, today):
        return False
    return days is None or (today - day).days < days


def _inside_one_day_more(day: Any, today: Any, days: int | None) -> bool:
    if dates.is_future(day, today):
        return False
    return days is None or (today - day).days <= days + 1


def _unknown_is_no(fact: Fact) -> Truth:
    return Truth.YES if fact.state is State.KNOWN else Truth.NO


def _units_as_sent(_unit: str, value: Decimal, *_: Any, **__: Any) -> Decimal:
    return value


@contextmanager
def _comparators_ignored() -> Iterator[None]:
    def plain(value: Any, threshold: Decimal, *, or_equal: bool) -> Truth:
        holds = value.value < threshold or (or_equal and value.value == threshold)
        return Truth.YES if holds else Truth.NO

    with patch.object(logic, "_below", plain):
        yield


@contextmanager
def _not_of_unknown_holds() -> Iterator[None]:
    def truth(self: Not, context: Any) -> Truth:
        return Truth.NO if self.children[0].truth(context) is Truth.YES else Truth.YES

    with patch.object(Not, "truth", truth):
        yield


FAULTS: Mapping[str, Planted] = {
    "look-back: day N does not count": lambda: patch.object(dates, "inside", _inside_one_day_less),
    "look-back: day N+1 counts": lambda: patch.object(dates, "inside", _inside_one_day_more),
    "units: a value is taken in the unit it came in": lambda: patch.object(
        measurements, "convert_to", _units_as_sent
    ),
    "unknown: a fact that is not known is taken for absent": lambda: patch.object(
        leaves, "by_state", _unknown_is_no
    ),
    "unknown: not unknown is yes": _not_of_unknown_holds,
    "missing data: a prefetch key that lacks leaves no gap": lambda: patch.object(
        availability, "_lacks", lambda chart, key: False
    ),
    "comparators: <5 is taken for 5": _comparators_ignored,
    "statuses: a preliminary result is final": lambda: patch.object(
        results, "USABLE", frozenset({*results.USABLE, "preliminary"})
    ),
    "statuses: an amended result is none": lambda: patch.object(
        results, "USABLE", frozenset({"final", "corrected"})
    ),
    "denials: a finding that is denied counts": lambda: patch.object(
        Statuses, "denies", lambda words, codes: False
    ),
}
