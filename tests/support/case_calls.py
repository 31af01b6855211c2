"""Calls at random whose charts mix those of the rules' own cases, so that every rule is reached."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.ruletests.sketch import chart_of
from cds_service.ruletests.testfile import Case, read_test_file
from tests.support.calls import NOW, Json, bundle, call

HOOKS = Path(__file__).resolve().parents[2] / "hooks"
LISTS = ("conditions", "statements", "requests", "observations", "procedures", "orders")
ORDER_HOOKS = ("order-select", "order-sign")
QUESTIONNAIRE = "https://cds.legcramps.example/Questionnaire/leg-symptoms"


@cache
def cases() -> list[Case]:
    """The cases of all rules, those of whole bundles apart."""
    files = sorted(HOOKS.rglob("*.test.json"))
    return [case for file in files for case in read_test_file(file).cases if not case.bundle]


def any_call(random: Random) -> Json:
    """One to three cases' charts as one chart, sent as FHIR R4."""
    mixed = random.sample(cases(), random.choice((1, 1, 2, 3)))
    sketch = mixture([case.sketch for case in mixed])
    hook = random.choice(ORDER_HOOKS) if sketch.get("drafts") else "patient-view"
    request: Json = json.loads(json.dumps(sent(chart_of(sketch, NOW, hook, QUESTIONNAIRE))))
    return request


def mixture(sketches: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries of all, without the names that a case gave them; else what the first one says."""
    mixed = dict(sketches[0])
    if len(sketches) == 1:
        return mixed
    for key in (*LISTS, "administrations", "drafts"):
        together = [entry for sketch in sketches for entry in sketch.get(key, [])]
        mixed[key] = [without_id(entry) for entry in together]
    return mixed


def without_id(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {key: value for key, value in entry.items() if key != "id"}


def sent(chart: Chart) -> Json:
    """The call in which an EHR sends a chart."""
    prefetch: Json = {"patient": None}
    for key in PREFETCH_KEYS:
        slot = chart.slot(key)
        bodies = [entry.body for entry in slot.resources]
        if slot.supply in (Supply.MISSING, Supply.FAILED):
            continue
        if key in ("patient", "encounter"):
            prefetch[key] = bodies[0] if bodies else None
        else:
            more = {"total": len(bodies) + 9} if slot.supply is Supply.INCOMPLETE else {}
            prefetch[key] = bundle(bodies) | more
    prefetch["others"] = bundle([entry.body for entry in chart.others])
    return call(chart.hook, context_of(chart), prefetch)


def context_of(chart: Chart) -> Json:
    context: Json = {"patientId": "patient-1"}
    if chart.hook in ORDER_HOOKS:
        drafts = [draft.resource for draft in chart.drafts]
        context["draftOrders"] = bundle(drafts) | {"type": "collection"}
    if chart.hook == "order-select":
        chosen = [draft for draft in chart.drafts if draft.selected] or chart.drafts
        context["selections"] = [draft.reference for draft in chosen]
    return context
