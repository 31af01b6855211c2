"""FHIR dates as days: partial dates, time zones, and the boundaries of look-backs.

Nothing here raises: what cannot be read as a date is no date (clinical section 2.5).
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

FUTURE_TOLERANCE = 1  # days; clocks and time zones differ by no more


class When(NamedTuple):
    """A point in time: the UTC day, a moment to order results of one day, and the date as sent."""

    day: date
    moment: datetime
    text: str


# FHIR's form, with a blank for the "T" as some systems write it. What follows the hour is not
# looked at: the day holds where the clock is broken. Python reads more, which are no FHIR dates.
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[Tt ][0-9]{2}.*)?)?)?", re.DOTALL)


def is_date(value: str) -> bool:
    """Whether a text has the form of a FHIR date, dateTime or instant."""
    return _DATE.fullmatch(value) is not None


def parse(value: Any, today: date) -> When | None:
    """Read a FHIR date, dateTime or instant.

    A year or a month stands for its latest possible day, though not for one after `today` when a
    day up to today is possible. With a time zone the day is the day in UTC.
    """
    if not isinstance(value, str) or not is_date(value):
        return None
    try:
        if len(value) > 10:
            return _with_time(value)
        if len(value) == 10:
            day = date.fromisoformat(value)
        else:
            day = _latest(value, today)
    except (ValueError, OverflowError):
        return None
    return When(day, datetime(day.year, day.month, day.day, tzinfo=UTC), value)


def _with_time(value: str) -> When | None:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        day = date.fromisoformat(
            value[:10]
        )  # "2026-03-05T24:00", a broken zone: the day still holds
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return When(moment.date(), moment, value[:10])


def _latest(value: str, today: date) -> date:
    if len(value) == 4:
        first, last = date(int(value), 1, 1), date(int(value), 12, 31)
    elif len(value) == 7 and value[4] == "-":
        year, month = int(value[:4]), int(value[5:])
        first, last = date(year, month, 1), date(year, month, monthrange(year, month)[1])
    else:
        raise ValueError(value)
    return today if first <= today < last else last


def latest_day(value: Any) -> date | None:
    """The latest day a FHIR date may stand for, wherever today is: the end of a period."""
    when = parse(value, date.min)
    return when.day if when else None


def age_in_days(day: date, today: date) -> int:
    """Days before `today`; negative for the future."""
    return (today - day).days


def is_future(day: date, today: date) -> bool:
    """Whether a day lies further ahead than clocks may differ."""
    return day > today and (day - today).days > FUTURE_TOLERANCE


@lru_cache(maxsize=8)  # every measured fact asks
def first_future_moment(today: date) -> datetime:
    """The first moment that `is_future` holds for."""
    day = today + timedelta(days=FUTURE_TOLERANCE + 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def inside(day: date, today: date, days: int | None) -> bool:
    """Whether a day counts in a look-back: day N is inside, day N+1 is not; None is no limit."""
    if is_future(day, today):
        return False
    return days is None or (today - day).days <= days


def has_ended(end: Any, today: date) -> bool:
    """Whether a period's end lies before today. Unreadable ends have not ended anything."""
    day = latest_day(end)
    return day is not None and day < today


def period(value: Any, today: date) -> When | None:
    """When something over a period was: its end where that has come, else its start."""
    if not isinstance(value, dict):
        return None
    end = parse(value.get("end"), today)
    if end is not None and end.day <= today + timedelta(days=FUTURE_TOLERANCE):
        return end
    return parse(value.get("start"), today)
