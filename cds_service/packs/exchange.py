"""Problems for the programs that show them beside a change: SARIF 2.1.0, GitHub annotations.

SARIF is OASIS's Static Analysis Results Interchange Format; GitHub reads it with an action, other
hosts and editors likewise. Annotations are lines on standard output that GitHub looks for.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cds_service.errors import Problem

Json = Any

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
GUIDE = "docs/administrators-guide.md#messages-of-cds-rules-check"


def sarif(problems: Sequence[Problem], version: str) -> Json:
    """One run of `cds rules check` as a SARIF log."""
    codes = sorted({problem.code for problem in problems})
    driver = {
        "name": "cds rules check",
        "version": version,
        "rules": [{"id": code, "help": {"text": f"{GUIDE}, {code}"}} for code in codes],
    }
    results = [_result(problem, codes.index(problem.code)) for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [run]}


def _result(problem: Problem, index: int) -> Json:
    place = {
        "artifactLocation": {"uri": _uri(problem.file)},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": told(problem)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def github(problem: Problem) -> str:
    """The line by which GitHub shows a problem beside the change."""
    where = {
        "file": problem.file,
        "line": str(problem.line),
        "col": str(problem.column),
        "title": f"{problem.code} {problem.path}",
    }
    properties = ",".join(f"{name}={_property(text)}" for name, text in where.items())
    return f"::{problem.severity} {properties}::{_escaped(told(problem))}"


def told(problem: Problem) -> str:
    """Message and hint, as one text."""
    return f"{problem.message} {problem.hint}".strip()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
