"""`cds rules stats`: what the pack would say over a folder of charts."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from cds_service.cli import context, rules_live
from cds_service.cli.failures import fail, for_people
from cds_service.cli.tables import table

if TYPE_CHECKING:
    from cds_service.population.survey import SurveyPlan

Json = Any
_HEAD = ("rule", "fires", "heads", "per 100", "unknown", "why unknown")
_MOST_SYSTEMS = 15


@click.command()
@click.argument("charts", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--profile", "profiles", multiple=True, help="Instead of those of site.json.")
@click.option("--orders", is_flag=True, help="Also as if every active order were being signed.")
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Open all charts on this day; by default each at its last visit.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--live", is_flag=True, help="What the running service counted; no CHARTS.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@for_people
def stats(
    charts: tuple[Path, ...],
    *,
    profiles: tuple[str, ...],
    orders: bool,
    now: datetime | None,
    jobs: int,
    live: bool,
    style: str,
) -> None:
    """Count what the rules say over CHARTS: files or folders of FHIR R4 Bundles (.json, .json.gz).

    By service and rule: fires, unknown and why, never; how many charts get cards; codes that
    nothing knows. Counts only: nothing of a patient is printed.
    """
    from cds_service.population.survey import chart_files, survey
    from cds_service.population.survey_report import as_json

    if live:
        rules_live.show(style)
        return
    files = chart_files(charts)
    if not files:
        fail("There is no .json or .json.gz file there.")
    plan = survey_plan(profiles, orders, now.replace(tzinfo=UTC) if now else None)
    pack = plan.pack()
    with click.progressbar(
        length=len(files), label="charts", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        total = survey(
            files, plan, jobs, lambda done, of: bar.update(done * len(files) // of - bar.pos)
        )
    if not total.charts:
        fail(f"None of {len(files)} file(s) holds a FHIR Bundle with a Patient.")
    report = as_json(total, pack)
    if style == "json":
        click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n".join(as_text(report)))


def survey_plan(profiles: tuple[str, ...], orders: bool, now: datetime | None) -> "SurveyPlan":
    """The survey of the pack that the environment names."""
    from cds_service.clock import Clock
    from cds_service.population.survey import SurveyPlan

    hooks, site = context.folders()
    return SurveyPlan(hooks, site, profiles, Clock(context.settings().now).now(), now, orders)


def as_text(report: Json) -> Iterator[str]:
    """The report as a person reads it."""
    profile = ", ".join(report["pack"]["profile"]) or "none"
    yield f"{report['charts']} charts, pack {report['pack']['version']}, profile {profile}"
    for reason, files in report["leftOut"].items():
        yield f"{files} file(s) left out: {reason}"
    for service in report["services"]:
        yield ""
        yield from _service(service)
    yield from _counts("Codes that no value set and no dictionary knows", report["unknownCodes"])
    yield from _counts("Resources left out", report["dropped"])


def _service(service: Json) -> Iterator[str]:
    cards, charts = service["withCards"], service["charts"]
    share = 100 * cards / charts
    yield (
        f"{service['service']}: {service['per100']:.1f} cards per 100 encounters; "
        f"{cards} of {charts} charts get cards ({share:.1f}%)"
    )
    spread = ", ".join(f"{n} cards: {count}" for n, count in service["chartsByCards"].items())
    yield f"  {spread}; {_pairs(service['indicators']) or 'no card'}"
    for code, count in service["refused"].items():
        yield f"  refused ({code}): {count}"
    for truth, counts in service["complaint"].items():
        charts, cards = counts["charts"], counts["withCards"]
        yield f"  leg cramps recorded, {truth}: {charts} charts, {cards} with cards"
    if service["rules"]:
        yield from (f"  {line}" for line in table([_HEAD, *map(_row, service["rules"])]))
    if service["neverFire"]:
        yield f"  never fire: {', '.join(service['neverFire'])}"


def _row(rule: Json) -> tuple[str, ...]:
    why = "; ".join(f"{entry['reason']} ({entry['charts']})" for entry in rule["reasons"])
    failed = f"{rule['error']} failed; " if rule["error"] else ""
    shadow = " (shadow)" if rule["status"] == "shadow" else ""
    numbers = (str(rule[key] or "-") for key in ("fires", "heads", "per100", "unknown"))
    return (rule["rule"] + shadow, *numbers, failed + why)


def _counts(title: str, counts: Json) -> Iterator[str]:
    if counts:
        yield ""
        yield f"{title}: {sum(counts.values())}"
        for name, count in list(counts.items())[:_MOST_SYSTEMS]:
            yield f"  {count}  {name}"


def _pairs(counts: Json) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
