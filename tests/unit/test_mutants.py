"""The changes of `make mutants-py`: Python, in one place, and of nothing that is not run."""

import ast

from tests.mutants.changes import count, mutant

SOURCE = '''
"""A module."""
from typing import Protocol

class Facts(Protocol):
    def get(self) -> int | None: ...

def first(items: list[int] | None, least: int = 2) -> int | None:
    """The first that is large."""
    for item in items or []:
        if item < least and item != 7:
            continue
        return item
    return None
'''


def changes() -> list[str]:
    return [mutant(SOURCE, number).change for number in range(count(SOURCE))]


def test_what_is_changed() -> None:
    assert sorted(changes()) == [
        "2  ->  3",
        "7  ->  8",
        "continue  ->  break",
        "item != 7  ->  item == 7",
        "item < least  ->  item <= least",
        "item < least and item != 7  ->  item < least or item != 7",
        "item < least and item != 7  ->  not (item < least and item != 7)",
        "items or []  ->  items and []",
        "return item  ->  return None",
    ]


def test_each_mutant_is_another_module() -> None:
    sources = {mutant(SOURCE, number).source for number in range(count(SOURCE))}
    assert len(sources) == count(SOURCE)
    assert ast.unparse(ast.parse(SOURCE)) not in sources


def test_the_line_is_where_the_change_is() -> None:
    lines = SOURCE.splitlines()
    [comparison] = [
        found
        for number in range(count(SOURCE))
        if (found := mutant(SOURCE, number)).change.startswith("item != 7")
    ]
    assert "item != 7" in lines[comparison.line - 1]
