"""Charts of three sizes for the bench, made by the same formula every time.

Resources carry what EHRs send around the facts (meta, narrative, several codings), because parsing
that is a part of every answer: a resource has about 1.4 kB, as in public samples of EHR data.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import orjson

Json = dict[str, Any]

NOW = date(2026, 11, 21)
PATIENT = "bench-patient"
SUBJECT = {"reference": f"Patient/{PATIENT}", "display": "Bench Patient"}
SIZES = {"small": 20, "quiet": 140, "typical": 140, "large": 2000}
QUIET = "quiet"  # as large as the typical chart, but of a patient without a leg complaint
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

COMPLAINT = ("G47.62", "Sleep related leg cramps")
CONDITIONS = (
    ("I10", "Essential (primary) hypertension"),
    ("E78.5", "Hyperlipidemia, unspecified"),
    ("M54.50", "Low back pain, unspecified"),
    ("J45.909", "Unspecified asthma, uncomplicated"),
    ("H25.13", "Age-related nuclear cataract, bilateral"),
)
DRUGS = (
    ("310798", "hydrochlorothiazide 25 MG Oral Tablet"),
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("198440", "acetaminophen 500 MG Oral Tablet"),
    ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
)
TESTS = (
    ("2345-7", "Glucose", 95, "mg/dL"),
    ("718-7", "Hemoglobin", 13.4, "g/dL"),
    ("2951-2", "Sodium", 140, "mmol/L"),
    ("2823-3", "Potassium", 4.2, "mmol/L"),
    ("2160-0", "Creatinine", 0.9, "mg/dL"),
    ("8480-6", "Systolic blood pressure", 128, "mm[Hg]"),
    ("29463-7", "Body weight", 71.5, "kg"),
    ("2276-4", "Ferritin", 88, "ng/mL"),
)


def request(size: str) -> bytes:
    """A patient-view call with a chart of about SIZES[size] resources."""
    count = SIZES[size]
    problems = CONDITIONS if size == QUIET else (COMPLAINT, *CONDITIONS)
    conditions = [_condition(n, problems) for n in range(max(2, count // 10))]
    drugs = [_medication(n) for n in range(max(2, count // 10))]
    orders = [_order(n) for n in range(count // 20)]
    tests = count - len(conditions) - len(drugs) - len(orders) - 1
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/bench", "patientId": PATIENT},
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": PATIENT,
                "gender": "female",
                "birthDate": "1958-03-02",
            },
            "conditions": _bundle(conditions),
            "medicationRequests": _bundle(drugs),
            "medicationStatements": _bundle([]),
            "observations": _bundle([_observation(n) for n in range(tests)]),
            "procedures": _bundle([]),
            "serviceRequests": _bundle(orders),
        },
    }
    return orjson.dumps(body)


def _day(back: int) -> str:
    return (NOW - timedelta(days=back)).isoformat()


def _bundle(resources: list[Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [
            {
                "fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}",
                "resource": r,
                "search": {"mode": "match"},
            }
            for r in resources
        ],
    }


def _common(kind: str, n: int, words: str) -> Json:
    return {
        "resourceType": kind,
        "id": f"{kind.lower()}-{n}",
        "meta": {
            "versionId": "3",
            "lastUpdated": f"{_day(n % 300)}T08:30:00.000Z",
            "profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{kind.lower()}"],
        },
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p><b>{kind}</b>: {words}. '
            f"{'Generated narrative of the record system. ' * 5}</p></div>",
        },
        "identifier": [
            {"use": "usual", "system": "https://ehr.example/ids", "value": f"{kind}-{n:08d}"},
            {"use": "secondary", "system": "urn:oid:1.2.36.146.595.217.0.1", "value": f"{n:010d}"},
        ],
        "encounter": {"reference": f"Encounter/e{n % 40}", "display": "Office visit"},
        "subject": SUBJECT,
    }


def _condition(n: int, problems: Sequence[tuple[str, str]]) -> Json:
    code, name = problems[n % len(problems)]
    return _common("Condition", n, name) | {
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": {
            "coding": [
                {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code, "display": name}
            ],
            "text": name,
        },
        "recordedDate": _day(30 + n % 900),
    }


def _medication(n: int) -> Json:
    code, name = DRUGS[n % len(DRUGS)]
    return _common("MedicationRequest", n, name) | {
        "status": "active" if n % 3 else "completed",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {
                    "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                    "code": code,
                    "display": name,
                }
            ],
            "text": name,
        },
        "authoredOn": _day(10 + n % 700),
        "dosageInstruction": [{"text": "1 tablet by mouth daily", "timing": {"code": {}}}],
    }


def _observation(n: int) -> Json:
    code, name, value, unit = TESTS[n % len(TESTS)]
    return _common("Observation", n, name) | {
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": code, "display": name}],
            "text": name,
        },
        "effectiveDateTime": f"{_day(5 + n % 800)}T07:15:00Z",
        "valueQuantity": {
            "value": value + n % 5,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "referenceRange": [{"low": {"value": 1, "unit": unit}, "high": {"value": 150}}],
    }


def _order(n: int) -> Json:
    return _common("ServiceRequest", n, "Lipid panel") | {
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": "http://loinc.org", "code": "57698-3"}]},
        "authoredOn": _day(20 + n),
    }
