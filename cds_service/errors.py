"""Kinds of error by who reads them: an EHR integrator (HTTP, with their statuses), an administrator
or operator (CLI).
"""

from dataclasses import dataclass
from typing import Literal

IssueType = Literal[
    "invalid", "structure", "required", "not-found", "not-supported", "login", "forbidden",
    "too-long", "too-costly", "incomplete", "transient", "throttled", "exception", "business-rule",
]  # fmt: skip


@dataclass
class ServiceError(Exception):
    """An error that a client gets as an OperationOutcome.

    `code` is stable and documented; `message` holds no patient data; `expression` is the place in
    the request ("context.patientId").
    """

    status: int
    code: str
    message: str
    issue: IssueType = "invalid"
    expression: str = ""
    retry_after: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BadRequest(ServiceError):
    """400: the request is malformed."""

    def __init__(self, code: str, message: str, expression: str = "") -> None:
        super().__init__(400, code, message, "invalid", expression)


class PreconditionFailed(ServiceError):
    """412: required prefetch data cannot be had (spec row D16)."""

    def __init__(self, code: str, message: str, expression: str = "") -> None:
        super().__init__(412, code, message, "incomplete", expression)


class ConfigurationError(Exception):
    """The environment or a configuration file is wrong; shown without a traceback.

    `hint` says how to go on.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of `cds rules check`: `file:line:col  $.path  CODE  message  hint`."""

    file: str
    line: int
    column: int
    path: str  # "$.when.all[1].op"
    code: str  # "R014"; see the administrator's guide
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"


class PackError(ConfigurationError):
    """A pack that was refused; `problems` has all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0] if problems else None
        text = (
            f"{first.file}:{first.line}:{first.column} {first.code} {first.message}"
            if first
            else ""
        )
        super().__init__(
            f"The pack has {len(problems)} problem(s). First: {text}", "Run: cds rules check"
        )
        self.problems = problems
