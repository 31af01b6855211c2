"""What the readers of facts work with: one question, the indexed chart, and today's date."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any, Generic, TypeVar

from msgspec import Struct

from cds_service.facts import availability, dates, naming
from cds_service.facts.chart import Chart, Entry, Resource
from cds_service.facts.chart_index import ChartIndex
from cds_service.facts.definitions import FactDefinition
from cds_service.facts.fhir import string
from cds_service.facts.hits import Hit
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.unread import Unread
from cds_service.terminology.index import Terminology
from cds_service.terminology.statuses import Statuses
from cds_service.values import value

# A set has a resource of these once. One Condition may be the reason for several things.
_FILED_ONCE = frozenset({"conditions", "findings", "observations", "procedures"})

_NAME = "name"
MOST_REMEMBERED = 5_000  # of what `Query.of_words` found; some 5 MB, if somebody tries
_LONGEST_REMEMBERED = 600  # bytes

_Found = TypeVar("_Found")

Settings = Mapping[str, Decimal | bool | str]
Asked_co = TypeVar("Asked_co", bound=FactDefinition, covariant=True)


@value
class Patient:
    """One call's chart, indexed, at one point in time. `today` is the UTC day of `now`."""

    chart: Chart
    index: ChartIndex
    terminology: Terminology
    settings: Settings
    now: datetime
    today: date
    coverage: Mapping[str, frozenset[str]] = field(default_factory=dict)  # systems by problem
    unread: Sequence[Unread] = ()  # Conditions that some problem's sets could not recognise
    lacking: frozenset[str] = frozenset()  # prefetch keys whose slots have gaps

    @property
    def statuses(self) -> Statuses:
        """The words in force that stand for a status."""
        return self.terminology.vocabulary.statuses

    def days(self, setting: str) -> int | None:
        """A setting in whole days; None where no setting is named."""
        return int(self.settings[setting]) if setting else None


class Query(Struct, Generic[Asked_co]):
    """A fact as it is asked for. `days` is the look-back in force, None for no limit.

    `include_undated`: whether an entry without a date counts where a look-back applies.
    """

    definition: Asked_co
    patient: Patient
    days: int | None
    include_undated: bool
    exclude_undated: bool = False
    draft: int | None = None
    ask: "Callable[[str], Query[Any]] | None" = None  # only a computed fact asks for others

    def other(self, name: str) -> "Query[Any]":
        """The question for another fact, one that this fact is computed from."""
        if self.ask is None:
            raise TypeError(f"{self.definition.name} is not computed from other facts")
        return self.ask(name)

    def gaps(self) -> tuple[str, ...]:
        """Why entries may be missing from the chart; empty where the slots are complete."""
        if self.patient.lacking.isdisjoint(self.definition.slots):
            return ()
        return availability.gaps(self.patient.chart, self.definition.slots)

    def hits(self, domain: str) -> Iterable[Hit]:
        """The chart's hits in one domain, each resource (or component) once."""
        domain_hits = self.patient.index.domain(domain)
        filed = [hits for set_id in self.definition.value_sets if (hits := domain_hits.get(set_id))]
        if len(filed) <= 1 and domain in _FILED_ONCE:
            return filed[0] if filed else ()
        return once(chain.from_iterable(filed))

    def name_of(self, hit: Hit) -> str:
        """What an entry is called (`facts.naming`)."""
        return self.of_words(hit, _NAME, self._find_name)

    def of_words(self, hit: Hit, what: str, find: Callable[[Hit], _Found]) -> _Found:
        """What `find` makes of an entry's code and words, and of nothing else of the entry. The
        same few hundred come in every call, to the letter: remembered for the life of the pack.
        """
        if hit.given is not None or not isinstance(hit.entry, Entry):
            return find(hit)
        written = bytes(hit.entry.head.code)
        if len(written) > _LONGEST_REMEMBERED:
            return find(hit)
        memory = self.patient.index.memory
        key = (what, self.definition.name, written, hit.set_id, hit.system, hit.code)
        known: _Found | None = memory.get(key)
        if known is None:
            if len(memory) >= MOST_REMEMBERED:
                memory.clear()
            known = memory[key] = find(hit)
        return known

    def _find_name(self, hit: Hit) -> str:
        terminology = self.patient.terminology
        key = (hit.set_id, hit.system, hit.code)
        return naming.best(
            terminology.display(*key),
            hit.concept,
            lambda: terminology.displays_in(hit.concept, hit.system, hit.code),
            exact=terminology.lists(*key),
            title=self.definition.title,
        )

    def dated(self, when: dates.When | None, days: int | None) -> bool | None:
        """Whether an entry's date counts; None where it has none that tells."""
        if when is not None and not dates.is_future(when.day, self.patient.today):
            return dates.inside(when.day, self.patient.today, days)
        if self.exclude_undated:
            return False
        return True if days is None or self.include_undated else None

    def answer(
        self,
        items: Iterable[Item],
        reasons: Iterable[str] = (),
        notes: Iterable[str] = (),
        unused: Item | None = None,
    ) -> Fact:
        """KNOWN with items; else UNKNOWN where there is a reason or the slot is not complete."""
        known, name = tuple(items), self.definition.name
        if known:
            return Fact(name, State.KNOWN, known, (), tuple(notes), unused)
        because = tuple(dict.fromkeys((*self.gaps(), *reasons)))
        state = State.UNKNOWN if because else State.ABSENT
        return Fact(name, state, (), because, tuple(notes), unused)


def once(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Each resource, or each component of one, once: codings often come in several systems."""
    seen: set[tuple[int, int, str]] = set()
    for hit in hits:
        key = (id(hit.entry), id(hit.component), hit.source)
        if key not in seen:
            seen.add(key)
            yield hit


def newest_first(items: Iterable[Item]) -> list[Item]:
    """Dated items, the newest first, then the undated ones; of one day by their words, since the
    order in which a chart is sent says nothing."""
    ordered = list(items)
    if len(ordered) > 1:
        ordered.sort(key=lambda item: item.text)
        ordered.sort(key=lambda item: item.on or date.min, reverse=True)
    return ordered


def status_of(resource: Resource) -> str:
    """A resource's status in lower case, or ""."""
    return string(resource.get("status")).lower()
