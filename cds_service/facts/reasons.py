"""Why an encounter or an order is: reasonCode, reasonReference, diagnosis, in any FHIR release."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cds_service.facts.chart import Resource
from cds_service.facts.fhir import listed, string
from cds_service.terminology.codings import text_of

Find = Callable[[Any, Resource], Resource | None]

# R4, then STU3/R5 (`reason`), then DSTU2. Each may be an object where a list is due.
_FIELDS = (
    "reasonCode",
    "reasonReference",
    "reason",
    "diagnosis",
    "reasonCodeableConcept",
    "indication",
)
# Parts of a reason that lead to a concept or reference: Encounter.diagnosis.condition (a list of
# CodeableReference in R5), Encounter.reason.value (R5), CodeableReference.
_PARTS = ("condition", "value", "concept", "reference")
_MAX_DEPTH = 4


class Reason(NamedTuple):
    """One reason. `concept` is None where a reference leads to nothing in the chart."""

    concept: Resource | None
    condition: Resource | None = None
    text: str = ""


def reasons_of(resource: Resource, find: Find) -> Iterator[Reason]:
    """All reasons of an Encounter or order, unreadable ones included."""
    for field in _FIELDS:
        if field in resource:
            yield from _flatten(resource[field], resource, find, _MAX_DEPTH)


def _flatten(value: Any, owner: Resource, find: Find, depth: int) -> Iterator[Reason]:
    for element in listed(value):
        if not isinstance(element, dict) or depth == 0:
            continue
        if isinstance(element.get("reference"), str):
            yield _referenced(element, owner, find)
        elif "coding" in element or "text" in element:
            if _says_something(element):
                yield Reason(element, None, text_of(element))
        elif any(part in element for part in _PARTS):
            for part in _PARTS:
                yield from _flatten(element.get(part), owner, find, depth - 1)
        elif "display" in element or "identifier" in element:
            yield Reason(None, None, string(element.get("display")))


def _referenced(reference: Resource, owner: Resource, find: Find) -> Reason:
    resource = find(reference, owner)
    display = string(reference.get("display"))
    if resource is None or resource.get("resourceType") != "Condition":
        return Reason(None, None, display)
    concept = resource.get("code")
    if not isinstance(concept, dict):
        return Reason(None, resource, display)
    return Reason(concept, resource, text_of(concept) or display)


def _says_something(concept: Resource) -> bool:
    """The public sandbox sends `{"coding": [{}]}` before anything was picked."""
    if string(concept.get("text")):
        return True
    return any(isinstance(coding, dict) and coding for coding in listed(concept.get("coding")))
