"""Results whose code and name, or two codes, are of different tests: none is believed."""

from typing import Any

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import concept, draft_drug, dx, lab, request, rx

FERRITIN, POTASSIUM, MAGNESIUM, CALCIUM = "2276-4", "2823-3", "19123-9", "17861-6"
CHART = [dx("icd:G47.62"), dx("icd:G25.81")]


def named(code: str, value: float, unit: str, *said: str) -> Json:
    return lab(code, value, unit) | {"code": concept(f"loinc:{code}", *said)}


def warnings(caller: Caller, *results: Json) -> list[str]:
    cards = caller.cards(request(conditions=CHART, observations=results))["cards"]
    assert any("cannot be read" in c["summary"] or "not readable" in c["summary"] for c in cards)
    return [card["summary"] for card in cards if card["indicator"] != "info"]


@pytest.mark.parametrize(
    "result",
    [
        named(FERRITIN, 30, "ng/mL", "text:Transferrin"),
        named(FERRITIN, 30, "ng/mL", "text:Ferritin, urine"),
        named(FERRITIN, 30, "ng/mL", "text:Soluble transferrin receptor"),
        named(POTASSIUM, 2.6, "mmol/L", "text:Glucose"),
        named(POTASSIUM, 2.6, "mmol/L", "text:Potassium, urine"),
        named(POTASSIUM, 2.6, "mmol/L", "text:Chlorid"),
        named(MAGNESIUM, 0.9, "mg/dL", "text:Manganese"),
        named(CALCIUM, 1.2, "mmol/L", "text:Ionized calcium"),
        named(POTASSIUM, 2.6, "mmol/L", "loinc:2951-2"),
        named(POTASSIUM, 2.6, "mmol/L", "loinc:2951-2", "text:Potassium"),
    ],
)
def test_none_of_two_tests_is_believed(caller: Caller, result: Json) -> None:
    assert warnings(caller, result) == []


@pytest.mark.parametrize(
    "said",
    [
        "text:K+",
        "text:Basic metabolic panel",
        "text:Potassium, serum",
        "text:Potassium, non-urine",
        "text:Potassium (not for urine)",
        "text:Potassium w/ reflex to urine",
        "loinc:2823-3",
        "local:K",
    ],
)
def test_what_is_no_other_test(caller: Caller, said: str) -> None:
    result = named(POTASSIUM, 2.6, "mmol/L", said)
    cards = caller.cards(request(conditions=CHART, observations=[result]))["cards"]
    assert "very low potassium (2.6 mmol/L" in cards[0]["summary"]


@pytest.mark.parametrize("words", ["Vitamin B12", "Vitamin B-12", "B12", "Cobalamin, serum"])
def test_a_vitamin_b12_is_no_other_test(caller: Caller, words: str) -> None:
    """A low one is a reason for the order, of which nothing is said then."""

    def cards(result: Json) -> Any:
        draft = draft_drug("rx:11248")
        return caller.cards(request(conditions=CHART[:1], observations=[result], drafts=[draft]))

    assert cards(named("2132-9", 120, "pg/mL", f"text:{words}"))["cards"] == []
    unread = lab("1", 120, "pg/mL") | {"code": concept(f"text:{words}")}
    (card,) = cards(unread)["cards"]
    assert "Not checked: whether the drug has another recorded use" in card["detail"]


def test_a_finding_in_words_of_another_kind_is_read(caller: Caller) -> None:
    """The words "urinary" make a result one of another kind, and no finding."""
    display = "Painless urinary retention due to cauda equina syndrome (disorder)"
    found: dict[str, Any] = lab("1", 1, "1") | {"valueBoolean": True}
    del found["valueQuantity"]
    found["code"] = {"coding": [concept("sct:782390002")["coding"][0] | {"display": display}]}
    card = caller.cards(request(conditions=CHART, observations=[found]))["cards"][0]
    assert "auda equina" in card["summary"]


def test_a_filler_is_no_ingredient(caller: Caller) -> None:
    part = {"itemCodeableConcept": {"text": "Hydrochlorothiazide"}}
    product: Json = {"resourceType": "Medication", "id": "p", "code": concept("local:1")}

    def cards(**more: Any) -> list[Json]:
        medication = product | {"ingredient": [part | more]}
        order = rx(contained=[medication], medicationReference={"reference": "#p"})
        answer: list[Json] = caller.cards(
            request(conditions=[dx("icd:G47.62")], medicationRequests=[order])
        )["cards"]
        return answer

    assert "hydrochlorothiazide" in cards()[0]["summary"]
    assert "hydrochlorothiazide" in cards(isActive=True)[0]["summary"]
    assert cards(isActive=False) == []


@pytest.mark.parametrize(
    "words",
    [
        "Ferritin (ng/mL)",
        "Ferritin lvl",
        "FERRITINA EN SUERO",
        "P-Ferritin",
        "Ferritin SerPl-mCnc",
        "Ferritin (Roche)",
        "Ferritin, EDTA plasma",
        "Ferritin POC",
    ],
)
def test_a_name_with_its_unit_or_specimen(caller: Caller, words: str) -> None:
    result = lab("1", 30, "ng/mL") | {"code": concept(f"text:{words}")}
    assert warnings(caller, result) == []


def test_a_creatine_kinase_by_its_name_beside_a_statin(caller: Caller) -> None:
    result = lab("1", 5000, "U/L") | {"code": concept("text:CK (U/L)")}
    chart = request(conditions=CHART[:1], medicationRequests=[rx("text:simvastatin 40 mg")])
    chart["prefetch"]["observations"]["entry"] = [{"resource": result}]
    details = [card["summary"] + card["detail"] for card in caller.cards(chart)["cards"]]
    assert "a CK (2026-10-22) that cannot be read here" in details[0]
    assert not any("no reason to stop" in text or "outweigh" in text for text in details)
