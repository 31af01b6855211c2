"""Retry-After (RFC 9110, 10.2.3): how long a server wants to be left alone."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Seconds from `now`; None where the header says nothing that can be kept to."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
