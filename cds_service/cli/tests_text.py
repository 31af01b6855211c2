"""The results of rule tests, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from cds_service.ruletests.runner import FileResult, Report

Json = Any


def as_text(report: Report) -> str:
    """What failed, with the trace that shows why, and the counts."""
    lines = [line for file in report.files for line in _file(file)]
    if not report.cases:
        lines.append("No cases were run: that shows nothing.")
    warnings = sum(len(file.warnings) for file in report.files)
    lines.append(
        f"{report.cases} cases in {len(report.files)} files: {report.failures} failed, "
        f"{warnings} warning(s)"
    )
    return "\n".join(lines)


def as_json(report: Report) -> Json:
    """All files and cases."""
    return {
        "passed": report.passed,
        "cases": report.cases,
        "failures": report.failures,
        "files": [
            {
                "file": str(file.path),
                "problems": list(file.problems),
                "warnings": list(file.warnings),
                "cases": [
                    {"name": case.name, "passed": case.passed, "problems": list(case.problems)}
                    for case in file.cases
                ],
            }
            for file in report.files
        ],
    }


def _file(file: FileResult) -> Iterator[str]:
    for problem in file.problems:
        yield f"FAILED  {file.path}: {problem}"
    for warning in file.warnings:
        yield f"warning {file.path}: {warning}"
    for case in file.cases:
        if case.passed:
            continue
        yield f"FAILED  {file.path}: {case.name}"
        yield from (f"        {problem}" for problem in case.problems)
        yield from (f"        {line}" for line in case.trace.splitlines())
