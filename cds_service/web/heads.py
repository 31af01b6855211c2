"""Connections that wait for the head of a request: they cost a place in a table and no thread.

The main thread looks at what has come without taking it. Until the head is whole it asks the system
to be woken by more bytes than it has seen, so that a client which trickles costs nothing either.
"""

import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cds_service import clock

MOST_CONNECTIONS = 4_000  # of one worker
_OTHER_HANDLES = 256  # of the process, for everything that is no client
_USUAL_HEAD = 8_192  # bytes
LONGEST_HEAD = 32_768  # bytes; a longer one is left to gunicorn's own limits
_LOOK_EVERY = 0.5  # seconds
_LINGER = 2.0  # seconds that a stopping worker gives to whoever has begun to ask
_OPERATORS = (b"/healthz", b"/readyz", b"/metrics")


class Head(Enum):
    """What has come."""

    PARTIAL = "partial"
    COMPLETE = "complete"
    ENDED = "ended"


@dataclass(slots=True)
class _Wait:
    until: float
    begun: bool = False


class Heads:
    """The connections that wait. `idle` and `reading` are the seconds for which one may send
    nothing, and within which a head must be whole once it has begun."""

    def __init__(self, idle: float, reading: float) -> None:
        self._idle, self._reading = idle, reading
        self._waits: dict[Any, _Wait] = {}  # oldest first
        self._looked = 0.0
        self._capped = False

    def add(self, conn: Any) -> None:
        """Wait for this one."""
        begun = getattr(conn, "head_begun", False)
        patience = self._reading if begun else self._idle
        self._waits[conn] = _Wait(clock.monotonic() + patience, begun)

    def remove(self, conn: Any) -> bool:
        """Wait no longer; whether its head had begun."""
        conn.head_begun = False
        return self._waits.pop(conn).begun

    def oldest(self) -> Any:
        """The one that waits longest, or None."""
        return next(iter(self._waits), None)

    def look(self, conn: Any) -> tuple[Head, bytes]:
        """What has come on a connection that does not block, and its first bytes."""
        try:
            seen = conn.sock.recv(_USUAL_HEAD, socket.MSG_PEEK)
            if len(seen) == _USUAL_HEAD and b"\r\n\r\n" not in seen:
                seen = conn.sock.recv(LONGEST_HEAD, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return Head.PARTIAL, b""
        except OSError:
            return Head.ENDED, b""
        if not seen:
            return Head.ENDED, b""
        if b"\r\n\r\n" in seen or len(seen) >= LONGEST_HEAD:
            _wake_by(conn.sock, 1)
            return Head.COMPLETE, seen
        self._begin(conn)
        if not _wake_by(conn.sock, len(seen) + 1):
            return Head.COMPLETE, seen  # it would wake at once, for ever: let a thread wait
        return Head.PARTIAL, seen

    def late(self, *, stopping: bool) -> Iterator[Any]:
        """Whose time is over; to be removed by the caller."""
        now = clock.monotonic()
        if stopping and not self._capped:
            self._capped = True
            for wait in self._waits.values():
                wait.until = min(wait.until, now + _LINGER)
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        yield from [conn for conn, wait in self._waits.items() if wait.until <= now]

    def _begin(self, conn: Any) -> None:
        conn.head_begun = True
        wait = self._waits.get(conn)
        if wait and not wait.begun:
            wait.begun, wait.until = True, clock.monotonic() + self._reading


def for_operators(head: bytes) -> bool:
    """Whether this is a question about the service's health, which is answered in any crowd."""
    method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0].rstrip(b"/")
    return method in (b"GET", b"HEAD") and path.endswith(_OPERATORS)


def connections_allowed() -> int:
    """How many clients a worker may hold, by the system's bound on open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(_OTHER_HANDLES, min(MOST_CONNECTIONS, soft - _OTHER_HANDLES))


def raise_open_files() -> None:
    """As many open files as the system lets this process have, up to what is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 2 * _OTHER_HANDLES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # not allowed: there are fewer places, then
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _wake_by(sock: socket.socket, count: int) -> bool:
    """Ask to be woken when this many bytes are there; whether the system does."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) >= count
    except OSError:
        return False
