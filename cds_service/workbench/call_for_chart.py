"""The call that an EHR would make for a chart: each resource under the key that asks for it."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cds_service.facts.prefetch_keys import KEY_OF_TYPE, KEYS
from cds_service.rules.model import Pack, ServiceDefinition
from cds_service.terminology.code_systems import CodeSystems
from cds_service.workbench.chart import (
    FAILED,
    INCOMPLETE,
    MISSING,
    NOT_FOUND,
    SENT,
    TIMEOUT,
    ChartState,
    Resource,
)

Json = Any
INSTANCE = "00000000-0000-4000-8000-000000000000"
USER = "Practitioner/workbench"
_REST = "supporting"  # what no template asks for comes under a key of its own
_ISSUES = {
    FAILED: ("exception", "The FHIR server failed."),
    NOT_FOUND: ("not-found", "The FHIR server answered 404."),
    TIMEOUT: ("timeout", "The FHIR server did not answer in time."),
}


def types_of_keys(pack: Pack) -> dict[str, str]:
    """Each prefetch key of the pack's services and the resource type that it asks for."""
    return {
        key: urlsplit(template).path.partition("/")[0]
        for service in pack.services
        for key, template in service.prefetch.items()
    }


def keys_of(slot: str, pack: Pack) -> list[str]:
    """The keys of the pack's templates that fill a slot of the chart: of `observations` those of
    each theme."""
    kind = KEYS[slot].resource_type if slot in KEYS else ""
    return [key for key, of in types_of_keys(pack).items() if of == kind] or [slot]


def slot_of(template: str) -> str:
    """The slot of the chart that a template's resources come under; "" for none."""
    return KEY_OF_TYPE.get(urlsplit(template).path.partition("/")[0], "")


def call_for(
    state: ChartState, service: ServiceDefinition, systems: CodeSystems
) -> dict[str, Json]:
    """The request body of one service."""
    context: dict[str, Json] = {"userId": USER, "patientId": state.patient_id}
    encounters = state.of_type("Encounter")
    if encounters and isinstance(encounters[0].get("id"), str):
        context["encounterId"] = encounters[0]["id"]
    if service.hook != "patient-view":
        drafts = [order.resource for order in state.drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection"}
        context["draftOrders"]["entry"] = [{"resource": draft} for draft in drafts]
    if service.hook == "order-select":
        context["selections"] = [
            f"{order.resource.get('resourceType')}/{order.resource.get('id')}"
            for order in state.drafts
            if order.selected
        ]
    return {
        "hook": service.hook,
        "hookInstance": INSTANCE,
        "context": context,
        "prefetch": _prefetch(state, service, systems),
    }


def _prefetch(
    state: ChartState, service: ServiceDefinition, systems: CodeSystems
) -> dict[str, Json]:
    by_key = assigned(state.resources, service, systems)
    answers: dict[str, Json] = {}
    for key, template in service.prefetch.items():
        mode = state.supply.get(key, SENT)
        if mode == MISSING:
            continue
        if mode in _ISSUES:
            answers[key] = _outcome(*_ISSUES[mode])
        elif "?" in template:
            answers[key] = _bundle(by_key.get(key, ()), more=mode == INCOMPLETE)
        else:
            answers[key] = next(iter(by_key.get(key, ())), None)
    if by_key.get(_REST):
        answers[_REST] = _bundle(by_key[_REST])
    if answers.get("patient", "") is None:
        del answers["patient"]  # nobody's chart is opened without a patient
    return answers


def assigned(
    resources: Iterable[Resource], service: ServiceDefinition, systems: CodeSystems
) -> Mapping[str, list[Resource]]:
    """The resources by key: the first whose template names a code of theirs, else the last one of
    their type, else a key that no template asks for."""
    questions = _questions(tuple(service.prefetch.items()))
    by_key: dict[str, list[Resource]] = {}
    for resource in resources:
        by_key.setdefault(_key_of(resource, questions, systems), []).append(resource)
    return by_key


_Questions = Mapping[str, tuple[tuple[str, frozenset[str]], ...]]


def _key_of(resource: Resource, questions: _Questions, systems: CodeSystems) -> str:
    keys = questions.get(str(resource.get("resourceType")), ())
    if len(keys) > 1:
        own = {f"{system}|{code}" for system, code, _ in systems.codings(resource.get("code"))}
        for key, wanted in keys:
            if own & wanted:
                return key
    return keys[-1][0] if keys else _REST


@lru_cache(32)
def _questions(prefetch: tuple[tuple[str, str], ...]) -> _Questions:
    """For each resource type the keys that ask for it, with the codes that they name."""
    by_type: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}
    for key, template in prefetch:
        parts = urlsplit(template)
        kind = parts.path.partition("/")[0]
        codes = frozenset(parse_qs(parts.query).get("code", [""])[0].split(","))
        by_type[kind] = (*by_type.get(kind, ()), (key, codes))
    return by_type


def _bundle(resources: Iterable[Resource], more: bool = False) -> Json:
    bundle: dict[str, Json] = {"resourceType": "Bundle", "type": "searchset"}
    if more:
        bundle["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    bundle["entry"] = [{"resource": resource} for resource in resources]
    return bundle


def _outcome(code: str, words: str) -> Json:
    issue = {"severity": "error", "code": code, "diagnostics": words}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
