"""Facts of a site that change single properties of the shipped fact of their name.

`{"lab.ferritin": {"changes": "shipped", "pick": "newest", "without": ["lookback"]}}`: all else is
as shipped, after an upgrade too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from cds_service.errors import Problem
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean

Json = Any
MARK, WITHOUT = "changes", "without"


class Shipped(Protocol):
    """A shipped fact; its data are those of its file."""

    @property
    def data(self) -> Json: ...


class LaidOver(NamedTuple):
    """The facts of a site's file, each whole; the properties that it changes of shipped ones."""

    facts: dict[str, Json]
    changed: dict[str, tuple[str, ...]]
    problems: list[Problem]


def over_shipped(document: Document, shipped: Mapping[str, Shipped]) -> LaidOver:
    """The site's facts laid over the shipped ones, and what is wrong with those that change one."""
    facts: dict[str, Json] = {}
    changed: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name, own in _facts(document).items():
        if not isinstance(own, dict) or MARK not in own:
            facts[name] = own
        elif name not in shipped or not isinstance(shipped[name].data, dict):
            problems.append(_no_such_fact(document, name, shipped))
        else:
            problems += _surplus(document, name, own, shipped[name].data)
            facts[name] = _whole(own, shipped[name].data)
            changed[name] = _changed(own)
    return LaidOver(facts, changed, problems)


def _changed(own: Mapping[str, Json]) -> tuple[str, ...]:
    without = own.get(WITHOUT)
    names = (*(key for key in own if key not in (MARK, WITHOUT, "note")), *(without or ()))
    return tuple(name for name in names if isinstance(name, str))


def _facts(document: Document) -> dict[str, Json]:
    facts = document.data.get("facts") if isinstance(document.data, dict) else None
    return facts if isinstance(facts, dict) else {}


def _whole(own: Mapping[str, Json], shipped: Mapping[str, Json]) -> dict[str, Json]:
    without = own.get(WITHOUT)
    gone = without if isinstance(without, list) else ()
    kept = {key: value for key, value in shipped.items() if key not in gone}
    return {**kept, **{key: value for key, value in own.items() if key not in (MARK, WITHOUT)}}


def _no_such_fact(document: Document, name: str, shipped: Mapping[str, Shipped]) -> Problem:
    message = f"There is no shipped fact '{name}' to change."
    hint = did_you_mean(name, shipped) or "Leave 'changes' out and say the whole fact."
    return document.problem(("facts", name), "F320", message, hint, key=True)


def _surplus(
    document: Document, name: str, own: Mapping[str, Json], shipped: Mapping[str, Json]
) -> Iterator[Problem]:
    """What is taken away and not there, and another word than "shipped"."""
    path: JsonPath = ("facts", name)
    if own[MARK] != "shipped":
        message = "Only the shipped fact can be changed."
        yield document.problem((*path, MARK), "F320", message, 'Write "changes": "shipped".')
    without = own.get(WITHOUT, [])
    if not isinstance(without, list):
        yield document.problem((*path, WITHOUT), "F320", "'without' is a list of properties.")
        return
    for number, key in enumerate(without):
        if key not in shipped:
            message = f"The shipped fact has no '{key}'."
            hint = did_you_mean(str(key), shipped)
            yield document.problem((*path, WITHOUT, number), "F320", message, hint)
