"""Problems as people and programs read them."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cds_service.errors import Problem

_WIDEST = 160


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by place, each once."""
    return sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.code, p.message))


def format_problem(problem: Problem, *, with_source: bool = True) -> str:
    """`file:line:col  $.path  CODE  message  hint`, then the source line with a mark under it."""
    where = f"{problem.file}:{problem.line}:{problem.column}"
    kind = "warning: " if problem.severity == "warning" else ""
    parts = [where, problem.path, problem.code, f"{kind}{problem.message}", problem.hint]
    head = "  ".join(part for part in parts if part)
    line = _source_line(problem) if with_source else ""
    if not line:
        return head
    mark = " " * (problem.column - 1) + "^"
    return f"{head}\n    {line}\n    {mark}"


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem for `--format json`."""
    return {key: value for key, value in asdict(problem).items() if value != ""}


def _source_line(problem: Problem) -> str:
    """The line in question; "" where it can't be shown in one piece."""
    try:
        lines = Path(problem.file).read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        return ""
    line = lines[problem.line - 1].rstrip("\r") if problem.line <= len(lines) else ""
    printable = "".join(c if c.isprintable() else " " for c in line)
    return printable if printable.strip() and problem.column <= _WIDEST else ""
