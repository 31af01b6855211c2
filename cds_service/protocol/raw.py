"""JSON that was checked and not yet read: `Raw`, decoded alike wherever somebody asks for it.

A call is checked once as a whole (`protocol.body`), so nothing that is decoded here can turn out
not to be JSON.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson
from msgspec import Raw

__all__ = ["NOTHING", "NULL", "Raw", "decoded", "encoded", "on_any_stack", "text", "word"]

Json = Any
NOTHING = Raw(b"")  # a member that was not sent
NULL = Raw(b"null")

_Made = TypeVar("_Made")
_MOST_DIGITS = 300  # of an integer; one that is longer is beyond every float
_LEAST, _MOST = -(2**63), 2**64 - 1  # of the integers that are read exactly
_MOST_REMEMBERED = 1_000
_LONGEST_REMEMBERED = 60  # bytes
_words: dict[bytes, str] = {}


def decoded(raw: Raw | bytes) -> Json:
    """The value. Numbers beyond a double are infinite; of two equal keys the last counts."""
    try:
        return orjson.loads(memoryview(raw))
    except orjson.JSONDecodeError:  # a number beyond a double, or more levels than orjson reads
        return _slowly(bytes(raw))


def encoded(value: Json) -> Raw:
    """A value as if it had been sent."""
    try:
        return Raw(orjson.dumps(value))
    except TypeError:  # an integer beyond 64 bits, or more levels than orjson writes
        return Raw(json.dumps(value).encode())


def text(raw: Raw) -> str:
    """A string without outer blanks; "" for everything else, and for what was not sent."""
    value = decoded(raw) if raw else ""
    return value.strip() if isinstance(value, str) else ""


def word(raw: Raw) -> str:
    """`text` for what has few values (a type, a status). They are remembered, within bounds."""
    written = bytes(raw)
    known = _words.get(written)
    if known is None:
        known = text(raw)
        if len(written) <= _LONGEST_REMEMBERED:
            if len(_words) >= _MOST_REMEMBERED:
                _words.clear()
            _words[written] = known
    return known


def on_any_stack(read: Callable[[Raw], _Made], raw: Raw) -> _Made:
    """Read a part. What the checking of the whole call had room for finds room here, too."""
    try:
        return read(raw)
    except RecursionError:  # the stack is deeper here than it was then
        return _on_own_stack(read, raw)


def _slowly(written: bytes) -> Json:
    return _on_own_stack(lambda content: json.loads(content, parse_int=_integer), written)


def _on_own_stack(read: Callable[[Any], _Made], content: Any) -> _Made:
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(read, content).result()


def _integer(digits: str) -> int | float:
    """An integer of 64 bits, else a double: as orjson reads it."""
    if len(digits) <= _MOST_DIGITS and _LEAST <= (value := int(digits)) <= _MOST:
        return value
    return float(digits)
