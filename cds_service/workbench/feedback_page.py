"""Feedback: what clinicians did with the cards, by rule and version, and over time."""

from collections import Counter
from collections.abc import Iterable

from flask import Blueprint, Response

from cds_service.authoring import feedback_export as tables
from cds_service.store.record import Intervention, RuleFeedback
from cds_service.store.store import Store
from cds_service.workbench import bench, views


def add(blueprint: Blueprint) -> None:
    """Add the page and its export."""
    blueprint.add_url_rule("/feedback", "feedback_report", report)
    blueprint.add_url_rule("/feedback/export.csv", "feedback_csv", export)


def report() -> Response:
    """The noisiest rules first, and the days."""
    current = bench.current()
    store = current.runtime().store
    rows = sorted(store.report(), key=_noise, reverse=True) if store else []
    activity = store.activity(current.now().date()) if store else []
    days = _days(store.export()) if store else []
    return views.page(
        "feedback.html", "feedback", rows=rows, days=days, activity=activity, share=_share
    )


def export() -> Response:
    """Every piece of feedback, as `cds feedback export` writes it."""
    store: Store | None = bench.current().runtime().store
    rows = [tables.provided(row) for row in store.export()] if store else []
    text = tables.as_csv(tables.EXPORTED, (tuple(row.values()) for row in rows))
    return views.download(text, "feedback.csv", "text/csv")


def _noise(row: RuleFeedback) -> tuple[float, int]:
    return _share(row), row.shown


def _share(row: RuleFeedback) -> float:
    """Of the cards shown, the share that was overridden."""
    return row.overridden / row.shown if row.shown else 0.0


def _days(interventions: Iterable[Intervention]) -> list[tuple[str, int, int]]:
    """For each day how many cards were accepted and overridden."""
    counts = Counter(
        (intervention.date[:10], intervention.action) for intervention in interventions
    )
    days = sorted({day for day, _ in counts if day})
    return [(day, counts[day, "accepted"], counts[day, "overridden"]) for day in days]
