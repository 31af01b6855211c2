"""Lines on stderr that hold nobody up: what cannot be written at once is lost, and counted.

A disk may be full, a reader gone or hanging. The first two raise an error; a pipe or socket that
nobody reads would stop every thread that has something to say, and with them the service.
"""

import os
import select
import socket
import stat
import sys
from contextlib import suppress
from typing import TextIO


class Lines:
    """Writes to stderr as it is now, not as it was when this was made."""

    def __init__(self) -> None:
        self.lost = 0  # lines since the last one that was written
        self._cut = False  # the last one was written in part

    def write(self, line: str) -> bool:
        """Whether the line was written whole."""
        data = f"\n{line}\n" if self._cut else f"{line}\n"
        try:
            taken = _write(sys.stderr, data)
        except (OSError, ValueError):  # full, gone, closed
            taken = 0
        whole = taken == len(data.encode())
        self._cut = taken > 0 and not whole
        self.lost = 0 if whole else self.lost + 1
        return whole


def _write(stream: TextIO | None, text: str) -> int:
    """The number of bytes that were taken."""
    if stream is None:  # the process was started without one
        return 0
    number, mode = _file(stream)
    data = text.encode()
    if stat.S_ISFIFO(mode):
        return _to_pipe(number, data)
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(number)) as client:
            return client.send(data, socket.MSG_DONTWAIT)
    stream.write(text)
    stream.flush()
    return len(data)


def _file(stream: TextIO) -> tuple[int, int]:
    """The number of the open file and its mode; mode 0 for what is no file."""
    with suppress(OSError, ValueError, AttributeError):
        number = stream.fileno()
        return number, os.fstat(number).st_mode
    return -1, 0


def _to_pipe(number: int, data: bytes) -> int:
    """Through an opening of our own: that it must not wait holds for a pipe's other users too."""
    try:
        own = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # somebody else's: at least not into one that is full
        room = select.select((), (number,), (), 0)[1]
        return os.write(number, data) if room else 0
    try:
        return os.write(own, data)
    finally:
        os.close(own)
