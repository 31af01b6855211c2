"""Where two JSON values differ, leaf by leaf, in the words of a review: "all[1].setting a -> b"."""

from collections.abc import Iterator
from decimal import Decimal
from os.path import commonprefix
from typing import Any

Json = Any
_LONGEST = 2000  # characters of a text that is quoted; longer ones are cut round the difference
_AROUND = 60  # characters before the first that differs
_ABSENT = object()


def json_changes(old: Json, new: Json, path: str = "") -> Iterator[str]:
    """One text a difference. A list that grew or shrank is compared member by member."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            below = f"{path}.{key}" if path else str(key)
            yield from json_changes(old.get(key, _ABSENT), new.get(key, _ABSENT), below)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from _members(list(old), list(new), path)
    elif old is not new and (old != new or type(old) is not type(new)):
        yield f"{path} {_pair(old, new)}".strip()


def _pair(old: Json, new: Json) -> str:
    """Both values; of two long texts the part where they differ."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONGEST:
        start = max(0, len(commonprefix((old, new))) - _AROUND)
        dots = "..." if start else ""
        old, new = dots + old[start:], dots + new[start:]
    return f"{as_text(old)} -> {as_text(new)}"


def _members(old: list[Json], new: list[Json], path: str) -> Iterator[str]:
    if len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from json_changes(before, after, f"{path}[{number}]")
        return
    gone = [f"{path} - {as_text(member)}".strip() for member in old if member not in new]
    come = [f"{path} + {as_text(member)}".strip() for member in new if member not in old]
    yield from gone
    yield from come
    if not (gone or come):
        yield f"{path} {len(old)} members -> {len(new)}, some of them the same".strip()


def as_text(value: Json) -> str:
    """A JSON value as a reviewer reads it."""
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _LONGEST else f"'{value[:_LONGEST]}...'"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{key} {as_text(part)}" for key, part in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_text, value))}]"
    return str(value)
