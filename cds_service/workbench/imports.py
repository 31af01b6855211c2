"""A chart from whatever a person has: a captured call, a Bundle, Bulk Data lines, one resource,
a chart of the workbench, a case of a test file."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from cds_service.errors import BadRequest
from cds_service.facts.chart import Chart, Supply
from cds_service.gather import prefetch
from cds_service.protocol.identity import id_in
from cds_service.protocol.raw import encoded
from cds_service.rules.model import Pack
from cds_service.ruletests.sketch import KEYS, chart_of, merged
from cds_service.ruletests.sketch_values import SketchError
from cds_service.ruletests.trial import questionnaire_of
from cds_service.workbench.call_for_chart import keys_of, types_of_keys
from cds_service.workbench.chart import (
    FAILED,
    INCOMPLETE,
    MISSING,
    ChartState,
    Order,
    Resource,
    state_of,
)

Json = Any
_GAPS = {Supply.MISSING: MISSING, Supply.FAILED: FAILED, Supply.INCOMPLETE: INCOMPLETE}


def read(
    text: str, pack: Pack, now: datetime, patient: str = ""
) -> tuple[ChartState, tuple[str, ...]]:
    """The chart that a text stands for, and the ids of further patients in it; `patient` names
    which of several is wanted, by default the first. Raises BadRequest with a reason for people.
    """
    parsed = list(_parsed(text))
    if len(parsed) > 1 or _is_bundle(parsed[0]):
        flat = [entry for resource in parsed for entry in flattened(_resource(resource))]
        return _of_one(flat, patient)
    return _alone(parsed[0], pack, now), ()


def _is_bundle(data: Resource) -> bool:
    return data.get("resourceType") == "Bundle" and not isinstance(data.get("hook"), str)


def _alone(data: dict[str, Json], pack: Pack, now: datetime) -> ChartState:
    if isinstance(data.get("hook"), str):
        return of_call(data, pack)
    if "resources" in data:
        return state_of(data)
    if "cases" in data or data.keys() & KEYS:
        return of_sketch(_sketch(data), pack, now)
    return ChartState((_resource(data),))


def _parsed(text: str) -> Iterator[dict[str, Json]]:
    """One JSON object, or one a line."""
    if not text.strip():
        raise BadRequest("chart-empty", "There is nothing to read: paste or drop a chart.")
    try:
        values = [orjson.loads(text)]
    except orjson.JSONDecodeError as whole:
        try:
            values = [orjson.loads(line) for line in text.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise BadRequest(
                "chart-malformed",
                f"That is not JSON: {whole.msg} (line {whole.lineno}, column {whole.colno}).",
            ) from None
    for value in values:
        if not isinstance(value, dict):
            raise BadRequest("chart-malformed", "A chart is a JSON object, or one a line.")
        yield value


def _resource(data: Resource) -> Resource:
    if not isinstance(data.get("resourceType"), str):
        raise BadRequest(
            "chart-unknown",
            "That is no call of CDS Hooks, no FHIR resource and no chart of the workbench.",
        )
    return data


def _of_one(resources: list[Resource], patient: str) -> tuple[ChartState, tuple[str, ...]]:
    """The entries of one patient and those that name nobody, and who else is there."""
    people = [resource for resource in resources if resource.get("resourceType") == "Patient"]
    chosen = next(
        (person for person in people if person.get("id") == patient), people[0] if people else {}
    )
    others = [person for person in people if person is not chosen]
    theirs = {f"Patient/{person.get('id')}" for person in others}
    kept = [
        resource
        for resource in resources
        if all(resource is not other for other in others) and _subject(resource) not in theirs
    ]
    return ChartState(tuple(kept)), tuple(str(person.get("id", "")) for person in others)


def _subject(resource: Resource) -> str:
    for key in ("subject", "patient", "beneficiary"):
        value = resource.get(key)
        if isinstance(value, dict) and isinstance(value.get("reference"), str):
            patient = id_in(value["reference"], "Patient")
            return f"Patient/{patient}" if patient else ""
    return ""


def flattened(resource: Resource, depth: int = 4) -> Iterator[Resource]:
    """The resource, or those that a Bundle holds."""
    if resource.get("resourceType") != "Bundle" or depth == 0:
        yield resource
        return
    entries = resource.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inner, dict):
            yield from flattened(inner, depth - 1)


def of_call(data: Mapping[str, Json], pack: Pack) -> ChartState:
    """A captured call: its resources, its drafts, and what it left out or could not read."""
    sent = data.get("prefetch")
    sent = sent if isinstance(sent, dict) else {}
    readings = {key: prefetch.read(encoded(value)) for key, value in sent.items()}
    resources = [entry.body for reading in readings.values() for entry in reading.resources]
    gaps = {
        slot: _GAPS[reading.supply]
        for key, reading in readings.items()
        if reading.supply in _GAPS
        for slot in keys_of(key, pack)
    }
    types = {resource.get("resourceType") for resource in resources}
    for key, kind in types_of_keys(pack).items():
        if key not in sent and key not in gaps and kind not in types:
            gaps[key] = MISSING
    return ChartState(tuple(resources), tuple(_drafts(data)), "", gaps)


def _drafts(data: Mapping[str, Json]) -> Iterator[Order]:
    context = data.get("context")
    context = context if isinstance(context, dict) else {}
    bundle = context.get("draftOrders")
    chosen = context.get("selections")
    for resource in flattened(bundle) if isinstance(bundle, dict) else ():
        reference = f"{resource.get('resourceType')}/{resource.get('id')}"
        selected = not isinstance(chosen, list) or reference in chosen
        yield Order(resource, selected or resource.get("id") in (chosen or ()))


def of_sketch(sketch: Mapping[str, Json], pack: Pack, now: datetime) -> ChartState:
    """The chart of a sketch, as test files write it."""
    hook = "order-select" if sketch.get("drafts") else "patient-view"
    try:
        chart = chart_of(sketch, now, hook, questionnaire_of(pack))
    except SketchError as error:
        raise BadRequest("sketch-invalid", f"The chart of the test case: {error}.") from None
    return _of_chart(chart, pack)


def _of_chart(chart: Chart, pack: Pack) -> ChartState:
    resources = [entry.body for slot in chart.slots.values() for entry in slot.resources]
    gaps = {
        key: _GAPS[slot.supply]
        for name, slot in chart.slots.items()
        if slot.supply in _GAPS
        for key in keys_of(name, pack)
    }
    drafts = tuple(Order(draft.resource, draft.selected) for draft in chart.drafts)
    resources += [entry.body for entry in chart.others]
    return ChartState(tuple(resources), drafts, "", gaps)


def _sketch(data: Mapping[str, Json]) -> Mapping[str, Json]:
    """The sketch itself, or the first case of a test file."""
    cases = data.get("cases")
    if not isinstance(cases, list):
        return {key: value for key, value in data.items() if key in KEYS}
    first = cases[0] if cases and isinstance(cases[0], dict) else {}
    return merged(data.get("base", {}), first.get("chart", {}))


def at(state: ChartState, now: str) -> ChartState:
    """The chart opened at another moment."""
    return replace(state, now=now)
