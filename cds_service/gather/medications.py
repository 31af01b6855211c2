"""Medications that a Bundle names by URN. Only `gather` sees fullUrls, so it resolves them here."""

from collections.abc import Iterable, Mapping

from cds_service.facts.chart import Resource

_LOCAL_ID = "medication-of-bundle"


def resolve_urns(resources: Iterable[Resource], urls: Mapping[str, Resource]) -> list[Resource]:
    """The resources, with a Medication that `medicationReference` names by URN as contained."""
    return [_resolved(resource, urls) for resource in resources]


def _resolved(resource: Resource, urls: Mapping[str, Resource]) -> Resource:
    reference = resource.get("medicationReference")
    urn = reference.get("reference") if isinstance(reference, dict) else None
    medication = urls.get(urn) if isinstance(urn, str) else None
    if medication is None or medication.get("resourceType") != "Medication":
        return resource
    contained = resource.get("contained")
    return resource | {
        "medicationReference": {"reference": f"#{_LOCAL_ID}"},
        "contained": [
            *(contained if isinstance(contained, list) else ()),
            medication | {"id": _LOCAL_ID},
        ],
    }
