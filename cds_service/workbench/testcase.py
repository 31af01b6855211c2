"""The chart as a case of a test file, and the chart as it would be after a suggestion."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cds_service.facts.chart import PREFETCH_KEYS
from cds_service.protocol.model import Action
from cds_service.rules.model import Pack
from cds_service.ruletests import sketch_entries as builders
from cds_service.ruletests.sketch_values import SYSTEMS, SketchError
from cds_service.terminology.codings import first_code, text_of
from cds_service.workbench.call_for_chart import keys_of
from cds_service.workbench.chart import (
    FAILED,
    INCOMPLETE,
    MISSING,
    SENT,
    ChartState,
    Order,
    Resource,
    reference_of,
)
from cds_service.workbench.chart_answers import Judgement
from cds_service.workbench.what_if import Change, plain

Json = Any
_PREFIXES = {system: prefix for prefix, system in SYSTEMS.items()}
# What no rule reads, or what the builders make themselves.
_LEFT_OUT = frozenset({
    "resourceType", "id", "meta", "text", "identifier", "subject", "patient", "encounter",
    "contained", "extension", "modifierExtension", "performer", "requester", "recorder",
    "asserter", "note", "implicitRules", "language", "name", "telecom", "address", "intent",
})  # fmt: skip
Codings = Callable[[Json], list[tuple[str, str, str]]]
_GAPS = {FAILED: "failed", "404": "failed", "time-out": "failed", MISSING: "missing"}


def file_of(
    state: ChartState, now: datetime, judged: Judgement, pack: Pack, change: Change
) -> dict[str, Json]:
    """A test file with the chart as its only case, and what the service says now as expected."""
    case: dict[str, Json] = {
        "name": _name(judged),
        "chart": sketch_of(state, now, pack),
        "expect": {
            rule: outcome
            for rule, outcome in sorted(judged.outcomes().items())
            if outcome in ("fires", "unknown")
        },
    }
    if judged.cards:
        case["cards"] = [
            {"indicator": card.indicator, "summary": card.summary} for card in judged.cards
        ]
    settings = {name: plain(value) for name, value in change.settings.items()}
    return {
        "$schema": "/schemas/rule-test.schema.json",
        "now": now.isoformat().replace("+00:00", "Z"),
        "service": judged.service.id,
        "profile": list(pack.profiles),
        **({"settings": settings} if settings else {}),
        "cases": [case],
    }


def name_of(judged: Judgement) -> str:
    """A file name for the case: of the rule that heads the first card."""
    heads = [rule for card in judged.cards for rule, _ in card.rules[:1]]
    stem = heads[0].rpartition(".")[2] if heads else judged.service.id
    return f"{stem}.workbench.test.json"


def _name(judged: Judgement) -> str:
    fired = sorted(rule for rule, outcome in judged.outcomes().items() if outcome == "fires")
    return f"from the workbench: {', '.join(fired) or 'no rule'} fires"


def sketch_of(state: ChartState, now: datetime, pack: Pack) -> dict[str, Json]:
    """The chart in the notation of test files."""
    sketch: dict[str, Json] = {}
    codings = pack.terminology.vocabulary.systems.codings
    for resource in state.resources:
        kind = str(resource.get("resourceType"))
        if kind in _LISTS:
            key, short, build = _LISTS[kind]
            entry = _entry(resource, short, build, now, codings)
            sketch.setdefault(key, []).append(entry)
    sketch["patient"] = _patient(state)
    sketch |= _encounter(state, codings) | _answers(state)
    if state.drafts:
        sketch["drafts"] = [
            {**_draft_entry(order.resource, now, codings), "selected": order.selected}
            for order in state.drafts
        ]
    for slot in PREFETCH_KEYS:
        gap = _gap([state.supply.get(key, SENT) for key in keys_of(slot, pack)])
        if gap:
            sketch.setdefault(gap, []).append(slot)
    return sketch


def _gap(modes: list[str]) -> str:
    """What the keys that fill one slot make of it: a gap in one of several is a gap in part."""
    if all(mode == SENT for mode in modes):
        return ""
    if SENT in modes or INCOMPLETE in modes or len({_GAPS[mode] for mode in modes}) > 1:
        return "incomplete"
    return _GAPS[modes[0]]


def _entry(
    resource: Resource,
    short: str,
    build: Callable[[Json, builders.Place], Resource],
    now: datetime,
    codings: Codings,
) -> dict[str, Json]:
    """The entry that builds the resource again; what it cannot say stands under `resource`."""
    entry = dict(_said(resource, short, codings))
    place = builders.Place("entry", 1, now)
    try:
        built = build(entry, place)
    except SketchError:
        entry = {short: f"text:{text_of(resource.get('code')) or 'entry'}"}
        built = build(entry, place)
    wanted = {k: v for k, v in resource.items() if k not in _LEFT_OUT}
    rest = {k: v for k, v in wanted.items() if _bare(v) != _bare(built.get(k))}
    gone = {k: None for k in built if k not in wanted and k not in _LEFT_OUT}
    return {**entry, **({"resource": {**rest, **gone}} if rest or gone else {})}


def _said(resource: Resource, short: str, codings: Codings) -> Iterable[tuple[str, Json]]:
    concept = resource.get("medicationCodeableConcept", resource.get("code"))
    codes = [
        f"{_PREFIXES[system]}:{code}" for system, code, _ in codings(concept) if system in _PREFIXES
    ]
    text = text_of(concept)
    yield short, (codes[0] if len(codes) == 1 else codes) if codes else f"text:{text or 'unnamed'}"
    if codes and text:
        yield "text", text
    yield from _SAY.get(str(resource.get("resourceType")), _nothing)(resource)


def _nothing(_: Resource) -> Iterable[tuple[str, Json]]:
    return ()


def _say_condition(resource: Resource) -> Iterable[tuple[str, Json]]:
    yield "clinical", _code(resource.get("clinicalStatus"))
    yield "verification", _code(resource.get("verificationStatus"))
    if isinstance(resource.get("recordedDate"), str):
        yield "recorded", resource["recordedDate"][:10]


def _say_observation(resource: Resource) -> Iterable[tuple[str, Json]]:
    yield "status", resource.get("status", "final")
    when = resource.get("effectiveDateTime")
    yield "date", when[:10] if isinstance(when, str) else None
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict) and "value" in quantity:
        number, unit = quantity["value"], quantity.get("unit") or ""
        yield "value", f"{quantity.get('comparator', '')}{number} {unit}".strip()


def _say_dated(key: str, own: str) -> Callable[[Resource], Iterable[tuple[str, Json]]]:
    def say(resource: Resource) -> Iterable[tuple[str, Json]]:
        if isinstance(resource.get("status"), str):
            yield "status", resource["status"]
        when = resource.get(own)
        yield key, when[:10] if isinstance(when, str) else None

    return say


_SAY: Mapping[str, Callable[[Resource], Iterable[tuple[str, Json]]]] = {
    "Condition": _say_condition,
    "Observation": _say_observation,
    "MedicationRequest": _say_dated("authored", "authoredOn"),
    "MedicationStatement": _say_dated("effective", "effectiveDateTime"),
    "MedicationAdministration": _say_dated("date", "effectiveDateTime"),
    "Procedure": _say_dated("date", "performedDateTime"),
    "ServiceRequest": _say_dated("authored", "authoredOn"),
}
_LISTS: Mapping[str, tuple[str, str, Callable[[Json, builders.Place], Resource]]] = {
    "Condition": ("conditions", "code", builders.condition),
    "MedicationRequest": ("requests", "drug", builders.request),
    "MedicationStatement": ("statements", "drug", builders.statement),
    "MedicationAdministration": ("administrations", "drug", builders.administration),
    "Observation": ("observations", "code", builders.observation),
    "Procedure": ("procedures", "code", builders.procedure),
    "ServiceRequest": ("orders", "code", builders.order),
}


def _draft(resource: Resource) -> tuple[str, Callable[[Json, builders.Place], Resource]]:
    drug = resource.get("resourceType") == "MedicationRequest"
    return ("drug" if drug else "test"), _build_draft


def _draft_entry(resource: Resource, now: datetime, codings: Codings) -> dict[str, Json]:
    entry = _entry(resource, *_draft(resource), now, codings)
    entry.pop("authored", None)  # it is being written now
    return entry


def _build_draft(entry: Json, place: builders.Place) -> Resource:
    return builders.draft({k: v for k, v in entry.items() if k != "authored"}, place)


def _code(concept: Json) -> str | None:
    coded = first_code(concept)
    if coded:
        return coded
    codings = concept.get("coding") if isinstance(concept, dict) else None
    first = codings[0] if isinstance(codings, list) and codings else {}
    return first.get("code") if isinstance(first, dict) else None


def _bare(value: Json) -> Json:
    """A value without the displays and texts that name its codes."""
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if k not in ("display", "version", "text")}
    if isinstance(value, list):
        return [_bare(member) for member in value]
    return value


def _patient(state: ChartState) -> Json:
    people = state.of_type("Patient")
    if not people:
        return None
    person = people[0]
    sketch = {k: person[k] for k in ("birthDate", "gender") if isinstance(person.get(k), str)}
    deceased = person.get("deceasedDateTime", person.get("deceasedBoolean"))
    return {**sketch, **({"deceased": deceased} if deceased else {})}


def _encounter(state: ChartState, codings: Codings) -> dict[str, Json]:
    encounters = state.of_type("Encounter")
    if not encounters:
        return {}
    coded = encounters[0].get("class")
    code = coded.get("code") if isinstance(coded, dict) else None
    reasons = [
        f"{_PREFIXES[system]}:{value}"
        for concept in encounters[0].get("reasonCode", ())
        for system, value, _ in codings(concept)
        if system in _PREFIXES
    ]
    return {"encounter": {**({"class": code} if code else {}), "reasons": reasons}}


def _answers(state: ChartState) -> dict[str, Json]:
    responses = state.of_type("QuestionnaireResponse")
    if not responses:
        return {}
    given: dict[str, Json] = {"date": str(responses[-1].get("authored", "-10d"))[:10]}
    for item in responses[-1].get("item", ()):
        for answer in item.get("answer", ()):
            value = answer.get("valueBoolean", answer.get("valueString"))
            if value is not None:
                given[str(item.get("linkId"))] = value
    return {"answers": given}


def after_actions(state: ChartState, actions: Iterable[Action]) -> ChartState:
    """The chart after what a suggestion does: a create is a draft order more, a delete one less."""
    for action in actions:
        if action.type == "create" and action.resource is not None:
            draft = dict(action.resource)
            draft["id"] = state.new_id(str(draft.get("resourceType")))
            state = replace(state, drafts=(*state.drafts, Order(draft)))
        elif action.type == "delete":
            kept = tuple(d for d in state.drafts if reference_of(d.resource) != action.resource_id)
            state = replace(state.without([action.resource_id]), drafts=kept)
    return state
