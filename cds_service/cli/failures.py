"""Errors for people: one message, one hint, an exit code, never a traceback.

Exit codes: 0 good, 1 refused or failed, 2 wrong use of the command line, 3 warnings only.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import click

from cds_service.errors import ConfigurationError, PackError, ServiceError

OK, FAILED, WRONG_USE, WARNINGS = 0, 1, 2, 3

P = ParamSpec("P")
R = TypeVar("R")


def for_people(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the project's own errors and file errors into a message and exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except PackError as error:
            _print_problems(error)
            fail(error.message, error.hint)
        except ConfigurationError as error:
            fail(error.message, error.hint)
        except ServiceError as error:
            place = f" ({error.expression})" if error.expression else ""
            fail(f"{error.status} {error.code}: {error.message}{place}")
        except BrokenPipeError:
            sys.stderr.close()  # the reader of a pipe has gone; there is nobody to tell
            sys.exit(FAILED)
        except OSError as error:
            fail(f"{error.filename or 'The file'}: {error.strerror or type(error).__name__}.")

    return wrapped


def fail(message: str, hint: str = "") -> NoReturn:
    """Print to stderr and leave with exit code 1."""
    click.echo(message, err=True)
    if hint:
        click.echo(hint, err=True)
    sys.exit(FAILED)


def _print_problems(error: PackError) -> None:
    from cds_service.packs.problem_text import format_problem

    for problem in error.problems:
        click.echo(format_problem(problem), err=True)
