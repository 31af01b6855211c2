"""`cds population`: what the rules would have said over a whole population."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import context
from cds_service.cli.failures import for_people

if TYPE_CHECKING:
    from cds_service.clock import Clock
    from cds_service.population.plan import RunPlan

Json = Any


@click.group()
def population() -> None:
    """Run the rules over a Bulk Data export and read the result."""


@population.command()
@click.argument("source", nargs=-1, required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local")
@click.option(
    "--at",
    type=click.Choice(["encounters", "last"]),
    default="encounters",
    help="Replay every encounter, or open each chart once at its last visit.",
)
@click.option("--no-orders", is_flag=True, help="Leave out the orders signed at encounters.")
@click.option("--profile", "profiles", multiple=True, help="Instead of those of site.json.")
@click.option(
    "--sweep", "sweeps", multiple=True, help="Other thresholds: ferritin.low=30,50,75,100"
)
@click.option(
    "--pack", "packs", multiple=True, help="Another pack to compare with, as for `rules diff`."
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; by default one a core.")
@click.option(
    "--salt-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A secret kept in a file, so that the hashes of two runs can be joined.",
)
@click.option("--again", is_flag=True, help="Replace the run that --out holds.")
@click.option("--keep-sorted", is_flag=True, help="Keep the sorted lines of the source.")
@for_people
def run(
    source: tuple[str, ...],
    *,
    out: Path,
    engine: str,
    jobs: int | None,
    again: bool,
    keep_sorted: bool,
    **asked: Any,
) -> None:
    """Run the rules over SOURCE: FHIR Bulk Data NDJSON or folders of Bundles (gzip too).

    Writes decisions.parquet, summary.json and report.html to --out. A run that was cut short is
    taken up by the same command. Charts stay on this machine; nothing of a patient is printed.
    """
    from cds_service.clock import Clock
    from cds_service.population.run import run as run_population

    clock = Clock(context.settings().now)
    plan = _plan(clock, **asked)
    progress = _Progress(sys.stderr.isatty())
    summary = run_population(
        source,
        out,
        plan,
        engine=engine,
        jobs=jobs or os.cpu_count() or 1,
        again=again,
        keep_spill=keep_sorted,
        now=clock.now(),
        progress=progress,
    )
    progress.end()
    click.echo("\n".join(as_text(summary, out)))


def _plan(
    clock: "Clock",
    *,
    at: str,
    no_orders: bool,
    profiles: tuple[str, ...],
    sweeps: tuple[str, ...],
    packs: tuple[str, ...],
    salt_file: Path | None,
) -> "RunPlan":
    from cds_service.population.plan import RunPlan, sweeps_of

    hooks, site = context.folders()
    return RunPlan(
        hooks=str(hooks.resolve()),
        site=str(site.resolve()) if site else "",
        profiles=profiles,
        at=at,
        orders=not no_orders,
        sweeps=sweeps_of(sweeps),
        packs=packs,
        salt=salt_file.read_text("utf-8").strip() if salt_file else "",
        fallback_now=clock.now().isoformat(),
    )


@population.command()
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
@for_people
def report(out: Path) -> None:
    """Write the report of a finished run once more."""
    from cds_service.population.run import report_again

    report_again(out)
    click.echo(f"{out / 'report.html'} written.")


def as_text(summary: Json, out: Path) -> list[str]:
    """The run in a few lines."""
    lines = [
        f"{summary['charts']:,} charts, {summary['encounters']:,} openings, "
        f"{summary['from']} to {summary['to']}, pack {summary['pack']['version']}, "
        f"profile {', '.join(summary['pack']['profile']) or 'none'}"
    ]
    for service in summary["services"]:
        rate = service["per100"]
        words = (
            f"{rate['value']:.1f} cards per 100 calls ({rate['low']:.1f} to {rate['high']:.1f})"
            if rate
            else "too few cards to be shown"
        )
        lines.append(f"  {service['service']}: {service['calls']:,} calls, {words}")
    for reason, number in summary["leftOut"].items():
        lines.append(f"  {number:,} {reason}")
    return [*lines, f"Read {out / 'report.html'}"]


class _Progress:
    """One line on the terminal: stage, share done, rate, time left. Elsewhere nothing."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._stage, self._began, self._first = "", time.monotonic(), 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if not self._shown or not total:
            return
        if stage != self._stage:
            self._stage, self._began, self._first = stage, time.monotonic(), done
        spent = time.monotonic() - self._began
        rate = (done - self._first) / spent if spent else 0.0
        left = f", {_minutes((total - done) / rate)} left" if rate else ""
        click.echo(f"\r\x1b[K{stage}: {done} of {total} parts{left}", nl=False, err=True)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
