"""`cds feedback report`: what clinicians did with the cards, by rule and version."""

import csv
import io
from dataclasses import asdict
from typing import Any

import click
import orjson

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.store.record import RuleFeedback
from cds_service.store.store import Store

COLUMNS = ("rule", "version", "shown", "accepted", "overridden", "reasons")


@click.group()
def feedback() -> None:
    """Look at what clinicians did with the cards."""


@feedback.command()
@click.option(
    "--format", "style", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@for_people
def report(style: str) -> None:
    """Cards shown, accepted and overridden, with reasons, for each rule and version."""
    rows = Store(context.settings().database_url).report()
    click.echo(as_json(rows) if style == "json" else as_csv(rows), nl=False)


def as_json(rows: list[RuleFeedback]) -> str:
    """One array of objects."""
    return orjson.dumps(
        [asdict(row) for row in rows], option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    ).decode()


def as_csv(rows: list[RuleFeedback]) -> str:
    """One line a rule and version; reasons as "code=count" joined by spaces."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_line(row) for row in rows)
    return out.getvalue()


def _line(row: RuleFeedback) -> tuple[Any, ...]:
    reasons = sorted(row.reasons.items(), key=lambda item: (-item[1], item[0]))
    told = " ".join(f"{code or 'none'}={count}" for code, count in reasons)
    return (row.rule, row.version, row.shown, row.accepted, row.overridden, told)
