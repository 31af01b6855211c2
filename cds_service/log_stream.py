"""Lines on stderr that hold nobody up: what cannot be written is lost, and counted.

A disk may be full, a reader gone or hanging. The first two raise an error; a pipe or socket that
nobody reads would stop every thread that has something to say, and with them the service. A reader
that is only slow is waited for: `PATIENCE` once, and not again before a line could be written.
"""

import os
import select
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from cds_service import clock

PATIENCE = 0.5  # seconds


class Lines:
    """Writes to stderr as it is now, not as it was when this was made."""

    def __init__(self) -> None:
        self.lost = 0  # lines since the last one that was written
        self._cut = False  # the last one was written in part
        self._pipe = _Pipe()

    def write(self, line: str) -> bool:
        """Whether the line was written whole."""
        data = f"\n{line}\n" if self._cut else f"{line}\n"
        try:
            taken = self._write(sys.stderr, data)
        except (OSError, ValueError):  # full, gone, closed
            taken = 0
        whole = taken == len(data.encode())
        self._cut = taken > 0 and not whole
        self.lost = 0 if whole else self.lost + 1
        return whole

    def _write(self, stream: TextIO | None, text: str) -> int:
        """The number of bytes that were taken."""
        if stream is None:  # the process was started without one
            return 0
        number, file = _file(stream)
        data = text.encode()
        if file and stat.S_ISFIFO(file.st_mode):
            return self._patiently(number, lambda: self._pipe.write(number, file.st_ino, data))
        if file and stat.S_ISSOCK(file.st_mode):
            return self._patiently(number, lambda: _send(number, data))
        stream.write(text)
        stream.flush()
        return len(data)

    def _patiently(self, number: int, write: Callable[[], int]) -> int:
        """What `write` says once there is room. Raises BlockingIOError when none comes."""
        end = clock.monotonic() + PATIENCE
        while True:
            try:
                return write()
            except BlockingIOError:
                left = end - clock.monotonic()
                if self.lost or left <= 0:
                    raise
                select.select((), (number,), (), left)


def _send(number: int, data: bytes) -> int:
    with socket.socket(fileno=os.dup(number)) as client:
        return client.send(data, socket.MSG_DONTWAIT)


def _file(stream: TextIO) -> tuple[int, os.stat_result | None]:
    """The number of the open file and what it is; None for what is no file."""
    with suppress(OSError, ValueError, AttributeError):
        number = stream.fileno()
        return number, os.fstat(number)
    return -1, None


class _Pipe:
    """An opening of our own of the pipe that stderr is, without waiting: on the one that was given
    to us this would hold for the pipe's other users too."""

    def __init__(self) -> None:
        self._inode = 0
        self._own = -1

    def write(self, number: int, inode: int, data: bytes) -> int:
        """The number of bytes that were taken."""
        if inode != self._inode:
            self._open(number)
            self._inode = inode
        if self._own >= 0:
            return os.write(self._own, data)
        if not select.select((), (number,), (), 0)[1]:  # at least not into one that is full
            raise BlockingIOError
        return os.write(number, data)

    def _open(self, number: int) -> None:
        if self._own >= 0:
            os.close(self._own)
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            self._own = os.open(f"/proc/self/fd/{number}", flags)
        except OSError:  # somebody else's, or no /proc
            self._own = -1
