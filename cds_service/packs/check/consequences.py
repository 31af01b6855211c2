"""Leaves out what only follows from another problem, so that a person sees what to mend.

A rule file with a comma too many is one mistake. That its rule is then unknown to others, and its
facts unused, is not worth a line.
"""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from cds_service.errors import Problem
from cds_service.packs.source import HOOKS, VALUE_SETS
from cds_service.terminology.vocabulary import LISTS

# What can't be judged when a file of this sort could not be read.
_FOLLOWS: dict[str, frozenset[str]] = {
    "pack": frozenset({
        "C401", "C402", "C406", "C407", "F306", "F307", "F311", "F314", "F318",
        "R204", "R210", "R211", "R212", "T506",
    }),
    "facts": frozenset({"C401", "C403", "F301"}),
    "definitions": frozenset({"C403", "R207", "R208", "R211"}),
    "orders": frozenset({"C408"}),
    "rule": frozenset({"F318", "R206", "R210", "T502", "T503", "T504", "T505"}),
    "service": frozenset({"F319", "T506", "W707"}),
    **{name: frozenset({"V605", "V606"}) for name in LISTS},
    "valueset": frozenset({"F304", "F305", "V001", "V601"}),
}  # fmt: skip
# Only the last word on a pack without errors.
_WHEN_CLEAN = frozenset({"W701", "W702", "W703", "W709", "W711"})


def without_consequences(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems that stand on their own."""
    everything = list(problems)
    unread = {_sort(p.file) for p in everything if _nameless(p)}
    hidden = frozenset().union(*(_FOLLOWS.get(sort, frozenset()) for sort in unread))
    if any(p.severity == "error" for p in everything):
        hidden |= _WHEN_CLEAN
    files = {
        code: {p.file for p in everything if p.code == code} for code in ("P003", "V002", "R217")
    }
    misspelt = [(p.file, p.path) for p in everything if p.code[0] == "S"]
    return (
        p
        for p in everything
        if p.code not in hidden
        and not (p.code == "V001" and p.file in files["P003"])
        and not (p.code[0] == "S" and p.file in files["V002"])
        and not (p.code == "T501" and p.file in files["R217"])
        and not (p.code == "F316" and _below(p, misspelt))
    )


def _below(problem: Problem, places: list[tuple[str, str]]) -> bool:
    """Whether the schema has told of something inside what this is about."""
    return any(file == problem.file and path.startswith(problem.path) for file, path in places)


def _nameless(problem: Problem) -> bool:
    """Whether what stands in the file can't be referred to by its name."""
    whole_file = problem.path == "$" and problem.code == "S103"
    return problem.code[0] == "P" or problem.code in ("R201", "V602") or whole_file


def _sort(file: str) -> str:
    path = PurePosixPath(file)
    if path.name == "units.json":
        return "valueset"
    if path.parent.name == VALUE_SETS:
        return "valueset"
    if path.name.endswith(".service.json"):
        return "service"
    if path.name.endswith(".test.json"):
        return "test"
    in_rules = {*HOOKS, "rules"} & set(path.parts[:-1])
    return "rule" if in_rules else path.stem
