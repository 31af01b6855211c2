"""`cds feedback`: what clinicians did with the cards."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
import orjson

from cds_service.authoring.feedback_export import EXPORTED, as_csv, provided
from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.cli.tables import table
from cds_service.store.record import RuleFeedback
from cds_service.store.store import Store

COLUMNS = ("rule", "version", "shown", "accepted", "overridden", "reasons")


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
    rows = [provided(row) for row in Store(context.settings().database_url).export()]
    if style == "json":
        click.echo(_dump(rows), nl=False)
    else:
        click.echo(as_csv(EXPORTED, (tuple(row.values()) for row in rows)), nl=False)


def as_json(rows: Sequence[RuleFeedback]) -> str:
    """One array of objects."""
    return _dump([asdict(row) for row in rows])


def _dump(rows: Any) -> str:
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _line(row: RuleFeedback) -> tuple[Any, ...]:
    """Reasons as "code=count", joined by spaces."""
    reasons = sorted(row.reasons.items(), key=lambda item: (-item[1], item[0]))
    told = " ".join(f"{code or 'none'}={count}" for code, count in reasons)
    return (row.rule, row.version, row.shown, row.accepted, row.overridden, told)
