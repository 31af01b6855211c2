"""The facts of one call: asked for by name, read when first asked for, and remembered."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cds_service.facts import availability, unread
from cds_service.facts.catalogue import Catalogue
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.facts.chart_index import ChartIndex
from cds_service.facts.definitions import (
    Answer,
    Code,
    Coded,
    DraftDrug,
    DraftOrder,
    Drug,
    FactDefinition,
    Flag,
    Named,
    Number,
    Order,
    Problem,
    Procedure,
    Quantity,
)
from cds_service.facts.kinds import (
    answer,
    coded,
    computed,
    draft,
    drug,
    flag,
    named,
    order,
    person,
    problem,
    procedure,
)
from cds_service.facts.model import Fact, State
from cds_service.facts.prefetch_keys import MEDICATIONS
from cds_service.facts.query import Patient, Query, Settings
from cds_service.facts.unrecognised import unrecognised
from cds_service.terminology.index import Terminology

_ASKS_FOR_OTHERS = (Quantity, Named)  # kinds of facts that may be computed from others
_PERIOD = re.compile(r"P(\d+)D")

READERS: Mapping[type[FactDefinition], Callable[[Query[Any]], Fact]] = {
    Problem: problem.read,
    Drug: drug.read,
    DraftDrug: draft.read_drug,
    DraftOrder: draft.read_order,
    Order: order.read,
    Procedure: procedure.read,
    Quantity: computed.read,
    Named: named.read,
    Coded: coded.read,
    Answer: answer.read,
    Code: person.read_code,
    Number: person.read_age,
    Flag: lambda query: flag.FLAGS[query.definition.name](query),
}


class FactBase:
    """All facts of one chart.

    `settings` are the pack's effective values by name. `dropped` is the chart's count of resources
    that were left out.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        terminology: Terminology,
        chart: Chart,
        now: datetime,
        settings: Settings,
    ) -> None:
        self.catalogue = catalogue
        self.dropped: Mapping[str, int] = chart.dropped
        index = ChartIndex(catalogue, terminology, chart)
        if index.no_drug_information:
            chart = chart.without_all_of(MEDICATIONS)
        self.chart = chart
        today = (now if now.tzinfo is None else now.astimezone(UTC)).date()
        self._patient = Patient(
            chart,
            index,
            terminology,
            settings,
            now,
            today,
            unread.coverage(catalogue, terminology),
            unread.unread(index, catalogue, terminology),
            availability.lacking(chart, PREFETCH_KEYS),
        )
        self._known: dict[tuple[str, int | str | None, int | None, str | None], Fact] = {}
        self._possible: dict[int | None, frozenset[str]] = {}  # by draft
        self._silent: dict[type[FactDefinition], bool] = {}

    @cached_property
    def unrecognised(self) -> Mapping[str, Mapping[str, int]]:
        """Entries that nothing recognises, by kind and code system."""
        return unrecognised(self._patient.index)

    @property
    def unknown_codes(self) -> Counter[str]:
        """By code system, condition and medication codings that no value set and no dictionary
        knows."""
        return self._patient.index.unknown_codes()

    @property
    def unrecognised_medications(self) -> int:
        """How many active medications nothing recognises."""
        return drug.unrecognised(self._patient)

    def left_unknown(self) -> dict[str, list[str]]:
        """Drugs, problems and values that entries of the chart leave unknown, by the reason why.

        What was not sent is no such reason; `Chart.slots` tells it.
        """
        names_by_reason: dict[str, list[str]] = {}
        for name in self.possible() & self.catalogue.of_patient:
            definition = self.catalogue[name]
            if not isinstance(definition, Drug | Problem | Quantity):
                continue
            missing = availability.gaps(self.chart, definition.slots)
            fact = self.get(name)
            for reason in fact.reasons if fact.state is State.UNKNOWN else ():
                if reason not in missing:
                    names_by_reason.setdefault(reason, []).append(name)
        return {reason: sorted(names) for reason, names in sorted(names_by_reason.items())}

    def get(
        self,
        name: str,
        within: int | str | None = None,
        draft: int | None = None,
        undated: str | None = None,
    ) -> Fact:
        """The answer to one question; KeyError for a name that the catalogue does not have.

        `within` replaces the fact's look-back: days, "P90D", or a setting's name. `draft` is the
        index in `chart.drafts` of the order under evaluation. `undated` is "include" or "exclude"
        for entries without a date; by default they count only where there is no look-back.
        """
        if draft is not None and name in self.catalogue.of_patient:
            draft = None
        possible = self._possible.get(draft) or self.possible(draft)
        if name not in possible and self._is_silent(type(self.catalogue.facts[name])):
            return self.catalogue.absent[name]  # most facts of most charts
        key = (name, within, draft, undated)
        fact = self._known.get(key)
        if fact is None:
            definition = self.catalogue.facts[name]
            query = self._query(definition, within, draft, undated)
            fact = self._known[key] = READERS[type(definition)](query)
        return fact

    def _is_silent(self, shape: type[FactDefinition]) -> bool:
        """Whether facts of a kind that are certainly absent have nothing to add to that."""
        silent = self._silent.get(shape)
        if silent is None:
            silent = self._silent[shape] = self._has_nothing_to_add(shape)
        return silent

    def _has_nothing_to_add(self, shape: type[FactDefinition]) -> bool:
        if shape is Quantity:  # says "not found in the data sent" where nothing was sent
            return self.chart.slot("observations").supply is not Supply.EMPTY
        return shape is not Drug or not drug.notes(self._patient)

    def possible(self, draft: int | None = None) -> frozenset[str]:
        """Names of all facts that may be other than ABSENT; the others certainly are.

        Rules that need one of the others can be skipped. Costs no reading of dates or values.
        """
        index = self._patient.index
        if not index.drafts:
            draft = None
        known = self._possible.get(draft)
        if known is None:
            known = self._without_drafts()
            if index.drafts:
                known |= index.draft_names(-1 if draft is None else draft)
            self._possible[draft] = known
        return known

    def _without_drafts(self) -> frozenset[str]:
        index, catalogue = self._patient.index, self.catalogue
        patient = self._patient
        names = index.names() | catalogue.always
        names |= unread.concerned(patient.unread, catalogue, patient.terminology)
        if index.answers:
            names |= catalogue.answers
        for keys, dependent in catalogue.by_slots.items() if patient.lacking else ():
            if not patient.lacking.isdisjoint(keys):
                names |= dependent
        if any(reason.concept is None for entry in index.drafts for reason in entry.given):
            names |= catalogue.by_order_reason
        return frozenset(names)

    def _query(
        self,
        definition: FactDefinition,
        within: int | str | None,
        draft: int | None,
        undated: str | None,
    ) -> Query[Any]:
        days = self._days(definition, within)
        include = undated == "include" or (undated is None and definition.undated == "include")
        exclude = undated == "exclude"
        query: Query[Any] = Query(definition, self._patient, days, include, exclude, draft)
        if isinstance(definition, _ASKS_FOR_OTHERS):
            query.ask = lambda name: self._query(self.catalogue[name], within, draft, undated)
        return query

    def _days(self, definition: FactDefinition, within: int | str | None) -> int | None:
        if within is None or within == "":
            return self._patient.days(definition.lookback)
        if isinstance(within, int):
            return within
        period = _PERIOD.fullmatch(within)
        return int(period.group(1)) if period else self._patient.days(within)
