"""Counters of the web layer. Labels come from the pack and our code, never from a request."""

import os
import platform
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service import clock, version
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.gather import meter as gather_meter
from cds_service.protocol.codes import CODES
from cds_service.protocol.model import Card, FeedbackEntry
from cds_service.web import runtime
from cds_service.web.process_usage import Processes

CONTENT_TYPE = CONTENT_TYPE_LATEST

_CALLS = ("/cds-services/<service_id>", "/cds-services/<service_id>/feedback")
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_answers = Counter("cds_answers", "Answers", ["route", "service", "status", "code"])
_seconds = Histogram("cds_answer_seconds", "Time to answer", ["route"], buckets=_BUCKETS)
_in_flight = Gauge(
    "cds_requests_in_flight",
    "Requests being answered or waiting for a thread",
    multiprocess_mode="livesum",
)
_unreadable = Counter("cds_unreadable_requests", "Connections that sent something else than HTTP")
_cards = Counter("cds_cards", "Cards sent", ["service", "indicator"])
_prefetch = Counter("cds_prefetch", "State of prefetch keys", ["service", "key", "supply"])
_dropped = Counter("cds_resources_dropped", "Resources left out", ["service", "reason"])
_refused_tokens = Counter("cds_tokens_refused", "Calls refused with 401", ["reason"])
_build = Gauge(
    "cds_build_info", "The program; always 1", ["version", "python"], multiprocess_mode="livemax"
)
_hanging = Gauge(
    "cds_looks_hanging",
    "Folders that cannot be read any more: no change of them is seen",
    multiprocess_mode="livemax",
)
_feedback = Counter("cds_feedback", "Feedback stored", ["service", "outcome"])


def install(app: Flask) -> None:
    """Count and time every answer by its route, not by its address."""

    @app.before_request
    def _start() -> None:
        g.started = clock.monotonic()

    @app.after_request
    def _count(response: Response) -> Response:
        rule = request.url_rule
        route = rule.rule if rule else "none"
        code = g.get("error_code", "")
        _answer(route, named_service(), response.status_code, code).inc()
        _time(route).observe(clock.monotonic() - g.started)
        return response


def begin(services: Iterable[str], client_reasons: Iterable[str], not_asked: Iterable[str]) -> None:
    """Counters that begin at 0: an alarm on an increase would not see a first event otherwise."""
    for route, service in product(_CALLS, services):
        _answer(route, service, 200, "")
        for code, (status, _) in CODES.items():
            _answer(route, service, status, code)
    for reason in client_reasons:
        _refused_tokens.labels(reason)
    for reason in not_asked:
        gather_meter.begin(reason)


def begin_process() -> None:
    """Gauges of this process, which a fork forgets."""
    _build.labels(version(), platform.python_version()).set(1)


def set_hanging(count: int) -> None:
    """How many looks at clients and site hang in this worker."""
    _hanging.set(count)


# Looking up a labelled child takes longer than counting with it.


@lru_cache(maxsize=1024)
def _answer(route: str, service: str, status: int, code: str) -> Counter:
    return _answers.labels(route, service, status, code)


@lru_cache(maxsize=256)
def _time(route: str) -> Histogram:
    return _seconds.labels(route)


@lru_cache(maxsize=1024)
def _keys(service: str, supplies: Sequence[Supply]) -> Sequence[Counter]:
    """Those of all prefetch keys, in their order."""
    pairs = zip(PREFETCH_KEYS, supplies, strict=True)
    return [_prefetch.labels(service, key, supply.value) for key, supply in pairs]


@lru_cache(maxsize=256)
def _card(service: str, indicator: str) -> Counter:
    return _cards.labels(service, indicator)


def named_service() -> str:
    """The id in the address if it is one of ours: anybody can write anything there."""
    wanted = (request.view_args or {}).get("service_id")
    service = runtime.current().service(wanted) if wanted else None
    return service.id if service else ""


def set_in_flight(count: int) -> None:
    """How many requests this worker has under way."""
    _in_flight.set(count)


def count_unreadable() -> None:
    """A connection that sent something else than HTTP."""
    _unreadable.inc()


def count_chart(service: str, chart: Chart) -> None:
    """Which prefetch keys came, and what was left out."""
    for counter in _keys(service, tuple([slot.supply for slot in chart.slots.values()])):
        counter.inc()
    for reason, count in chart.dropped.items():
        _dropped.labels(service, reason).inc(count)


def count_cards(service: str, cards: Iterable[Card]) -> None:
    """Cards by indicator."""
    for card in cards:
        _card(service, card.indicator).inc()


def count_refused_token(reason: str) -> None:
    """Why a call got a 401; a key of `callers.reasons`."""
    _refused_tokens.labels(reason).inc()


def count_feedback(service: str, entries: Iterable[FeedbackEntry]) -> None:
    """Feedback by outcome."""
    for entry in entries:
        _feedback.labels(service, entry.outcome).inc()


def exposition() -> bytes:
    """All metrics of the process, or of all workers where PROMETHEUS_MULTIPROC_DIR is set."""
    if not os.path.isdir(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")):  # or somebody removed it
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(Processes())
    return generate_latest(registry)
