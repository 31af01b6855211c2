"""The link between conformance tests and rows.csv."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


def row(*ids: str) -> pytest.MarkDecorator:
    """Marks a test as the test of these rows of tests/conformance/rows.csv."""
    return pytest.mark.row(*ids)


def rows_in_source() -> set[str]:
    """Row ids of every `@row(...)` in the test sources, also of tests that a run leaves out."""
    return {
        row_id
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for row_id in _ids(node)
    }


def _ids(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "row":
            yield from (arg.value for arg in decorator.args if isinstance(arg, ast.Constant))
