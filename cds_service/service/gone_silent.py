"""For /readyz: which rules have gone silent, looked up now and then and not at each probe."""

import os
from collections.abc import Callable, Iterable
from datetime import date
from threading import Lock
from typing import Any, Protocol

from cds_service import clock
from cds_service.rules.model import Rule
from cds_service.store.activity import Activity

LOOK_EVERY = 300.0  # seconds
_IN_USE = ("active", "shadow")


class Source(Protocol):
    """The part of the store that is asked."""

    def activity(self, today: date) -> list[Activity]:
        """What rules did lately."""
        ...


class Silence:
    """Remembers the last answer of the database."""

    def __init__(self, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._after_fork)
        self._looked: float | None = None
        self._activities: list[Activity] = []

    def _after_fork(self) -> None:
        self._lock = Lock()

    def rules(self, source: Source, rules: Iterable[Rule], today: date) -> list[dict[str, Any]]:
        """The rules in use that fired before and do not any more. Raises SQLAlchemyError."""
        with self._lock:
            now = self._monotonic()
            if self._looked is None or now - self._looked > LOOK_EVERY:
                self._activities = source.activity(today)
                self._looked = now
        used = {rule.id for rule in rules if rule.status in _IN_USE}
        return [
            {
                "rule": activity.rule,
                "lastFired": activity.last_fired,
                "expected": round(activity.expected, 1),
            }
            for activity in self._activities
            if activity.silent and activity.rule in used
        ]
