"""Look-backs written in a rule: ISO 8601 durations in whole days."""

import re

_DAYS = re.compile(r"P(\d{1,5})D", re.ASCII)


def days_of(duration: str) -> int:
    """Days of "P90D". Months and years have no fixed length: ValueError."""
    match = _DAYS.fullmatch(duration)
    if match is None:
        raise ValueError(f"not a number of days: {duration!r} (write P90D)")
    return int(match[1])
