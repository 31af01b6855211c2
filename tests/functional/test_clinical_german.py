"""ICD-10-GM: how sure a diagnosis is stands in an extension of its coding; statuses in German."""

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import dx, request, rx

URL = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
SYSTEM = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
DRUG = "hydrochlorothiazide"


def cramp(*extensions: Json, **more: object) -> Json:
    coding: Json = {"system": GM, "code": "R25.2"}
    if extensions:
        coding["extension"] = list(extensions)
    return dx("icd:R25.2", clinical=None, verification=None, **more) | {
        "code": {"coding": [coding]}
    }


def sure(letter: str) -> Json:
    return {"url": URL, "valueCoding": {"system": SYSTEM, "code": letter}}


def said(caller: Caller, problem: Json) -> str:
    cards = caller.cards(request(conditions=[problem], medicationRequests=[rx("rx:310798")]))
    return " ".join(card["summary"] for card in cards["cards"])


@pytest.mark.parametrize(
    "problem", [cramp(), cramp(sure("G")), cramp(sure("V")), cramp({"url": "urn:x"}, sure("G"))]
)
def test_a_diagnosis_that_counts(caller: Caller, problem: Json) -> None:
    assert said(caller, problem).startswith(f"Leg cramps on {DRUG}")


@pytest.mark.parametrize(
    "problem",
    [
        cramp(sure("A")),
        cramp({"url": URL.replace("http:", "https:"), "valueCode": "A"}),
        cramp(extension=[{"url": URL, "valueCode": "a"}]),
        cramp(sure("A")) | {"verificationStatus": {"coding": [{"code": "confirmed"}]}},
        cramp(verificationStatus={"coding": [{"system": SYSTEM, "code": "A"}]}),
        cramp(sure("Z")),
    ],
)
def test_one_that_is_excluded_or_over(caller: Caller, problem: Json) -> None:
    assert said(caller, problem) == ""


def test_a_state_after_it_that_is_active_counts(caller: Caller) -> None:
    problem = cramp(sure("Z")) | {"clinicalStatus": {"coding": [{"code": "active"}]}}
    assert said(caller, problem).startswith(f"Leg cramps on {DRUG}")


@pytest.mark.parametrize(
    ("status", "taken"),
    [("aktiv", True), ("laufend", True), ("abgesetzt", False), ("pausiert", False)],
)
def test_a_status_of_a_drug_in_german(caller: Caller, status: str, taken: bool) -> None:
    chart = request(conditions=[cramp()], medicationRequests=[rx("rx:310798", status=status)])
    assert bool(caller.cards(chart)["cards"]) is taken
