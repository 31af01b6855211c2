"""How many calls of this process may read at the same time.

A reading call holds its worker thread until the server has answered or the deadline has come. Were
all threads to wait for a slow server, calls that bring their data along would wait with them; so a
call that would take the last thread, or too many for one server, does without the server.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from cds_service.gather.limits import CALLS_AT_ONCE, CALLS_PER_SERVER
from cds_service.gather.urls import Base


class Admission:
    """Counts the calls that are reading, in all and by server."""

    def __init__(self, at_once: int = CALLS_AT_ONCE, per_server: int = CALLS_PER_SERVER) -> None:
        self._at_once = at_once
        self._per_server = per_server
        self._reading: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def enter(self, base: Base) -> Iterator[bool]:
        """Whether the call may read; it counts as reading until the context is left."""
        admitted = self._admit(base.authority)
        try:
            yield admitted
        finally:
            if admitted:
                self._leave(base.authority)

    def _admit(self, server: str) -> bool:
        with self._lock:
            if self._reading.total() >= self._at_once or self._reading[server] >= self._per_server:
                return False
            self._reading[server] += 1
            return True

    def _leave(self, server: str) -> None:
        with self._lock:
            self._reading[server] -= 1
            if not self._reading[server]:
                del self._reading[server]
