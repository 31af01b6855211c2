"""`cds rules diff A B --on CHARTS`: what changes for patients between two packs."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.population.card_changes import CardChange

ALL = click.option(
    "--all",
    "every",
    is_flag=True,
    help="Name every code, name and product of a change, however many.",
)
_SIGNS = {"gains": "+", "loses": "-", "changes": "~"}


@click.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--on",
    "charts",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Requests or Bundles of patients: files or folders; may be repeated.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@ALL
@for_people
def diff(before: str, after: str, charts: Sequence[Path], style: str, every: bool) -> None:
    """What changes from BEFORE to AFTER, rule by rule and, with --on, card by card.

    BEFORE and AFTER: "shipped", "bundled" (without an installed terminology wheel), "current", a
    site's or a pack's folder, or profiles of the shipped pack. Shows card texts of the charts: for
    the screen, not for a log.
    """
    from cds_service.authoring.first_few import SHOWN
    from cds_service.authoring.named_pack import pack_of
    from cds_service.authoring.pack_changes import pack_changes
    from cds_service.clock import Clock
    from cds_service.population.card_changes import card_changes
    from cds_service.population.survey import chart_files

    hooks, site = context.folders()
    old, new = pack_of(before, hooks, site), pack_of(after, hooks, site)
    files = chart_files(charts)
    now = Clock(context.settings().now).now()
    changed_cards: list[CardChange] = []
    with click.progressbar(
        card_changes(old, new, files, now),
        length=len(files),
        label="Charts",
        file=sys.stderr,
        hidden=not files,
    ) as progress:
        for changes in progress:
            changed_cards += changes
    rules = pack_changes(old, new, sys.maxsize if every else SHOWN)
    if style == "json":
        content = {
            "rules": rules,
            "files": len(files),
            "cards": [asdict(change) for change in changed_cards],
        }
        click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(as_text(rules, changed_cards, len(files)))


def as_text(rules: Sequence[str], changed: Sequence[CardChange], files: int) -> str:
    """Rules first, then each chart with its cards."""
    lines = list(rules) or ["The packs are the same."]
    for change in changed:
        where = f"{change.chart} {change.service}"
        lines.append(f"{_SIGNS[change.change]} {where}: [{change.indicator}] {change.summary}")
        lines.append(f"      {', '.join(change.rules)}")
        if change.change == "changes" and change.before.endswith(f"] {change.summary}"):
            lines.append("      the summary is the same, what stands below it is not")
        elif change.before and not change.before.endswith(f"] {change.summary}"):
            lines.append(f"      before: {change.before}")
    if files:
        counts = {name: sum(c.change == name for c in changed) for name in _SIGNS}
        charts = len({change.chart for change in changed})
        lines.append(
            f"{files} file(s): {charts} chart(s) differ; {counts['gains']} card(s) gained, "
            f"{counts['loses']} lost, {counts['changes']} changed"
        )
    return "\n".join(lines)
