"""How the JSON of a condition is nested (docs/rule-format.md, Conditions), for all that walk it."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Any

JOINERS = ("all", "any")  # hold a list of conditions
WRAPPERS = ("not", "certainly")  # hold one
LEAVES = ("fact", "setting", "is")
SORTS = (*JOINERS, *WRAPPERS, *LEAVES)


def sort_of(condition: Mapping[str, Json]) -> str:
    """Which sort of condition this is; "" for none."""
    return next((sort for sort in SORTS if sort in condition), "")


def inner(condition: Mapping[str, Json]) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """The conditions directly inside one, each with its path from there; malformed ones too."""
    sort = sort_of(condition)
    if sort in WRAPPERS:
        yield (sort,), condition[sort]
    elif sort in JOINERS and isinstance(condition[sort], list | tuple):
        for index, part in enumerate(condition[sort]):
            yield (sort, index), part


def parts_of(condition: Mapping[str, Json]) -> list[Json]:
    """The conditions directly inside one."""
    return [part for _, part in inner(condition)]
