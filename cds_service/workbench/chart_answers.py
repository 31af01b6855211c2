"""What the services say of the chart on the page: the very steps of a call, and nothing counted.

A trial is no call: no record, no metric, no log line, and no FHIR server is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from cds_service.cards.compose import compose_cards
from cds_service.clock import monotonic
from cds_service.errors import ServiceError
from cds_service.facts.base import FactBase
from cds_service.facts.chart import Chart
from cds_service.gather.chart import gather
from cds_service.live.active import Active
from cds_service.protocol.model import Card
from cds_service.protocol.request import parse_request
from cds_service.protocol.response import card_object
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Evaluation, ServiceDefinition
from cds_service.ruletests.explain import Explanation, explain
from cds_service.workbench.call_for_chart import call_for
from cds_service.workbench.chart import ChartState

Json = Any


@dataclass(frozen=True)
class Judgement:
    """One service's answer to the chart. `error` stands in place of all but the request."""

    service: ServiceDefinition
    request: bytes
    milliseconds: float = 0.0
    cards: Sequence[Card] = ()
    chart: Chart | None = None
    facts: FactBase | None = None
    evaluation: Evaluation | None = None
    explanations: Sequence[Explanation] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    error: ServiceError | None = None

    @property
    def response(self) -> dict[str, Json]:
        """The body that an EHR would get."""
        return {"cards": [card_object(card) for card in self.cards]}

    def outcomes(self) -> dict[str, str]:
        """The outcome of each rule that did not say "no"."""
        return dict(self.evaluation.outcomes) if self.evaluation else {}


def asked(active: Active, state: ChartState, only: str = "") -> list[ServiceDefinition]:
    """The services that an EHR would ask: those of orders where there are drafts."""
    return [
        service
        for service in active.services.values()
        if service.enabled
        and (service.id == only if only else True)
        and (service.hook == "patient-view" or state.drafts)
    ]


def judge(
    active: Active,
    state: ChartState,
    service: ServiceDefinition,
    clock: datetime,
    *,
    public_url: str = "",
    why: bool = True,
) -> Judgement:
    """The service's answer; with `why` an explanation of each rule too."""
    systems = active.pack.terminology.vocabulary.systems
    content = orjson.dumps(call_for(state, service, systems))
    try:
        return _judged(active, state, service, clock, content, public_url, why)
    except ServiceError as error:
        return Judgement(service, content, error=error)


def _judged(
    active: Active,
    state: ChartState,
    service: ServiceDefinition,
    clock: datetime,
    content: bytes,
    public_url: str,
    why: bool,
) -> Judgement:
    pack, now = active.ruleset.pack, state.moment(clock)
    began = monotonic()
    request = parse_request(service.hook, content)
    chart = gather(request, service)
    facts = active.facts(chart, now)
    evaluation = evaluate(active.ruleset, service, facts)
    composed = compose_cards(pack, service, evaluation, facts, request, public_url=public_url)
    took = (monotonic() - began) * 1000
    return Judgement(
        service,
        content,
        took,
        composed.cards,
        chart,
        facts,
        evaluation,
        explain(active.ruleset, service, facts) if why else (),
        {**evaluation.errors, **composed.errors},
    )
