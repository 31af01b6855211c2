"""Counters that workers share, and that never end one.

prometheus_client maps a file for each process. Two things about such a file would kill a worker or
fail its calls: a folder that is gone, and a disk without room, on which a write to a mapped page is
a SIGBUS. So room is reserved before anything is mapped, and where there is none the process counts
for itself: those counts are missing from /metrics until the worker is replaced.
"""

import mmap
import os
import struct
import tempfile
from functools import partial
from operator import getitem

from prometheus_client import mmap_dict, values

_START = mmap_dict._INITIAL_MMAP_SIZE
_FRAME = 4 + 8 + 16 + 8  # of an entry, beside its key: length, padding, two numbers


class ReservedDict(mmap_dict.MmapedDict):
    """The library's dictionary in a file, with its room reserved; in memory where that fails."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        try:
            if not read_mode:
                _reserve(filename)
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
        except OSError:
            self._f = open(os.devnull, "a+b")  # noqa: SIM115 - `close` closes it
            self._fname = filename
            self._capacity = _START
            self._m = mmap.mmap(-1, _START)
            self._positions: dict[str, int] = {}
            self._used = 8

    def _init_value(self, key: str) -> None:
        while self._used + len(key.encode()) + _FRAME > self._capacity:
            self._grow()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self) -> None:
        before, size = self._m, self._capacity * 2
        try:
            os.posix_fallocate(self._f.fileno(), 0, size)
            self._m = mmap.mmap(self._f.fileno(), size)
        except OSError:
            self._m = mmap.mmap(-1, size)
            self._m[: self._used] = before[: self._used]
        self._capacity = size


def install() -> None:
    """For all counters that are made from now on. Nothing where the workers share none."""
    if values.ValueClass is values.MutexValue:
        return
    setattr(values, "MmapedDict", ReservedDict)  # noqa: B010 - not exported, and looked up there
    os.register_at_fork(after_in_child=_know_process)
    _know_process()
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
        process_identifier=partial(getitem, _process, 0)
    )


# The process asked for at each count, some thirty times in a call: the system is asked once.
_process: list[int] = []


def _know_process() -> None:
    _process[:] = [os.getpid()]


def _reserve(filename: str) -> None:
    """An empty file of the library's first size, there at once with all its room."""
    if os.path.exists(filename):
        return
    handle, part = tempfile.mkstemp(dir=os.path.dirname(filename))
    try:
        os.posix_fallocate(handle, 0, _START)
        os.pwrite(handle, struct.pack("i", 8), 0)
        os.rename(part, filename)
    except OSError:
        os.unlink(part)
        raise
    finally:
        os.close(handle)
