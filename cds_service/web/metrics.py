"""Counters of the web layer. Labels come from the pack and our code, never from a request."""

import os
from collections.abc import Iterable

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service import clock
from cds_service.facts.chart import Chart
from cds_service.protocol.model import Card, FeedbackEntry

CONTENT_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_answers = Counter("cds_answers", "Answers", ["route", "status", "code"])
_seconds = Histogram("cds_answer_seconds", "Time to answer", ["route"], buckets=_BUCKETS)
_cards = Counter("cds_cards", "Cards sent", ["service", "indicator"])
_prefetch = Counter("cds_prefetch", "State of prefetch keys", ["service", "key", "supply"])
_dropped = Counter("cds_resources_dropped", "Resources left out", ["service", "reason"])
_feedback = Counter("cds_feedback", "Feedback stored", ["service", "outcome"])


def install(app: Flask) -> None:
    """Count and time every answer by its route, not by its address."""

    @app.before_request
    def _start() -> None:
        g.started = clock.monotonic()

    @app.after_request
    def _count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        _answers.labels(route, response.status_code, g.get("error_code", "")).inc()
        _seconds.labels(route).observe(clock.monotonic() - g.started)
        return response


def count_chart(service: str, chart: Chart) -> None:
    """Which prefetch keys came, and what was left out."""
    for key, slot in chart.slots.items():
        _prefetch.labels(service, key, slot.supply.value).inc()
    for reason, count in chart.dropped.items():
        _dropped.labels(service, reason).inc(count)


def count_cards(service: str, cards: Iterable[Card]) -> None:
    """Cards by indicator."""
    for card in cards:
        _cards.labels(service, card.indicator).inc()


def count_feedback(service: str, entries: Iterable[FeedbackEntry]) -> None:
    """Feedback by outcome."""
    for entry in entries:
        _feedback.labels(service, entry.outcome).inc()


def exposition() -> bytes:
    """All metrics of the process, or of all workers where PROMETHEUS_MULTIPROC_DIR is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
