"""What one pack says of a call: the one place where charts by the thousand are asked about.

Runs, surveys and comparisons of packs all ask here, so that their counts are of the same answers.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from cds_service.cards.compose import compose_cards
from cds_service.errors import ServiceError
from cds_service.facts.base import FactBase
from cds_service.gather.chart import arrange, gather
from cds_service.live.active import activate
from cds_service.population.chart_calls import call_of
from cds_service.population.replay import Moment
from cds_service.protocol.entries import Entry
from cds_service.protocol.model import Card, HookRequest
from cds_service.rules.context import Context
from cds_service.rules.engine import contexts, evaluate
from cds_service.rules.model import INDICATORS, Pack, ServiceDefinition

_RANKS: Sequence[str] = INDICATORS
Shared = dict[Any, tuple[HookRequest, FactBase]]
VIEW, SIGN = "patient-view", "order-sign"


_QUOTED = re.compile(r"'[^']*'")
_NUMBER = re.compile(r"\b\d[\d.,:/-]*")


@dataclass(frozen=True)
class Answer:
    """One call. `outcomes` names the rules that were other than "no"; `refused` an error code.

    `facts` and `cards` hold what is the patient's: only numbers of them may leave the process.
    """

    service: str
    refused: str = ""
    facts: FactBase | None = None
    cards: tuple[Card, ...] = ()
    outcomes: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # without values

    @property
    def indicators(self) -> tuple[str, ...]:
        """Of the cards."""
        return tuple(card.indicator for card in self.cards)

    @cached_property
    def heads(self) -> Mapping[str, tuple[str, ...]]:
        """Indicators of the cards that a rule heads, by rule."""
        heads: dict[str, tuple[str, ...]] = {}
        for card in self.cards:
            if card.rules:
                rule = card.rules[0][0]
                heads[rule] = (*heads.get(rule, ()), card.indicator)
        return heads

    @cached_property
    def shown(self) -> Mapping[str, int]:
        """On how many cards a rule is, by rule."""
        return Counter(rule for card in self.cards for rule, _ in card.rules)

    @property
    def speaking(self) -> frozenset[str]:
        """Rules that are on a card."""
        return frozenset(self.shown)


class Judge:
    """Asks the services of one pack: patient-view, and with `orders` also order-sign, where orders
    were signed. order-select would say what order-sign says."""

    def __init__(self, pack: Pack, *, orders: bool) -> None:
        self.pack = pack
        self._active = activate(pack)
        self._systems = pack.terminology.vocabulary.systems
        self.services = self._active.services
        self.versions = self._active.versions
        self._reads = _reads(pack)
        enabled = [service for service in pack.services if service.enabled]
        self._views = [service for service in enabled if service.hook == VIEW]
        self._signs = [s for s in enabled if s.hook == SIGN] if orders else []

    @property
    def asked(self) -> Sequence[ServiceDefinition]:
        """The services that are asked, in the order of the pack."""
        both = {service.id for service in (*self._views, *self._signs)}
        return [service for service in self.pack.services if service.id in both]

    def complaint(self, facts: FactBase) -> str:
        """Whether the complaint that most rules ask for is recorded: yes, no, unknown; "" where
        the pack has no such condition."""
        conditional = self._active.ruleset.conditional
        return conditional.truth(Context(facts)).name.lower() if conditional else ""

    def answers(self, moment: Moment, shared: Shared) -> Iterator[Answer]:
        """The answers of all services that would be called at this moment.

        `shared` holds the facts of this moment; judges that read facts alike share them.
        """
        yield from self._asked(self._views, moment, (), shared)
        if moment.orders:
            yield from self._asked(self._signs, moment, moment.orders, shared)

    def matched(self, whole: Moment, shared: Shared) -> tuple[Sequence[str], bool]:
        """The facts for which the whole chart holds an entry, of whatever date, and whether any
        rule of patient-view could rest on them. Where none could, none can at any moment."""
        matched: set[str] = set()
        speaks = False
        for service in self._views:
            try:
                _, facts = self._read(service, whole, (), shared)
            except ServiceError:
                return (), True
            matched |= facts.possible() - self.pack.catalogue.always
            plan = self._active.ruleset.plans[service.id]
            speaks |= any(plan.index.positions(context) for context in contexts(plan, facts))
        return sorted(matched), speaks

    def quiet_answers(self) -> Iterator[Answer]:
        """What patient-view answers where no rule can say anything."""
        yield from (Answer(service.id) for service in self._views)

    def hear(self, service: ServiceDefinition, request: HookRequest, now: datetime) -> Answer:
        """The answer to any call."""
        try:
            facts = self._active.facts(gather(request, service), now)
        except ServiceError as error:
            return Answer(service.id, refused=error.code)
        return self._answer(service, request, facts)

    def ask(
        self,
        service: ServiceDefinition,
        moment: Moment,
        shared: Shared,
        orders: Sequence[Entry] = (),
    ) -> Answer:
        """The answer to the call at this moment, with these orders as drafts; without any, every
        active order of the chart is a draft where the hook is one of orders.

        Services that ask for the same data share one chart and its facts. A whole chart lacks
        nothing that a service requires, so one that one of them accepts they all accept.
        """
        try:
            request, facts = self._read(service, moment, orders, shared)
        except ServiceError as error:
            return Answer(service.id, refused=error.code)
        return self._answer(service, request, facts)

    def _asked(
        self,
        services: Sequence[ServiceDefinition],
        moment: Moment,
        orders: Sequence[Entry],
        shared: Shared,
    ) -> Iterator[Answer]:
        for service in services:
            yield self.ask(service, moment, shared, orders)

    def _read(
        self,
        service: ServiceDefinition,
        moment: Moment,
        orders: Sequence[Entry],
        shared: Shared,
    ) -> tuple[HookRequest, FactBase]:
        """Raises ServiceError where the service would refuse the request."""
        key = (service.hook, self._reads, tuple(service.prefetch.values()))
        if key not in shared:
            request, readings = call_of(service, moment, self._systems, orders)
            chart = arrange(request, service, readings)
            shared[key] = request, self._active.facts(chart, moment.at)
        return shared[key]

    def _answer(self, service: ServiceDefinition, request: HookRequest, facts: FactBase) -> Answer:
        evaluation = evaluate(self._active.ruleset, service, facts)
        if not evaluation.outcomes:
            return Answer(service.id, facts=facts)
        composed = compose_cards(self.pack, service, evaluation, facts, request)
        return Answer(
            service.id,
            facts=facts,
            cards=tuple(composed.cards),
            outcomes={**evaluation.outcomes, **dict.fromkeys(composed.errors, "error")},
            reasons={
                rule: tuple(dict.fromkeys(map(impersonal, why)))
                for rule, why in evaluation.unknown_because.items()
            },
        )


def _reads(pack: Pack) -> tuple[Any, ...]:
    """What decides how facts are read: no number that conditions only compare with."""
    compared = set(_compared([pack.definitions, *((r.when, r.unless) for r in pack.rules)]))
    compared |= set(_compared([rule.variants for rule in pack.rules]))
    catalogue = repr(pack.catalogue.facts)
    values = [
        (name, setting.value)
        for name, setting in pack.settings.items()
        if name not in compared or repr(name) in catalogue
    ]
    return (id(pack.catalogue), id(pack.terminology), *values)


def _compared(condition: Any) -> Iterator[str]:
    if isinstance(condition, Mapping):
        if condition.get("op") in ("lt", "le", "gt", "ge") and "setting" in condition:
            yield condition["setting"]
        condition = list(condition.values())
    if isinstance(condition, list | tuple):
        for part in condition:
            yield from _compared(part)


def strongest(indicators: Sequence[str]) -> str:
    """The strongest indicator; "" of none."""
    return max(indicators, key=_RANKS.index, default="")


def impersonal(reason: str) -> str:
    """A reason without the values that it may quote."""
    return _NUMBER.sub("#", _QUOTED.sub("'...'", reason))
