"""The `words` of facts.json: facts that go by the same words name one list of it."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Any
# Where a fact may name a list in place of writing it out.
_PLACES = (("notBodySiteWords",), ("byWords", "here"), ("byWords", "elsewhere"))


def named_by(fact: Json) -> Iterator[tuple[tuple[str, ...], str]]:
    """The lists that a fact names, as its file has it, with the paths to the names."""
    for path in _PLACES:
        value = fact
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield path, value


def written_out(fact: Json, lists: Mapping[str, Json]) -> Json:
    """The fact with each list in the place of its name; a name without a list stays."""
    for path, name in named_by(fact):
        fact = _with(fact, path, lists.get(name, name))
    return fact


def _with(value: Json, path: tuple[str, ...], words: Json) -> Json:
    if not path:
        return words
    return {**value, path[0]: _with(value[path[0]], path[1:], words)}
