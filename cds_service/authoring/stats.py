"""What a pack would say over many charts: how often each rule fires, is unknown, never speaks.

Counts only. Nothing of a patient is in the result: reasons lose their values, codes their text.
"""

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import orjson

from cds_service.authoring.chart_calls import PatientChart, charts_of, request_for
from cds_service.cards.compose import compose_cards
from cds_service.errors import ServiceError
from cds_service.facts.base import FactBase
from cds_service.gather.chart import gather
from cds_service.live.active import activate
from cds_service.rules.context import Context
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Pack, ServiceDefinition

_QUOTED = re.compile(r"'[^']*'")
_NUMBER = re.compile(r"\b\d[\d.,:/-]*")
_SUFFIXES = (".json", ".json.gz")


@dataclass
class ServiceTally:
    """One service over all charts. Counters are by rule id unless they say otherwise."""

    charts: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by error code
    cards: Counter[int] = field(default_factory=Counter)  # charts by their number of cards
    indicators: Counter[str] = field(default_factory=Counter)  # cards by indicator
    headed: Counter[str] = field(default_factory=Counter)  # cards that the rule heads
    complaint: Counter[tuple[str, bool]] = field(default_factory=Counter)  # truth, any card
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # rule, outcome
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # rule, why unknown

    def add(self, other: "ServiceTally") -> None:
        """Take in the counts of another part of the run."""
        self.charts += other.charts
        for name in (
            "refused",
            "cards",
            "indicators",
            "headed",
            "complaint",
            "outcomes",
            "reasons",
        ):
            getattr(self, name).update(getattr(other, name))


@dataclass
class Tally:
    """A run over charts, or a part of one."""

    charts: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # files, by reason
    unknown_codes: Counter[str] = field(default_factory=Counter)  # codings, by system
    dropped: Counter[str] = field(default_factory=Counter)  # resources, by reason
    services: dict[str, ServiceTally] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Take in the counts of another part of the run."""
        self.charts += other.charts
        for name in ("left_out", "unknown_codes", "dropped"):
            getattr(self, name).update(getattr(other, name))
        for service, tally in other.services.items():
            self.services.setdefault(service, ServiceTally()).add(tally)


class Surveyor:
    """Answers charts with one pack. `now` is for all charts; None opens each at its last visit.

    `orders`: also the order services, as if every active order of a chart were being signed.
    """

    def __init__(
        self, pack: Pack, fallback_now: datetime, now: datetime | None = None, orders: bool = False
    ) -> None:
        self._active = activate(pack)
        self._services = services_asked(pack, orders)
        self._now, self._fallback_now = now, fallback_now

    @property
    def pack(self) -> Pack:
        """The pack that answers."""
        return self._active.pack

    def file(self, path: Path) -> Tally:
        """The counts of one file."""
        tally = Tally()
        charts = read_charts(path)
        if isinstance(charts, str):
            tally.left_out[charts] += 1
            return tally
        for chart in charts:
            tally.charts += 1
            self._chart(chart, tally)
        return tally

    def _chart(self, chart: PatientChart, tally: Tally) -> None:
        now = self._now or chart.opened_at() or self._fallback_now
        for number, service in enumerate(self._services):
            counts = tally.services.setdefault(service.id, ServiceTally())
            counts.charts += 1
            facts = self._answer(service, chart, now, counts)
            if facts is not None and number == 0:
                tally.unknown_codes.update(facts.unknown_codes)
                tally.dropped.update(facts.dropped)

    def _answer(
        self, service: ServiceDefinition, chart: PatientChart, now: datetime, counts: ServiceTally
    ) -> FactBase | None:
        request = request_for(service, chart)
        try:
            gathered = gather(request, service)
        except ServiceError as error:
            counts.refused[error.code] += 1
            return None
        facts = self._active.facts(gathered, now)
        evaluation = evaluate(self._active.ruleset, service, facts)
        composed = compose_cards(self.pack, service, evaluation, facts, request)
        outcomes = {**evaluation.outcomes, **dict.fromkeys(composed.errors, "error")}
        counts.outcomes.update(outcomes.items())
        for rule, why in evaluation.unknown_because.items():
            counts.reasons.update({(rule, impersonal(reason)) for reason in why})
        counts.cards[len(composed.cards)] += 1
        counts.indicators.update(card.indicator for card in composed.cards)
        counts.headed.update(card.rules[0][0] for card in composed.cards)
        conditional = self._active.ruleset.conditional
        if conditional is not None:
            truth = conditional.truth(Context(facts)).name.lower()
            counts.complaint[truth, bool(composed.cards)] += 1
        return facts


def services_asked(pack: Pack, orders: bool) -> list[ServiceDefinition]:
    """The services that a survey asks. order-select would say what order-sign says."""
    hooks = ("patient-view", "order-sign") if orders else ("patient-view",)
    return [service for service in pack.services if service.enabled and service.hook in hooks]


def chart_files(places: Iterable[Path]) -> list[Path]:
    """The JSON files named, and those in the folders named."""
    found: dict[Path, None] = {}
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        found |= dict.fromkeys(
            path for path in inside if path == place or path.name.endswith(_SUFFIXES)
        )
    return [path for path in found if path.is_file()]


def read_charts(path: Path) -> list[PatientChart] | str:
    """The charts of a file, or why it has none. Raises OSError where it cannot be opened."""
    raw = path.read_bytes()
    try:
        content = orjson.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (orjson.JSONDecodeError, gzip.BadGzipFile, EOFError):
        return "not JSON"
    return charts_of(content) or "no Bundle with a Patient"


def impersonal(reason: str) -> str:
    """A reason without the values that it may quote."""
    return _NUMBER.sub("#", _QUOTED.sub("'...'", reason))


def survey(files: Sequence[Path], make: Callable[[], Surveyor], jobs: int = 1) -> Iterator[Tally]:
    """The counts of each file as they come. `make` is called in every process: picklable."""
    if jobs <= 1 or len(files) < 2:
        surveyor = make()
        yield from map(surveyor.file, files)
        return
    spawn = get_context("spawn")  # a fork would copy the locks of other threads
    with ProcessPoolExecutor(jobs, spawn, initializer=_start, initargs=(make,)) as pool:
        yield from pool.map(_file, files, chunksize=max(1, min(16, len(files) // jobs)))


def _start(make: Callable[[], Surveyor]) -> None:
    global _surveyor  # noqa: PLW0603  one for each process of a pool
    _surveyor = make()


def _file(path: Path) -> Tally:
    assert _surveyor is not None
    return _surveyor.file(path)


_surveyor: Surveyor | None = None
