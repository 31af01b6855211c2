"""FHIR R4 resources from the entries of a chart sketch (docs/rule-format.md, Tests of rules).

Each builder takes one entry and gives the resource that an EHR would send for it; `"resource"` in
an entry replaces properties of what was built, for the odd record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cds_service.facts.chart import Resource
from cds_service.ruletests.sketch_values import (
    Json,
    SketchError,
    checked,
    concept,
    entry_of,
    moment,
    quantity,
    value_of,
    without_gaps,
    words_or_concept,
)

PATIENT = "Patient/patient-1"
_RECENT = "-10d"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_SIDES = {"left": "snomed:7771000", "right": "snomed:24028007"}

_DRUG_KEYS = frozenset(
    {
        "drug",
        "text",
        "status",
        "authored",
        "effective",
        "ends",
        "route",
        "category",
        "doNotPerform",
        "reason",
        "id",
        "intent",
        "dose",
        "resource",
    }
)
_GIVEN_KEYS = frozenset(
    {"code", "drug", "text", "status", "date", "route", "type", "id", "resource"}
)
_OBSERVATION_KEYS = frozenset(
    {
        "code",
        "value",
        "status",
        "date",
        "interpretation",
        "low",
        "high",
        "side",
        "bodySite",
        "components",
        "absent",
        "text",
        "category",
        "id",
        "issued",
        "resource",
    }
)
_COMPONENT_KEYS = frozenset({"code", "value", "side", "interpretation", "low", "text"})
_CONDITION_KEYS = frozenset(
    {
        "code",
        "text",
        "clinical",
        "verification",
        "category",
        "recorded",
        "onset",
        "abatement",
        "bodySite",
        "id",
        "resource",
    }
)
_ORDER_KEYS = frozenset({"code", "text", "status", "authored", "intent", "id", "resource"})
_DRAFT_KEYS = frozenset(
    {"drug", "test", "text", "reason", "selected", "id", "route", "dose", "status", "resource"}
)
_PATIENT_KEYS = frozenset({"birthDate", "gender", "deceased", "id"})
_ENCOUNTER_KEYS = frozenset({"class", "reasons", "status", "id", "diagnoses"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands, and the time that its dates count from."""

    name: str  # "observations[0]"
    number: int
    now: datetime

    def on(self, entry: Mapping[str, Json], key: str, default: str | None = None) -> str | None:
        """The date of an entry's key; the default only where the key is not given."""
        return moment(entry.get(key, default), self.now, f"{self.name}.{key}")

    def concept(self, entry: Mapping[str, Json], key: str) -> dict[str, Json]:
        """The concept of an entry's key, with the words of its `text`."""
        if key not in entry and "text" in entry:
            return {"text": entry["text"]}
        if key not in entry:
            raise SketchError(self.name, f"needs '{key}'")
        return concept(entry[key], f"{self.name}.{key}", entry.get("text", ""))


Builder = Callable[[Json, Place], Resource]


def _made(kind: str, entry: Mapping[str, Json], place: Place, properties: Resource) -> Resource:
    identity = {"resourceType": kind, "id": entry.get("id", f"{kind.lower()}-{place.number}")}
    if kind != "Patient":
        identity["subject"] = {"reference": PATIENT}
    return without_gaps({**identity, **properties, **entry.get("resource", {})})


def _status(system: str, code: str | None) -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]} if code else None


def patient(value: Json, place: Place) -> Resource:
    """The Patient; `deceased` is true or when."""
    entry = checked(value, _PATIENT_KEYS, place.name)
    properties = {key: entry[key] for key in ("birthDate", "gender") if key in entry}
    deceased = entry.get("deceased")
    if isinstance(deceased, bool):
        properties["deceasedBoolean"] = deceased
    elif deceased:
        properties["deceasedDateTime"] = place.on(entry, "deceased")
    return _made("Patient", {"id": "patient-1", **entry}, place, properties)


def encounter(value: Json, place: Place) -> Resource:
    """The current Encounter. Its diagnoses are contained Conditions."""
    entry = checked(value, _ENCOUNTER_KEYS, place.name)
    coded = entry.get("class")
    diagnoses = [
        _diagnosis(n, concept(code, f"{place.name}.diagnoses"))
        for n, code in enumerate(entry.get("diagnoses", []), 1)
    ]
    properties: Resource = {
        "status": entry.get("status", "in-progress"),
        "class": {"system": f"{_HL7}/v3-ActCode", "code": coded} if coded else None,
        "reasonCode": [concept(code, f"{place.name}.reasons") for code in entry.get("reasons", [])],
        "contained": diagnoses,
        "diagnosis": [
            {"condition": {"reference": f"#{diagnosis['id']}"}} for diagnosis in diagnoses
        ],
    }
    return _made("Encounter", entry, place, properties)


def _diagnosis(number: int, code: Resource) -> Resource:
    subject = {"reference": PATIENT}
    return {"resourceType": "Condition", "id": f"d{number}", "subject": subject, "code": code}


def condition(value: Json, place: Place) -> Resource:
    """A Condition: active, confirmed, on the problem list unless said otherwise; null is none."""
    entry = entry_of(value, "code", _CONDITION_KEYS, place.name)
    category = _status("condition-category", entry.get("category", "problem-list-item"))
    properties = {
        "clinicalStatus": _status("condition-clinical", entry.get("clinical", "active")),
        "verificationStatus": _status(
            "condition-ver-status", entry.get("verification", "confirmed")
        ),
        "category": [category] if category else None,
        "code": place.concept(entry, "code"),
        "bodySite": _sites(entry, place),
        "recordedDate": place.on(entry, "recorded"),
        "onsetDateTime": place.on(entry, "onset"),
        "abatementDateTime": place.on(entry, "abatement"),
    }
    return _made("Condition", entry, place, properties)


def statement(value: Json, place: Place) -> Resource:
    """A MedicationStatement, stated ten days ago unless said otherwise."""
    entry = entry_of(value, "drug", _DRUG_KEYS, place.name)
    when = place.on(entry, "effective" if "effective" in entry else "authored", _RECENT)
    ends = place.on(entry, "ends")
    period = {"effectivePeriod": without_gaps({"start": when, "end": ends})}
    properties = {
        "status": entry.get("status", "active"),
        "medicationCodeableConcept": place.concept(entry, "drug"),
        **(period if ends else {"effectiveDateTime": when}),
        "dosage": _dosage(entry, place),
        "category": _status("medication-statement-category", entry.get("category")),
        "reasonCode": _reasons(entry, place),
    }
    return _made("MedicationStatement", entry, place, properties)


def request(value: Json, place: Place) -> Resource:
    """An order for a drug, written ten days ago unless said otherwise."""
    entry = entry_of(value, "drug", _DRUG_KEYS, place.name)
    category = _status("medicationrequest-category", entry.get("category"))
    ends = place.on(entry, "ends")
    when = place.on(entry, "effective" if "effective" in entry else "authored", _RECENT)
    properties = {
        "status": entry.get("status", "active"),
        "intent": entry.get("intent", "order"),
        "category": [category] if category else None,
        "doNotPerform": entry.get("doNotPerform"),
        "medicationCodeableConcept": place.concept(entry, "drug"),
        "authoredOn": when,
        "dispenseRequest": {"validityPeriod": {"end": ends}} if ends else None,
        "dosageInstruction": _dosage(entry, place),
        "reasonCode": _reasons(entry, place),
    }
    return _made("MedicationRequest", entry, place, properties)


def observation(value: Json, place: Place) -> Resource:
    """A final Observation of ten days ago unless said otherwise; `"date": null` is undated."""
    entry = entry_of(value, "code", _OBSERVATION_KEYS, place.name)
    category = _status("observation-category", entry.get("category"))
    parts = [
        without_gaps(_result(checked(part, _COMPONENT_KEYS, f"{place.name}.components"), place))
        for part in entry.get("components", [])
    ]
    properties = {
        "status": entry.get("status", "final"),
        "category": [category] if category else None,
        **_result(entry, place),
        "effectiveDateTime": place.on(entry, "date", _RECENT),
        "issued": place.on(entry, "issued"),
        "component": parts,
    }
    return _made("Observation", entry, place, properties)


def _result(entry: Mapping[str, Json], place: Place) -> Resource:
    """What an Observation and its components have in common."""
    flag = entry.get("interpretation")
    limits = {key: _limit(entry[key], entry) for key in ("low", "high") if key in entry}
    absent = entry.get("absent")
    return {
        "code": place.concept(entry, "code"),
        **value_of(entry.get("value"), f"{place.name}.value"),
        "interpretation": [_status("v3-ObservationInterpretation", flag)] if flag else None,
        "referenceRange": [limits] if limits else None,
        "dataAbsentReason": _status("data-absent-reason", absent),
        "bodySite": _site(entry, place),
    }


def _limit(limit: Json, entry: Mapping[str, Json]) -> Resource:
    """A reference limit; in the unit of the value where it names none."""
    limit_quantity = quantity(str(limit), "low")
    measured = value_of(entry.get("value"), "value").get("valueQuantity", {})
    shared = {key: measured[key] for key in ("unit", "system", "code") if key in measured}
    return shared | limit_quantity


def procedure(value: Json, place: Place) -> Resource:
    """A completed Procedure of ten days ago unless said otherwise; `type`: another resource."""
    entry = entry_of(value, "code", _GIVEN_KEYS, place.name)
    kind = entry.get("type", "Procedure")
    when = "performedDateTime" if kind == "Procedure" else "effectiveDateTime"
    properties = {
        "status": entry.get("status", "completed" if kind == "Procedure" else "final"),
        "code": place.concept(entry, "code"),
        when: place.on(entry, "date", _RECENT),
    }
    return _made(kind, entry, place, properties)


def administration(value: Json, place: Place) -> Resource:
    """A completed MedicationAdministration of ten days ago unless said otherwise."""
    entry = entry_of(value, "drug", _GIVEN_KEYS, place.name)
    route = entry.get("route")
    properties = {
        "status": entry.get("status", "completed"),
        "medicationCodeableConcept": place.concept(entry, "drug"),
        "effectiveDateTime": place.on(entry, "date", _RECENT),
        "dosage": {"route": words_or_concept(route, place.name)} if route else None,
    }
    return _made("MedicationAdministration", entry, place, properties)


def order(value: Json, place: Place) -> Resource:
    """An active ServiceRequest of ten days ago unless said otherwise."""
    entry = entry_of(value, "code", _ORDER_KEYS, place.name)
    properties = {
        "status": entry.get("status", "active"),
        "intent": entry.get("intent", "order"),
        "code": place.concept(entry, "code"),
        "authoredOn": place.on(entry, "authored", _RECENT),
    }
    return _made("ServiceRequest", entry, place, properties)


def draft(value: Json, place: Place) -> Resource:
    """A draft order: a MedicationRequest for `drug`, a ServiceRequest for `test`."""
    entry = checked(value, _DRAFT_KEYS, place.name)
    is_test = "test" in entry
    if is_test and "drug" in entry:
        raise SketchError(place.name, "is either for a 'drug' or for a 'test'")
    named = place.concept(entry, "test" if is_test else "drug")
    properties: Resource = {
        "status": entry.get("status", "draft"),
        "intent": "order",
        "code" if is_test else "medicationCodeableConcept": named,
        "reasonCode": _reasons(entry, place),
        "dosageInstruction": _dosage(entry, place),
    }
    kind = "ServiceRequest" if is_test else "MedicationRequest"
    return _made(kind, {"id": f"draft-{place.number}", **entry}, place, properties)


def _dosage(entry: Mapping[str, Json], place: Place) -> list[Resource]:
    route = entry.get("route")
    dosage = {
        "text": entry.get("dose"),
        "route": words_or_concept(route, f"{place.name}.route") if route else None,
    }
    return [written] if (written := without_gaps(dosage)) else []


def _reasons(entry: Mapping[str, Json], place: Place) -> list[Resource]:
    given = entry.get("reason", [])
    reasons = given if isinstance(given, list) else [given]
    return [concept(reason, f"{place.name}.reason") for reason in reasons]


def _site(entry: Mapping[str, Json], place: Place) -> Resource | None:
    if "side" in entry:
        if entry["side"] not in _SIDES:
            raise SketchError(f"{place.name}.side", "is 'left' or 'right'")
        return concept(_SIDES[entry["side"]], place.name, f"{entry['side']} leg")
    site = entry.get("bodySite")
    return words_or_concept(site, f"{place.name}.bodySite") if site else None


def _sites(entry: Mapping[str, Json], place: Place) -> list[Resource]:
    site = _site(entry, place)
    return [site] if site else []
