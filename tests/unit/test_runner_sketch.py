"""A sketched chart is the FHIR that an EHR would send, and a slip in it is told with its place."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.ruletests.sketch import chart_of, merged
from cds_service.ruletests.sketch_values import SketchError

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FULL: dict[str, Any] = {
    "patient": {"birthDate": "1960-05-05", "gender": "female", "deceased": "-1d"},
    "conditions": [
        "icd10:G47.62",
        "text:leg cramps",
        {
            "code": "snomed:55300003",
            "verification": "provisional",
            "category": "encounter-diagnosis",
            "recorded": "2026-10-21",
            "onset": "-400d",
            "abatement": "-1d",
            "bodySite": "left calf",
        },
    ],
    "encounter": {"class": "AMB", "reasons": ["icd10:R25.2"], "diagnoses": ["icd10:G25.81"]},
    "statements": ["rxnorm:5487", {"text": "naproxen 220 mg", "status": "intended"}],
    "requests": [
        {
            "drug": "rxnorm:9071",
            "ends": "+30d",
            "route": "oral",
            "category": "outpatient",
            "reason": "icd10:R25.2",
            "doNotPerform": False,
        }
    ],
    "observations": [
        {"code": "loinc:2276-4", "value": "<5 ng/mL", "interpretation": "L", "low": "15"},
        {"code": "loinc:77194-9", "value": "0.9", "side": "left", "date": None},
        {"code": "loinc:77194-9", "components": [{"code": "loinc:77195-6", "value": "72 %"}]},
        {"code": "loinc:72166-2", "value": "snomed:449868002", "status": "preliminary"},
        {"code": "loinc:2276-4", "value": "text:about 40"},
        {"code": "loinc:2276-4", "absent": "unknown", "date": "-91d"},
    ],
    "procedures": [{"code": "cpt:93922", "date": "-20d"}],
    "administrations": [{"drug": "rxnorm:24909", "route": "intravenous"}],
    "orders": [{"code": "loinc:2276-4", "authored": "-5d"}],
    "answers": {"Q7": True, "Q8": "often", "date": "-3d"},
    "drafts": [
        {"drug": "rxnorm:9071", "reason": ["icd10:R25.2"], "dose": "one at night"},
        {"test": "cpt:95810", "selected": False, "id": "psg"},
    ],
}


def sketched(**sketch: Any) -> Chart:
    return chart_of(sketch, NOW, questionnaire="urn:questions")


def test_everything_that_a_sketch_can_say_is_valid_fhir() -> None:
    chart = sketched(**FULL)
    resources = [one.body for key in PREFETCH_KEYS for one in chart.slot(key).resources]
    resources += [*(one.body for one in chart.others), *(draft.resource for draft in chart.drafts)]
    assert len(resources) == 20
    assert len({(one["resourceType"], one["id"]) for one in resources}) == len(resources)
    for resource in resources:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_what_is_not_given_is_known_to_be_empty() -> None:
    chart = sketched()
    supplies = {key: chart.slot(key).supply for key in PREFETCH_KEYS if key != "patient"}
    assert set(supplies.values()) == {Supply.EMPTY}
    assert chart.slot("patient").resources[0].body["resourceType"] == "Patient"


def test_a_patient_of_null_is_no_patient() -> None:
    assert sketched(patient=None).slot("patient").supply is Supply.EMPTY


def test_relative_dates_count_from_now() -> None:
    chart = sketched(conditions=[{"code": "icd10:G47.62", "recorded": "-30d", "onset": "+2d"}])
    [condition] = [one.body for one in chart.slot("conditions").resources]
    assert condition["recordedDate"] == "2026-10-22"
    assert condition["onsetDateTime"] == "2026-11-23"


@pytest.mark.parametrize(
    ("written", "quantity"),
    [
        ("49.9 ng/mL", {"value": 49.9, "unit": "ng/mL"}),
        ("<5 ng/mL", {"value": 5, "unit": "ng/mL", "comparator": "<"}),
        (">= 50 ng/mL", {"value": 50, "unit": "ng/mL", "comparator": ">="}),
        ("72 %", {"value": 72, "unit": "%"}),
        ("0.9", {"value": 0.9}),
        (0.905, {"value": 0.905}),
        ("92 10*3/uL", {"value": 92, "unit": "10*3/uL"}),
    ],
)
def test_values(written: Any, quantity: dict[str, Any]) -> None:
    chart = sketched(observations=[{"code": "loinc:2276-4", "value": written}])
    made = chart.slot("observations").resources[0].body["valueQuantity"]
    assert {key: made[key] for key in made if key not in ("system", "code")} == quantity


def test_null_leaves_out_what_is_there_by_default() -> None:
    chart = sketched(
        conditions=[{"code": "icd10:G47.62", "clinical": None, "verification": None}],
        observations=[{"code": "loinc:2276-4", "value": "40 ng/mL", "date": None}],
    )
    [condition] = [one.body for one in chart.slot("conditions").resources]
    assert not {"clinicalStatus", "verificationStatus"} & set(condition)
    assert "effectiveDateTime" not in chart.slot("observations").resources[0].body


def test_a_resource_can_be_made_odd() -> None:
    odd = {"code": "icd10:G47.62", "resource": {"clinicalStatus": "active"}}
    assert (
        sketched(conditions=[odd]).slot("conditions").resources[0].body["clinicalStatus"]
        == "active"
    )


def test_gaps_of_the_supply() -> None:
    chart = sketched(
        conditions=["icd10:G47.62"],
        missing=["observations"],
        failed=["medicationRequests"],
        incomplete=["conditions"],
    )
    assert chart.slot("observations").supply is Supply.MISSING
    assert chart.slot("medicationRequests").supply is Supply.FAILED
    assert chart.slot("conditions").supply is Supply.INCOMPLETE
    assert len(chart.slot("conditions").resources) == 1


def test_drafts_are_selected_unless_said_otherwise() -> None:
    chart = sketched(drafts=FULL["drafts"])
    assert [(d.reference, d.selected) for d in chart.drafts] == [
        ("MedicationRequest/draft-1", True),
        ("ServiceRequest/psg", False),
    ]


def test_a_case_overrides_the_base_by_key_and_the_patient_by_property() -> None:
    base = {"patient": {"birthDate": "1960-05-05", "gender": "female"}, "conditions": ["text:a"]}
    together = merged(base, {"patient": {"gender": "male"}, "conditions": ["text:b"]})
    assert together["patient"] == {"birthDate": "1960-05-05", "gender": "male"}
    assert together["conditions"] == ["text:b"]
    assert merged(base, {"patient": None})["patient"] is None


def test_a_bundle_comes_first_and_what_it_lacks_is_empty() -> None:
    bundle = {
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p"}},
            {"resource": {"resourceType": "Condition", "id": "c"}},
            {"resource": {"resourceType": "Coverage", "id": "x"}},
        ]
    }
    chart = chart_of({"conditions": ["icd10:G47.62"]}, NOW, bundle=bundle)
    assert [one.id for one in chart.slot("conditions").resources] == ["c", "condition-1"]
    assert [one.id for one in chart.slot("patient").resources] == ["p"]
    assert [one.id for one in chart.others] == ["x"]
    assert chart.slot("observations").supply is Supply.EMPTY


@pytest.mark.parametrize(
    ("sketch", "says"),
    [
        ({"condition": []}, "'condition' is not known here. Did you mean 'conditions'?"),
        ({"conditions": "icd10:G47.62"}, "conditions: must be a list"),
        ({"conditions": [{"cod": "icd10:G47.62"}]}, "conditions[0]: 'cod' is not known here."),
        ({"conditions": [{}]}, "conditions[0]: needs 'code'"),
        ({"conditions": ["G47.62"]}, "a code is written prefix:code, not 'G47.62'"),
        ({"conditions": ["icd:G47.62"]}, "no code prefix 'icd'. Did you mean 'icd10'?"),
        (
            {"observations": [{"code": "loinc:1", "value": "low"}]},
            "observations[0].value: not a value",
        ),
        ({"observations": [{"code": "loinc:1", "date": "yesterday"}]}, "not a date: 'yesterday'"),
        ({"observations": [{"code": "loinc:1", "side": "up"}]}, "is 'left' or 'right'"),
        (
            {"missing": ["observation"]},
            "no prefetch key 'observation'. Did you mean 'observations'?",
        ),
        ({"drafts": [{"drug": "text:a", "test": "text:b"}]}, "either for a 'drug' or for a 'test'"),
        ({"answers": [1]}, "answers: must be an object"),
    ],
)
def test_a_slip_is_told_with_its_place(sketch: Any, says: str) -> None:
    with pytest.raises(SketchError) as refused:
        chart_of(sketch, NOW)
    assert says in str(refused.value)
