"""`cds feedback`: what clinicians did with the cards."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

import click
import orjson

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.cli.tables import table
from cds_service.store.record import Intervention, RuleFeedback
from cds_service.store.store import Store

COLUMNS = ("rule", "version", "shown", "accepted", "overridden", "reasons")
EXPORTED = tuple(field.name for field in fields(Intervention))
NOT_PROVIDED = "not provided"


@click.group()
def feedback() -> None:
    """Look at what clinicians did with the cards."""


@feedback.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@for_people
def report(style: str) -> None:
    """Cards shown, accepted and overridden, with reasons, for each rule and version."""
    rows = Store(context.settings().database_url).report()
    if style == "json":
        click.echo(as_json(rows), nl=False)
    elif style == "csv":
        click.echo(as_csv(COLUMNS, (_line(row) for row in rows)), nl=False)
    else:
        lines = [[str(cell) for cell in _line(row)] for row in rows]
        click.echo("\n".join(table([list(COLUMNS), *lines])))


@feedback.command()
@click.option(
    "--format", "style", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@for_people
def export(style: str) -> None:
    """Every piece of feedback, with the fields of 45 CFR 170.315(b)(11) (ONC HTI-1).

    What the EHR did not send, or CDS Hooks has no field for, reads "not provided".
    """
    rows = [_provided(row) for row in Store(context.settings().database_url).export()]
    if style == "json":
        click.echo(_dump(rows), nl=False)
    else:
        click.echo(as_csv(EXPORTED, (tuple(row.values()) for row in rows)), nl=False)


def as_json(rows: Sequence[RuleFeedback]) -> str:
    """One array of objects."""
    return _dump([asdict(row) for row in rows])


def as_csv(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A header and one line for each of `lines`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in line] for line in lines)
    return out.getvalue()


def _inert(cell: Any) -> Any:
    """A spreadsheet runs what begins like a formula, and an EHR's text may."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell


def _dump(rows: Any) -> str:
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _line(row: RuleFeedback) -> tuple[Any, ...]:
    """Reasons as "code=count", joined by spaces."""
    reasons = sorted(row.reasons.items(), key=lambda item: (-item[1], item[0]))
    told = " ".join(f"{code or 'none'}={count}" for code, count in reasons)
    return (row.rule, row.version, row.shown, row.accepted, row.overridden, told)


def _provided(row: Intervention) -> dict[str, str]:
    return {name: value or NOT_PROVIDED for name, value in asdict(row).items()}
