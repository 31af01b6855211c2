"""`cds audit`: who put which pack in force, when, from where, and what it changed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click
import orjson

from cds_service.authoring.feedback_export import as_csv
from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.store.in_force import InForce
from cds_service.store.store import Store

Json = Any
_SHORT = 12  # characters of a revision
_HOW = {"start": "at a start", "live": "while running"}


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
)
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@for_people
def audit(style: str, last: int) -> None:
    """Who put which pack in force, when, from where, and what it changed; the newest last.

    A person is known by the account that wrote the newest file of the site's folder.
    """
    entries = Store(context.settings().database_url).history()
    rows = list(_told(entries))[-last:]
    if style == "json":
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    elif style == "csv":
        lines = [[*row.values()][:-1] + ["; ".join(row["changes"])] for row in rows]
        names = [*rows[0]] if rows else [*InForce.__dataclass_fields__]
        click.echo(as_csv(names, lines), nl=False)
    else:
        texts = ("\n".join(_text(row)) for row in rows)
        click.echo("\n\n".join(texts) or "No pack was put in force with this database yet.")


def _told(entries: Sequence[InForce]) -> Iterator[dict[str, Json]]:
    """The entries with `backTo`: since when the same pack was in force before, "" for a new one."""
    known: dict[tuple[str, str], str] = {}
    for entry in entries:
        place = (entry.server, entry.revision)
        row = asdict(entry)
        changes = list(row.pop("changes"))
        yield {**row, "backTo": known.get(place, ""), "changes": changes}
        known[place] = entry.since


def _text(row: dict[str, Json]) -> Iterator[str]:
    yield f"{row['since']}  revision {row['revision'][:_SHORT]}, {_HOW.get(row['how'], row['how'])}"
    yield f"  from {row['server']}, by {row['who']}"
    profile = f", profile {row['profile']}" if row["profile"] else ""
    yield f"  pack {row['version']}, program {row['program']}{profile}"
    if row["backTo"]:
        yield f"  back to what was in force since {row['backTo']}"
    if row["changes"] and row["compared"] == "shipped":
        yield "  against the shipped pack:"
    yield from (f"  - {change}" for change in row["changes"])
