"""What a pack would say over many charts: how often each rule fires, is unknown, never speaks.

Counts only. Nothing of a patient is in the result: reasons lose their values, codes their text.
"""

import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

from cds_service.errors import BadRequest
from cds_service.packs.load import load_pack
from cds_service.population.judge import Answer, Judge, Shared
from cds_service.population.patient_chart import PatientChart, charts_of
from cds_service.population.pool import do_all
from cds_service.population.replay import Moment
from cds_service.protocol.body import checked
from cds_service.rules.model import Pack

_PORTION = 16  # files of a task
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
    """Counts the answers of one pack. `now` is for all charts; None opens each at its last visit.

    `orders`: also the order services, as if every active order of a chart were being signed.
    """

    def __init__(
        self, pack: Pack, fallback_now: datetime, now: datetime | None = None, orders: bool = False
    ) -> None:
        self._judge = Judge(pack, orders=orders)
        self._now, self._fallback_now = now, fallback_now

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
        opened = Moment(self._now or chart.opened_at() or self._fallback_now, chart)
        shared: Shared = {}
        for number, service in enumerate(self._judge.asked):
            counts = tally.services.setdefault(service.id, ServiceTally())
            answer = self._judge.ask(service, opened, shared)
            self._count(answer, counts)
            if answer.facts is not None and number == 0:
                tally.unknown_codes.update(answer.facts.unknown_codes)
                tally.dropped.update(answer.facts.dropped)

    def _count(self, answer: Answer, counts: ServiceTally) -> None:
        counts.charts += 1
        if answer.facts is None:
            counts.refused[answer.refused] += 1
            return
        counts.outcomes.update(answer.outcomes.items())
        counts.reasons.update((rule, why) for rule, all_ in answer.reasons.items() for why in all_)
        counts.cards[len(answer.cards)] += 1
        counts.indicators.update(answer.indicators)
        counts.headed.update({rule: len(cards) for rule, cards in answer.heads.items()})
        truth = self._judge.complaint(answer.facts)
        if truth:
            counts.complaint[truth, bool(answer.cards)] += 1


@dataclass(frozen=True)
class SurveyPlan:
    """A survey as plain data, so that any process can make the same surveyor of it."""

    hooks: Path
    site: Path | None
    profiles: tuple[str, ...]
    fallback_now: datetime
    now: datetime | None = None
    orders: bool = False

    def pack(self) -> Pack:
        """The pack that is asked. Raises ConfigurationError."""
        return _pack(self.hooks, self.site, self.profiles)

    def surveyor(self) -> Surveyor:
        """What counts. Raises ConfigurationError."""
        return Surveyor(self.pack(), self.fallback_now, self.now, self.orders)


def chart_files(places: Iterable[Path]) -> list[Path]:
    """The JSON files named, and those in the folders named."""
    paths: dict[Path, None] = {}
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        paths |= dict.fromkeys(
            path for path in inside if path == place or path.name.endswith(_SUFFIXES)
        )
    return [path for path in paths if path.is_file()]


def read_charts(path: Path) -> list[PatientChart] | str:
    """The charts of a file, or why it has none. Raises OSError where it cannot be opened."""
    raw = path.read_bytes()
    try:
        content = checked(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (BadRequest, gzip.BadGzipFile, EOFError):
        return "not JSON"
    return charts_of(content) or "no Bundle with a Patient"


def survey(
    files: Sequence[Path], plan: SurveyPlan, jobs: int, progress: Callable[[int, int], None]
) -> Tally:
    """The counts of all files. `progress` is told how many parts of them are done, and of how
    many."""
    size = max(1, min(_PORTION, len(files) // jobs))
    parts = [tuple(files[at : at + size]) for at in range(0, len(files), size)]
    total = Tally()
    for part in do_all([partial(_portion, plan, part) for part in parts], jobs, progress):
        total.add(part)
    return total


def _portion(plan: SurveyPlan, files: Sequence[Path]) -> Tally:
    total = Tally()
    surveyor = _surveyor(plan)
    for file in files:
        total.add(surveyor.file(file))
    return total


@lru_cache(maxsize=1)
def _pack(hooks: Path, site: Path | None, profiles: tuple[str, ...]) -> Pack:
    return load_pack(hooks, site, profiles or None, thorough=False)


@lru_cache(maxsize=1)
def _surveyor(plan: SurveyPlan) -> Surveyor:
    """One for each process: packs load once."""
    return plan.surveyor()
