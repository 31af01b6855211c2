"""What each prefetch key brought, and what it costs where a key is missing."""

from dataclasses import dataclass, replace
from datetime import datetime

from cds_service.facts.chart import Chart
from cds_service.live.active import Active
from cds_service.workbench.call_for_chart import assigned, slot_of
from cds_service.workbench.chart import FAILED, SENT, ChartState
from cds_service.workbench.chart_answers import Judgement, judge

MOST_WEIGHED = 400  # resources; above it the cost of each gap is not worked out


@dataclass(frozen=True)
class KeyState:
    """One prefetch key. `costs` are rules that would be lost or unknown if the key failed."""

    key: str
    template: str
    required: bool
    mode: str  # as sent, or what the page pretends
    entries: int
    supply: str
    problem: str
    costs: tuple[str, ...] | None = None
    refused: bool = False  # the service would answer 412


def keys(active: Active, state: ChartState, judged: Judgement, clock: datetime) -> list[KeyState]:
    """The keys of a service."""
    service = judged.service
    by_key = assigned(state.resources, service, active.pack.terminology.vocabulary.systems)
    weigh = len(state.resources) <= MOST_WEIGHED and judged.error is None
    states = []
    for key, template in service.prefetch.items():
        mode = state.supply.get(key, SENT)
        supply, problem = _slot(judged.chart, slot_of(template))
        key_state = KeyState(
            key, template, key in service.required, mode, len(by_key.get(key, ())), supply, problem
        )
        if weigh and mode == SENT:
            key_state = _weighed(key_state, active, state, judged, clock)
        states.append(key_state)
    return states


def _slot(chart: Chart | None, key: str) -> tuple[str, str]:
    """How the service took the key; several keys may fill one slot of the chart."""
    slot = chart.slots.get(key) if chart else None
    return (slot.supply.value, slot.problem) if slot else ("", "")


def _weighed(
    key_state: KeyState, active: Active, state: ChartState, judged: Judgement, clock: datetime
) -> KeyState:
    gap = replace(state, supply={**state.supply, key_state.key: FAILED})
    after = judge(active, gap, judged.service, clock, why=False)
    if after.error is not None:
        return replace(key_state, refused=True, costs=())
    before, left = judged.outcomes(), after.outcomes()
    changed = {rule for rule in before.keys() | left.keys() if before.get(rule) != left.get(rule)}
    return replace(key_state, costs=tuple(sorted(changed)))
