"""Calls whose entries have every shape that EHRs and tests have been seen to send."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.calls import (
    bundle,
    condition,
    day,
    medication_request,
    observation,
    order_select,
    patient_view,
)

Json = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
COMPLAINTS = [condition(ICD, "G25.81"), condition(ICD, "G47.62"), condition(ICD, "I73.9")]
FERRITIN = "2276-4"


def low(**more: Any) -> Json:
    return observation(FERRITIN, 32, "ng/mL", **more)


def without(resource: Json, *names: str) -> Json:
    return {name: value for name, value in resource.items() if name not in names}


def coded(*codings: Json, **more: Any) -> Json:
    return {**low(), "code": {"coding": list(codings)}, **more}


def component(code: str, value: float, side: str) -> Json:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}], "text": f"{side} leg"},
        "valueQuantity": {"value": value, "unit": "1"},
    }


OTHER = [observation("2345-7", 95, "mg/dL", days=n) for n in range(1, 30)]
RESULTS: dict[str, list[Json]] = {
    "plain": [low()],
    "the newest decides": [low(days=200), observation(FERRITIN, 90, "ng/mL", days=3)],
    "two on one day": [low(days=9), observation(FERRITIN, 90, "ng/mL", days=9)],
    "two codings": [
        coded({"system": "urn:local", "code": "FER"}, {"system": LOINC, "code": FERRITIN})
    ],
    "two codings of one set": [
        coded({"system": LOINC, "code": FERRITIN}, {"system": LOINC, "code": "20567-4"})
    ],
    "no system": [coded({"code": FERRITIN})],
    "no code": [coded({"system": LOINC, "display": "Ferritin"})],
    "a coding that is null": [coded({"system": LOINC, "code": None})],
    "a code with blanks": [coded({"system": f"{LOINC}/", "code": f" {FERRITIN} "})],
    "a code as a number": [coded({"system": LOINC, "code": 2276})],
    "a code beyond 64 bits": [coded({"system": LOINC, "code": 2**64})],
    "the same, beside a number beyond all": [coded({"system": LOINC, "code": 2**64, "n": 10**400})],
    "codings as an object": [{**low(), "code": {"coding": {"system": LOINC, "code": FERRITIN}}}],
    "code as a list": [{**low(), "code": [{"coding": [{"system": LOINC, "code": FERRITIN}]}]}],
    "a bare coding": [{**low(), "code": {"system": LOINC, "code": FERRITIN}}],
    "a coding inside a coding": [coded({"coding": [{"system": LOINC, "code": FERRITIN}]})],
    "a concept": [
        {**low(), "code": {"concept": {"coding": [{"system": LOINC, "code": FERRITIN}]}}}
    ],
    "a concept beside a coding": [
        {
            **low(),
            "code": {
                "coding": [{"code": "x"}],
                "concept": {"coding": [{"system": LOINC, "code": FERRITIN}]},
            },
        }
    ],
    "text alone": [{**low(), "code": {"text": "Ferritin"}}],
    "without a code": [without(low(), "code")],
    "preliminary": [low(status="preliminary")],
    "status in capitals": [low(status=" FINAL ")],
    "entered in error": [low(status="entered-in-error"), low(days=100)],
    "without a status": [without(low(), "status")],
    "status null": [{**low(), "status": None}],
    "without a date": [low(days=None)],
    "of the future": [low(days=-9), low(days=100)],
    "date and time": [{**low(), "effectiveDateTime": f"{day(5)}T08:00:00+02:00"}],
    "a broken time": [{**low(), "effectiveDateTime": f"{day(5)}T24:61"}],
    "month only": [{**low(), "effectiveDateTime": day(40)[:7]}],
    "a period": [
        {**without(low(), "effectiveDateTime"), "effectivePeriod": {"start": day(9), "end": day(8)}}
    ],
    "issued only": [{**without(low(), "effectiveDateTime"), "issued": f"{day(5)}T08:00:00Z"}],
    "no number": [{**low(), "valueQuantity": {"value": "see text", "unit": "ng/mL"}}],
    "text value": [{**without(low(), "valueQuantity"), "valueString": "low"}],
    "another unit": [observation(FERRITIN, 50, "pmol/L")],
    "a bound": [observation(FERRITIN, "<5", "ng/mL")],
    "absent": [
        {**without(low(), "valueQuantity"), "dataAbsentReason": {"coding": [{"code": "error"}]}}
    ],
    "flag and range": [
        observation(
            "2823-3",
            3.1,
            "mmol/L",
            interpretation=[{"coding": [{"code": "L"}]}],
            referenceRange=[{"low": {"value": 3.5, "unit": "mmol/L"}}],
        )
    ],
    "components": [
        {
            **without(observation("77194-9", 1, "1"), "valueQuantity"),
            "component": [component("77195-6", 0.7, "left"), component("77196-4", 1.0, "right")],
        }
    ],
    "component null": [{**low(), "component": None}],
    "coded values": [
        {
            **without(observation("82810-3", 1, "1"), "valueQuantity"),
            "valueCodeableConcept": {
                "coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]
            },
        }
    ],
    "absolute reference": [
        {**low(), "subject": {"reference": "https://ehr.example/Patient/pat-1"}}
    ],
    "versioned reference": [{**low(), "subject": {"reference": "Patient/pat-1/_history/3"}}],
    "another patient's": [{**low(), "subject": {"reference": "Patient/other"}}],
    "another patient's, and this one's": [
        {**low(), "subject": {"reference": "Patient/other"}},
        observation(FERRITIN, 90, "ng/mL", days=50),
    ],
    "a urn": [{**low(), "subject": {"reference": "urn:uuid:8c39d1f2"}}],
    "without a subject": [without(low(), "subject")],
    "another patient's by `patient`": [
        {**low(), "subject": {}, "patient": {"reference": "Patient/other"}}
    ],
    "subject by display": [{**low(), "subject": {"display": "Pat One"}}],
    "without an id": [without(low(), "id")],
    "the same twice": [low(id="o-1"), low(id="o-1")],
    "a contained performer": [
        {**low(), "contained": [{"resourceType": "Practitioner", "id": "p"}]}
    ],
    "large numbers": [{**low(), "identifier": [{"value": 2**70}], "note": [{"n": 1e300}]}],
    "letters outside ASCII": [{**low(), "note": [{"text": "Müdigkeit \u2013 Ödem \U0001f9b5"}]}],
    "no type": [without(low(), "resourceType")],
    "no resource": [],
}


def set_link(relation: str) -> Callable[[Json], None]:
    def change(sent: Json) -> None:
        sent["link"] = [{"relation": relation, "url": "https://ehr.example/Observation?page=2"}]

    return change


def set_entry(entry: Any) -> Callable[[Json], None]:
    return lambda sent: sent["entry"].append(entry)


BUNDLES: dict[str, Callable[[Json], Any]] = {
    "a link to itself": set_link("self"),
    "a next page": set_link("next"),
    "a total that is larger": lambda sent: sent.update(total=99),
    "a total that is null": lambda sent: sent.update(total=None),
    "a total beyond all numbers": lambda sent: sent.update(total=10**23),
    "no total": lambda sent: sent.pop("total"),
    "a warning": set_entry(
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}}
    ),
    "an error": set_entry(
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}
    ),
    "an included Patient": set_entry({"resource": {"resourceType": "Patient", "id": "pat-1"}}),
    "a Condition": set_entry({"resource": condition(ICD, "R25.2")}),
    "a Bundle": set_entry({"resource": bundle([low(days=1)])}),
    "an empty entry": set_entry({}),
    "an entry that is null": set_entry(None),
    "an entry by a urn": set_entry({"fullUrl": "urn:uuid:1", "resource": low()}),
    "entries as an object": lambda sent: sent.update(entry=sent["entry"][0]),
    "no entries": lambda sent: sent.pop("entry"),
    "no type": lambda sent: sent.pop("resourceType"),
}


def call(observations: list[Json]) -> Json:
    """A review of a patient with three complaints and a drug."""
    return patient_view(
        conditions=COMPLAINTS,
        observations=observations,
        medicationRequests=[medication_request("310798", "hydrochlorothiazide 25 MG Oral Tablet")],
    )


def of_patient(**more: Any) -> Json:
    """A review of a patient about whom more is said."""
    request = call([low()])
    request["prefetch"]["patient"] |= more
    return request


def with_bundle(change: Callable[[Json], Any]) -> Json:
    request = call([*OTHER[:3], low()])
    change(request["prefetch"]["observations"])
    return request


def inside(results: list[Json], **more: Any) -> Json:
    return {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", **more} | {
        "contained": results
    }


def addressed(url: str, resource: Json) -> Json:
    return {"fullUrl": url, "resource": without(resource, "id")}


def drafted(*entries: Json, selections: list[Any], **lists: Any) -> Json:
    request = order_select([], [], **lists)
    request["context"]["draftOrders"]["entry"] = list(entries)
    request["context"]["selections"] = selections
    return request


QUININE = {
    **medication_request(text="Quinine sulfate 324 MG Oral Capsule", status="draft"),
    "id": "d1",
    "reasonReference": [{"reference": "urn:uuid:c-1"}],
}
BY_URN = {
    **without(QUININE, "medicationCodeableConcept"),
    "medicationReference": {"reference": "https://e/fhir/Medication/q/_history/2"},
}
DRUG = {"resourceType": "Medication", "code": {"text": "quinine"}}
CRAMP = condition(ICD, "G47.62")
CALLS: dict[str, Json] = {
    **{name: call(results) for name, results in RESULTS.items()},
    **{f"among others: {name}": call(OTHER[:5] + results) for name, results in RESULTS.items()},
    **{f"Bundle: {name}": with_bundle(change) for name, change in BUNDLES.items()},
    "a patient with numbers": of_patient(multipleBirthInteger=2**70, link=[1, 2.5, {"a": 1}]),
    "a patient in half a surrogate": of_patient(name=[{"text": "\ud800"}], language="\ud800"),
    "a patient with an object": of_patient(maritalStatus={"text": "m", "n": 1e300, "coding": []}),
    "inside a report": call([inside([low()], subject={"reference": "Patient/pat-1"})]),
    "inside a withdrawn one": call([inside([low(days=3)], status="entered-in-error"), low()]),
    "inside two": call([inside([low(id="1")]), inside([low(id="1", days=3)], id="r2")]),
    "an array": {**call([]), "prefetch": {**call([])["prefetch"], "observations": [low()]}},
    "Parameters": with_bundle(
        lambda sent: sent.update(
            resourceType="Parameters", parameter=[{"name": "a", "resource": low()}, {"name": "b"}]
        )
    ),
    "a draft by address": drafted(
        addressed("https://e/fhir/MedicationRequest/d1/_history/1", QUININE),
        addressed("urn:uuid:C-1", CRAMP),
        selections=["MedicationRequest/d1"],
    ),
    "a Medication by address": drafted(
        {"fullUrl": "urn:uuid:9", "resource": BY_URN},
        addressed("https://e/fhir/Medication/q", DRUG),
        selections=["urn:uuid:9/_history/1"],
        conditions=[CRAMP],
    ),
    "a selection as a reference": drafted(
        {"resource": QUININE}, selections=[{"reference": "d1"}], observations=[low()]
    ),
}
CALLS = {name: json.loads(json.dumps(request)) for name, request in CALLS.items()}
