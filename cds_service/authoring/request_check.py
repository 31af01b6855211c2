"""Finds what a request has that CDS Hooks 2.0.1 or FHIR R4 does not allow.

The service reads tolerantly; this is for the integrator who wants to know what it tolerated. The
FHIR models are those of R4B, which accept what R4 has of the resources in use here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from pydantic import ValidationError

from cds_service.errors import ServiceError
from cds_service.protocol.request import parse_request

Json = Any
HOOKS = ("patient-view", "order-select", "order-sign")
MOST_PER_RESOURCE = 5
WORDS = {
    "missing": "is required and missing",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": "does not have the form that FHIR asks for",
    "string_too_short": "is empty",
    "extra_forbidden": "is no element of this resource",
    "value_error": "does not have the form that FHIR asks for",
}


@dataclass(frozen=True, slots=True)
class Departure:
    """One departure. An error is something that the service refuses. `message` has no values."""

    place: str
    severity: Literal["error", "warning"]
    message: str


def departures(content: bytes, parsed: Mapping[str, Json]) -> list[Departure]:
    """All departures of one request, those of the call first."""
    return [*_of_call(content, parsed), *_of_resources(parsed)]


def _of_call(content: bytes, parsed: Mapping[str, Json]) -> Iterator[Departure]:
    hook = parsed.get("hook")
    if isinstance(hook, str) and hook not in HOOKS:
        yield Departure("hook", "error", f"no service here answers it; known: {', '.join(HOOKS)}")
        return
    try:
        request = parse_request(str(hook), content)
    except ServiceError as error:
        yield Departure(error.expression or "request", "error", f"{error.code}: {error.message}")
        return
    for warning in request.warnings:
        yield Departure("request", "warning", warning)


def _of_resources(parsed: Mapping[str, Json]) -> Iterator[Departure]:
    prefetch = parsed.get("prefetch")
    for key, value in prefetch.items() if isinstance(prefetch, dict) else ():
        yield from _of_value(f"prefetch.{key}", value)
    context = parsed.get("context")
    if isinstance(context, dict) and "draftOrders" in context:
        yield from _of_value("context.draftOrders", context["draftOrders"])


def _of_value(place: str, value: Json) -> Iterator[Departure]:
    if value is None:
        return
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        yield Departure(place, "warning", "is no FHIR resource")
    elif value["resourceType"] == "Bundle":
        yield from _of_bundle(place, value)
    else:
        yield from _of_resource(place, value)


def _of_bundle(place: str, bundle: Mapping[str, Json]) -> Iterator[Departure]:
    # Entry by entry, so that one bad resource doesn't hide what is wrong with the others.
    yield from _of_resource(place, {name: v for name, v in bundle.items() if name != "entry"})
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        yield Departure(f"{place}.entry", "warning", "is no array")
        return
    for index, entry in enumerate(entries):
        inner = f"{place}.entry[{index}].resource"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            yield Departure(inner, "warning", "is missing")
        else:
            yield from _of_resource(inner, resource)


def _of_resource(place: str, resource: Mapping[str, Json]) -> Iterator[Departure]:
    kind = str(resource.get("resourceType", ""))
    model = _model(kind)
    if model is None:
        yield Departure(place, "warning", "has a resourceType that FHIR R4 does not have")
        return
    try:
        model.model_validate(dict(resource))
    except ValidationError as error:
        yield from _of_errors(f"{place} ({kind})", error)


def _of_errors(place: str, error: ValidationError) -> Iterator[Departure]:
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    for fault in errors[:MOST_PER_RESOURCE]:
        path = ".".join(str(part) for part in fault["loc"])
        yield Departure(f"{place} {path}".rstrip(), "warning", _words(fault["type"]))
    if len(errors) > MOST_PER_RESOURCE:
        more = len(errors) - MOST_PER_RESOURCE
        yield Departure(place, "warning", f"and {more} more")


def _words(error_type: str) -> str:
    """What a kind of error means. The library's own message may quote the value."""
    kind = error_type.rpartition(".")[2]
    return WORDS.get(kind, f"is not valid ({kind.replace('_', ' ')})")


def _model(kind: str) -> Any | None:
    if not kind.isidentifier() or not kind.isascii():
        return None
    try:
        return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind, None)
    except ModuleNotFoundError:
        return None
