"""Medications that orders and statements only refer to, read one by one (Epic, US Core).

Only `Medication/id` and the same under the base address are followed: the token goes nowhere else.
A reference that names its drug (`display`) is read only where the EHR left the order to be read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.facts.chart import Resource
from cds_service.gather.manners import Query
from cds_service.gather.urls import Base, UrlRefused, target_of_link, target_under

_OWNERS = (
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "MedicationDispense",
)
_PARTS = 2  # "Medication/id"


def wanted(
    resources: Iterable[Resource], base: Base, *, also_named: bool
) -> Iterator[tuple[str, Query]]:
    """Ids and queries of the Medications that the resources refer to and do not contain.

    `also_named`: also those whose reference has a display.
    """
    for resource in resources:
        if resource.get("resourceType") not in _OWNERS:
            continue
        reference = _reference(resource)
        if reference.get("display") and not also_named:
            continue
        identifier = _id_under(base, reference.get("reference"))
        if identifier:
            yield identifier, Query(f"Medication/{identifier}")


def ids(resources: Iterable[Resource]) -> set[str]:
    """The ids of the Medications among the resources."""
    return {
        identifier
        for resource in resources
        if resource.get("resourceType") == "Medication"
        and isinstance(identifier := resource.get("id"), str)
    }


def _reference(resource: Resource) -> Mapping[str, Any]:
    for key in ("medicationReference", "medication"):
        value = resource.get(key)
        if isinstance(value, dict):
            inner = value.get("reference")
            return inner if isinstance(inner, dict) else value
    return {}


def _id_under(base: Base, reference: Any) -> str:
    if not isinstance(reference, str):
        return ""
    plain = reference.partition("/_history/")[0]
    if plain.count("/") != 1:  # an absolute address, perhaps of another server
        plain = _relative(base, plain)
    parts = plain.split("/")
    if len(parts) != _PARTS or parts[0] != "Medication" or not parts[1] or "?" in plain:
        return ""
    try:
        target_under(base, plain)
    except UrlRefused:
        return ""
    return parts[1]


def _relative(base: Base, address: str) -> str:
    """What lies behind the base in an address under it, else ""."""
    try:
        target = target_of_link(base, address)
    except UrlRefused:
        return ""
    return target.removeprefix(f"{base.path}/") if "?" not in target else ""
