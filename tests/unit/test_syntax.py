"""What is inside a condition, for all that walk conditions as data."""

from typing import Any

import pytest

from cds_service.rules.syntax import inner, parts_of, sort_of

LEAF = {"fact": "lab.ferritin", "op": "present"}
OTHER = {"is": "rls"}


@pytest.mark.parametrize(
    ("condition", "sort", "parts"),
    [
        ({"all": [LEAF, OTHER]}, "all", [(("all", 0), LEAF), (("all", 1), OTHER)]),
        ({"any": [LEAF], "note": "n"}, "any", [(("any", 0), LEAF)]),
        ({"not": LEAF}, "not", [(("not",), LEAF)]),
        ({"certainly": OTHER}, "certainly", [(("certainly",), OTHER)]),
        (LEAF, "fact", []),
        (OTHER, "is", []),
        ({"setting": "demo", "is": True}, "setting", []),
        ({"all": []}, "all", []),
        ({"all": "x"}, "all", []),
        ({"any": {"fact": "x"}}, "any", []),
        ({"note": "n"}, "", []),
        ({}, "", []),
    ],
)
def test_sort_and_parts(condition: Any, sort: str, parts: list[Any]) -> None:
    assert sort_of(condition) == sort
    assert list(inner(condition)) == parts
    assert parts_of(condition) == [part for _, part in parts]
