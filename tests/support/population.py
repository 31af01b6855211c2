"""A small Bulk Data export with all that a real one has wrong with it, written for this project."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Json = dict[str, Any]

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
KINDS = {"chart": "charts", "call": "calls", "rule": "decisions.parquet", "variant": "variants"}


def chart(number: int, *, visits: int = 2) -> list[Json]:
    """A patient with restless legs, a diuretic by reference, a ferritin that depends on the number
    (10 to 109 ng/mL), and encounters a year apart."""
    patient = f"p{number}"
    mine: Json = {"subject": {"reference": f"Patient/{patient}"}}
    absolute: Json = {"subject": {"reference": f"https://ehr.example/fhir/Patient/{patient}"}}
    resources: list[Json] = [
        {
            "resourceType": "Patient",
            "id": patient,
            "gender": ("female", "male")[number % 2],
            "birthDate": f"{1940 + number % 50}-05-05",
        },
        {
            "resourceType": "Condition",
            "id": f"{patient}-rls",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"coding": [{"system": ICD10, "code": "G25.81"}]},
            "recordedDate": "2021-03-01",
            **absolute,
        },
        {
            "resourceType": "Observation",
            "id": f"{patient}-ferritin",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "2276-4"}]},
            "valueQuantity": {"value": 10 + number % 100, "unit": "ng/mL"},
            "effectiveDateTime": "2021-02-01",
            **mine,
        },
        {
            "resourceType": "MedicationRequest",
            "id": f"{patient}-drug",
            "status": "active",
            "intent": "order",
            "medicationReference": {"reference": "Medication/hctz"},
            "authoredOn": "2021-03-01T08:00:00Z",
            "encounter": {"reference": f"Encounter/{patient}-v1"},
            **mine,
        },
        {"resourceType": "AllergyIntolerance", "id": f"{patient}-a", "patient": mine["subject"]},
    ]
    for visit in range(visits):
        resources.append(
            {
                "resourceType": "Encounter",
                "id": f"{patient}-v{visit}",
                "status": "finished",
                "class": {"code": "AMB"},
                "period": {"start": f"{2020 + visit}-03-01T08:00:00Z"},
                "participant": [{"individual": {"reference": f"Practitioner/d{number % 3}"}}],
                **mine,
            }
        )
    return resources


def medication() -> Json:
    """The drug that the charts refer to."""
    return {
        "resourceType": "Medication",
        "id": "hctz",
        "code": {"coding": [{"system": RXNORM, "code": "5487"}]},
    }


def write_export(folder: Path, resources: list[Json], *, seed: int = 0, damaged: int = 0) -> Path:
    """One NDJSON file a type, the lines in an order that the seed decides; `damaged` lines are cut
    off in the middle."""
    shuffled = list(resources)
    random.Random(seed).shuffle(shuffled)
    folder.mkdir(parents=True)
    lines: dict[str, list[str]] = {}
    for resource in shuffled:
        lines.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for number in range(damaged):
        lines["Observation"].append(f'{{"resourceType":"Observation","id":"cut-{number}","sub')
    for kind, of_kind in lines.items():
        (folder / f"{kind}.ndjson").write_text("\n".join(of_kind) + "\n")
    return folder


def rows(run: Path) -> Counter[str]:
    """All rows of a run that say something of a chart, as text, whatever their files and order."""
    found: Counter[str] = Counter()
    for folder in KINDS.values():
        for path in (run / folder).rglob("*.parquet"):
            for row in pq.ParquetFile(path).read().to_pylist():
                found[f"{folder} {sorted(row.items())}"] += 1
    return found


def left_out(run: Path) -> Counter[str]:
    """What was left out, by reason."""
    counts: Counter[str] = Counter()
    for path in (run / "left-out").glob("*.parquet"):
        for row in pq.ParquetFile(path).read().to_pylist():
            counts[row["outcome"]] += row["count"]
    return counts
