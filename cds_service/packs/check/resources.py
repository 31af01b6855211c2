"""Check of order templates as FHIR R4. Slow to import, so only done where time does not matter."""

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.source import Entry, PackSource, obj, word

Json = Any


def check(source: PackSource) -> Iterator[Problem]:
    """Order templates that are not valid once the patient is filled in."""
    for entry in source.orders.values():
        if word(obj(entry.data).get("resourceType")) in ("ServiceRequest", "MedicationRequest"):
            yield from _resource(entry, obj(entry.data))


def _resource(entry: Entry, template: Mapping[str, Json]) -> Iterator[Problem]:
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    filled = {**template, "subject": {"reference": "Patient/example"}}
    try:
        get_fhir_model_class(template["resourceType"]).model_validate(filled)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            message = f"Not valid as FHIR R4: {fault['msg'].rstrip('.')}."
            where = ".".join(map(str, fault["loc"]))
            path = (*entry.path, *fault["loc"])
            yield entry.document.problem(path, "C409", message, f"At {where}.")
