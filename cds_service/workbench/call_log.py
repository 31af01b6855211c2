"""The last calls of this service, for whoever connects an EHR: in memory alone, with no values and
no identifiers. Workers share one piece of memory, made before they fork."""

import mmap
import multiprocessing
import struct
import threading
from typing import Any

import orjson

Json = Any
MOST = 50
_SLOT = 1024  # bytes of one entry
_PATIENCE = 0.05  # seconds for another worker to write its entry
_HEAD = 8  # bytes of the count of all entries ever
_COUNT = struct.Struct("Q")
_LENGTH = struct.Struct("H")


class CallLog:
    """A ring of entries. Each is small JSON; what does not fit is left out."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEAD + MOST * _SLOT)
        self._lock = _lock()

    def add(self, entry: dict[str, Json]) -> None:
        """Keep an entry in the place of the oldest."""
        content = orjson.dumps(entry)
        if len(content) > _SLOT - _LENGTH.size:
            content = orjson.dumps({**entry, "supply": {}, "why": ""})
        if not self._lock.acquire(timeout=_PATIENCE):
            return  # whoever holds it was killed: a call matters more than its entry
        try:
            (count,) = _COUNT.unpack_from(self._memory, 0)
            start = _HEAD + (count % MOST) * _SLOT
            _LENGTH.pack_into(self._memory, start, len(content))
            self._memory[start + _LENGTH.size : start + _LENGTH.size + len(content)] = content
            _COUNT.pack_into(self._memory, 0, count + 1)
        finally:
            self._lock.release()

    def entries(self) -> list[dict[str, Json]]:
        """The entries, the newest first."""
        (count,) = _COUNT.unpack_from(self._memory, 0)
        places = range(count - 1, max(-1, count - 1 - MOST), -1)
        entries = (self._at(place % MOST) for place in places)
        return [entry for entry in entries if entry is not None]

    def _at(self, slot: int) -> dict[str, Json] | None:
        start = _HEAD + slot * _SLOT
        (length,) = _LENGTH.unpack_from(self._memory, start)
        content = self._memory[start + _LENGTH.size : start + _LENGTH.size + length]
        try:
            entry: dict[str, Json] = orjson.loads(content)
        except orjson.JSONDecodeError:  # it is being written
            return None
        return entry


def _lock() -> Any:
    """A lock for all workers; where there is no room for one (/dev/shm is full), for each alone."""
    try:
        return multiprocessing.Lock()
    except OSError:
        return threading.Lock()
