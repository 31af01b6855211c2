"""The `dialect` of a client: a preset and, over it, single settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cds_service.callers.model import STANDARD, Dialect

Json = Any

_OID = "urn:oid:2.16.840.1.113883.6"

PRESETS: Mapping[str, Dialect] = {
    "default": STANDARD,
    # Epic's tutorial (fhir.epic.com, CDS Hooks): only `any`, one action a suggestion, and these
    # three code systems by OID. Orders of its catalogue have codes of each site: `actionCodes`.
    "epic": Dialect(
        selection_behavior="any",
        one_action_per_suggestion=True,
        action_systems={
            "http://hl7.org/fhir/sid/icd-10-cm": f"{_OID}.90",
            "http://hl7.org/fhir/sid/ndc": f"{_OID}.69",
            "http://www.nlm.nih.gov/research/umls/rxnorm": f"{_OID}.88",
        },
    ),
    # Oracle Health's document (fhir.cerner.com, 2021, never made final): cards of CDS Hooks 1.0. It
    # takes links off that the domain does not list: `linkHosts`.
    "oracle": Dialect(specification_version="1.0"),
    # Neither publishes anything in which it departs from the specification; the names are there so
    # that a site's file says whom it speaks with, and gets what is learnt later.
    "athena": STANDARD,
    "ocean": STANDARD,
}

_FIELDS = {
    "specificationVersion": "specification_version",
    "selectionBehavior": "selection_behavior",
    "oneActionPerSuggestion": "one_action_per_suggestion",
    "actionCodes": "action_codes",
    "inputCodeSystems": "input_systems",
    "language": "language",
    "feedback": "feedback",
}


def build_dialect(data: Mapping[str, Json]) -> Dialect:
    """The dialect of a client whose file has passed its schema. Maps add to the preset's."""
    preset = PRESETS[data.get("preset", "default")]
    changes = {field: data[name] for name, field in _FIELDS.items() if name in data}
    if "actionCodeSystems" in data:
        changes["action_systems"] = {**preset.action_systems, **data["actionCodeSystems"]}
    if "linkHosts" in data:
        changes["link_hosts"] = frozenset(data["linkHosts"])
    return replace(preset, **changes)
