"""Where two JSON values differ, leaf by leaf, in the words of a review: "all[1].setting a -> b"."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Json = Any
_LONGEST = 160  # characters of a text that is quoted
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
        yield f"{path} {_shown(old)} -> {_shown(new)}".strip()


def _members(old: list[Json], new: list[Json], path: str) -> Iterator[str]:
    if len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from json_changes(before, after, f"{path}[{number}]")
        return
    for sign, here, there in (("-", old, new), ("+", new, old)):
        for member in here:
            if member not in there:
                yield f"{path} {sign} {_shown(member)}".strip()


def _shown(value: Json) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _LONGEST else f"'{value[:_LONGEST]}...'"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)
