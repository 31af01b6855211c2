"""The last calls of this service, for whoever connects an EHR: in memory alone, with no values and
no identifiers. Workers share one piece of memory, made before they fork."""

import mmap
import struct
from multiprocessing import Lock
from typing import Any

import orjson

Json = Any
MOST = 50
_SLOT = 1024  # bytes of one entry
_HEAD = 8  # bytes of the count of all entries ever
_COUNT = struct.Struct("Q")
_LENGTH = struct.Struct("H")


class CallLog:
    """A ring of entries. Each is small JSON; what does not fit is left out."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEAD + MOST * _SLOT)
        self._lock = Lock()

    def add(self, entry: dict[str, Json]) -> None:
        """Keep an entry in the place of the oldest."""
        content = orjson.dumps(entry)
        if len(content) > _SLOT - _LENGTH.size:
            content = orjson.dumps({**entry, "supply": {}, "why": ""})
        with self._lock:
            (count,) = _COUNT.unpack_from(self._memory, 0)
            start = _HEAD + (count % MOST) * _SLOT
            _LENGTH.pack_into(self._memory, start, len(content))
            self._memory[start + _LENGTH.size : start + _LENGTH.size + len(content)] = content
            _COUNT.pack_into(self._memory, 0, count + 1)

    def entries(self) -> list[dict[str, Json]]:
        """The entries, the newest first."""
        with self._lock:
            (count,) = _COUNT.unpack_from(self._memory, 0)
            places = range(count - 1, max(-1, count - 1 - MOST), -1)
            return [self._at(place % MOST) for place in places]

    def _at(self, slot: int) -> dict[str, Json]:
        start = _HEAD + slot * _SLOT
        (length,) = _LENGTH.unpack_from(self._memory, start)
        content = self._memory[start + _LENGTH.size : start + _LENGTH.size + length]
        entry: dict[str, Json] = orjson.loads(content)
        return entry
