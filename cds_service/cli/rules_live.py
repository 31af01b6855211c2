"""`cds rules stats --live`: what the running service's counters say of each rule."""

from dataclasses import asdict
from typing import Any

import click
import orjson

from cds_service.cli import context
from cds_service.cli.tables import table
from cds_service.store.activity import BASELINE_DAYS, EXPECTED, RECENT_DAYS, Activity

_HEAD = ("rule", "status", f"fired in {BASELINE_DAYS} d", f"in last {RECENT_DAYS} d")
_MORE = ("expected", "unknown", "error", "last fired", "")
_IN_USE = ("active", "shadow")


def show(style: str) -> None:
    """Print counts of the last days, and which rules have gone silent."""
    from cds_service.clock import Clock
    from cds_service.packs.load import load_pack
    from cds_service.store.store import Store

    settings = context.settings()
    store = Store(settings.database_url)
    try:
        activities = store.activity(Clock(settings.now).now().date())
    finally:
        store.close()
    pack = load_pack(*context.folders(), thorough=False)
    statuses: dict[str, str] = {rule.id: rule.status for rule in pack.rules}
    if style == "json":
        rows = [
            {**asdict(activity), "silent": _silent(activity, statuses)} for activity in activities
        ]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(
        "\n".join(table([(*_HEAD, *_MORE), *(_row(activity, statuses) for activity in activities)]))
    )
    silent = [activity.rule for activity in activities if _silent(activity, statuses)]
    never = sorted(
        rule
        for rule, status in statuses.items()
        if status in _IN_USE and rule not in _rules(activities)
    )
    click.echo(f"\nSilent (at least {EXPECTED:.0f} expected, none came): {_listed(silent)}")
    click.echo(
        f"Never fired, unknown or failed in {BASELINE_DAYS + RECENT_DAYS} days: {_listed(never)}"
    )


def _silent(activity: Activity, statuses: dict[str, str]) -> bool:
    return activity.silent and statuses.get(activity.rule) in _IN_USE


def _rules(activities: list[Activity]) -> set[str]:
    return {activity.rule for activity in activities}


def _row(activity: Activity, statuses: dict[str, str]) -> tuple[Any, ...]:
    mark = "SILENT" if _silent(activity, statuses) else ""
    numbers = (
        activity.baseline,
        activity.recent,
        f"{activity.expected:.1f}",
        activity.unknown,
        activity.errors,
    )
    status = statuses.get(activity.rule, "gone")
    return (activity.rule, status, *map(str, numbers), activity.last_fired, mark)


def _listed(rules: list[str]) -> str:
    return ", ".join(rules) or "none"
