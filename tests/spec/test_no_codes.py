"""The program knows no code (decision 0001): codes stand in the pack.

LOINC and SNOMED CT codes carry a check digit, ATC and ICD-10-CM have a form of their own, so that
a code among the program's strings is found without a list of codes.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import cds_service
from cds_service.terminology.codings import bare_system

PACKAGE = Path(cds_service.__file__).parent
# What answers a call, or is written for an engine that does. Tools give examples, and the notation
# of rule tests writes charts.
ROOMS = (
    "callers", "cards", "facts", "gather", "portable", "protocol", "rules", "service",
    "terminology", "units",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9.-]{3,}")


def strings(file: Path) -> Iterator[str]:
    """The program's strings, docstrings left out."""
    tree = ast.parse(file.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        told = isinstance(node, ast.Constant) and id(node) not in docstrings
        if told and isinstance(node.value, str):
            yield node.value


def test_no_string_of_the_program_is_a_code() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}: {word}"
        for room in ROOMS
        for file in sorted((PACKAGE / room).rglob("*.py"))
        for text in strings(file)
        for word in _WORD.findall(text)
        if bare_system(word)
    ]
    assert found == []


def test_a_code_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text('"""For example 2276-4."""\nSIDES = {"7771000": "left"}\n')
    words = [word for text in strings(tmp_path / "old.py") for word in _WORD.findall(text)]
    assert [word for word in words if bare_system(word)] == ["7771000"]
