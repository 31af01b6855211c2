"""Tolerant reading of FHIR JSON, whatever the release and however it departs from it.

Every function takes any JSON value and gives an empty answer for what it cannot read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cds_service.facts.chart import Resource


def listed(value: Any) -> Sequence[Any]:
    """The elements of a list; a single object stands for a list of one (many EHRs send it so)."""
    if isinstance(value, list):
        return value
    return () if value is None else (value,)


def objects(value: Any) -> Iterator[Resource]:
    """The JSON objects in a list, or the one object sent in its place."""
    for element in listed(value):
        if isinstance(element, dict):
            yield element


def string(value: Any) -> str:
    """A string without outer blanks, or ""."""
    return value.strip() if isinstance(value, str) else ""


def codes(value: Any) -> set[str]:
    """All codes of a code, Coding, CodeableConcept or list of these, in lower case.

    DSTU2 and STU3 write as a plain code what R4 writes as a CodeableConcept (clinicalStatus).
    """
    lowered: set[str] = set()
    if not value:  # most resources leave most of their fields out
        return lowered
    for element in listed(value):
        if isinstance(element, str):
            lowered.add(element.strip().lower())
        elif isinstance(element, dict):
            for coding in listed(element.get("coding")):
                if isinstance(coding, dict) and isinstance(code := coding.get("code"), str):
                    lowered.add(code.strip().lower())
            if "code" in element:
                lowered.add(string(element["code"]).lower())
    lowered.discard("")
    return lowered


def reference_of(resource: Resource) -> str:
    """ "Condition/c1", or the type alone where the resource has no id."""
    kind, identifier = string(resource.get("resourceType")), string(resource.get("id"))
    return f"{kind}/{identifier}" if identifier else kind


def reference_key(reference: Any) -> str:
    """A reference reduced to what can be compared: the last two parts of a path, or a urn.

    Versions ("/_history/2") are cut off. Accepts the Reference object or its string.
    """
    if isinstance(reference, dict):
        reference = reference.get("reference")
    text = string(reference)
    if text.startswith(("urn:", "#")):
        return text
    parts = text.split("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else text


def contained(resource: Resource, key: str) -> Resource | None:
    """The contained resource that a "#id" reference names."""
    for inner in objects(resource.get("contained")):
        if string(inner.get("id")).lstrip("#") == key.lstrip("#"):
            return inner
    return None


def is_true(value: Any) -> bool:
    """Whether a boolean is true; "true" as a string is common enough to count."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
