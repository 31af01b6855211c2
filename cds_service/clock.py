"""The one reader of time. Everything below the service layer takes `now` as an argument."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The current time, or the fixed one of a test or demonstration (`CDS_NOW`)."""

    fixed: datetime | None = None

    def now(self) -> datetime:
        """The time of this moment, with a time zone."""
        return self.fixed or datetime.now(UTC)


monotonic = time.perf_counter  # seconds on a clock that never jumps: for durations only
