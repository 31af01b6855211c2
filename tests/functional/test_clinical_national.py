"""National forms: how sure an ICD-10-GM diagnosis is, statuses in German, other addresses."""

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import dx, lab, request, rx, told

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


SCT = "http://snomed.info/sct"
BOTH = "warning rls.low-ferritin + rls.coexisting-cramp"
SUSPECTED = BOTH.replace(" + rls.coexisting-cramp", "")


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"coding": [{"system": SYSTEM, "code": "G"}]}, BOTH),
        ({"coding": [{"system": SYSTEM, "code": "V"}]}, SUSPECTED),
        ({"text": "gesichert"}, BOTH),
        ({"text": "Bestätigt"}, BOTH),
        ({"text": "nicht gesichert"}, SUSPECTED),
        ({"text": "Not ruled out"}, SUSPECTED),
        ({"text": "Not confirmed"}, SUSPECTED),
        ({"coding": [{"system": SCT, "code": "410605003", "display": "Definite"}]}, BOTH),
        ({"coding": [{"system": SCT, "code": "410516002", "display": "Known absent"}]}, None),
        ({"text": "Known absent"}, None),
        ({"text": "Fehlerhaft"}, None),
    ],
)
def test_how_sure_a_problem_is_in_words(caller: Caller, status: Json, line: str | None) -> None:
    """With restless legs that are sure, the cramp beside them is told on one card."""
    rls = dx("icd:G25.81", verification=None) | {"verificationStatus": status}
    ferritin = lab("2276-4", 30, "ng/mL")
    chart = request(conditions=[rls, dx("icd:G47.62")], observations=[ferritin])
    first = told(caller.cards(chart))[0].split(" > ")[0]
    assert first == line if line else "rls.low-ferritin" not in first


@pytest.mark.parametrize(
    ("status", "taken"),
    [("aktiv", True), ("laufend", True), ("abgesetzt", False), ("pausiert", False)],
)
def test_a_status_of_a_drug_in_german(caller: Caller, status: str, taken: bool) -> None:
    chart = request(conditions=[cramp()], medicationRequests=[rx("rx:310798", status=status)])
    assert bool(caller.cards(chart)["cards"]) is taken


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("urn:oid:2.16.578.1.12.4.1.1.7110", "R252"),
        ("urn:oid:1.2.752.116.1.1.1.1.3", "R25.2"),
        ("1.2.752.116.1.1.1.1.8", "R25.2"),
    ],
)
def test_the_who_s_codes_under_national_addresses(caller: Caller, system: str, code: str) -> None:
    problem = cramp() | {"code": {"coding": [{"system": system, "code": code}]}}
    assert said(caller, problem).startswith(f"Leg cramps on {DRUG}")


@pytest.mark.parametrize(
    "system",
    ["https://fhir.infoway-inforoute.ca/CodeSystem/pCLOCD", "urn:oid:2.16.840.1.113883.2.20.5.1"],
)
def test_canadian_results(caller: Caller, system: str) -> None:
    result = lab("2276-4", 20, "ng/mL")
    result["code"]["coding"][0]["system"] = system
    cards = caller.cards(request(conditions=[dx("icd:G25.81")], observations=[result]))["cards"]
    assert cards[0]["indicator"] == "warning"


@pytest.mark.parametrize(
    ("system", "code"),
    [("http://www.whocc.no/atcddd", "C03AA03"), ("https://rxnav.nlm.nih.gov/REST/rxcui", "310798")],
)
def test_drugs_under_other_addresses(caller: Caller, system: str, code: str) -> None:
    order = rx("rx:1")
    order["medicationCodeableConcept"] = {"coding": [{"system": system, "code": code}]}
    cards = caller.cards(request(conditions=[cramp()], medicationRequests=[order]))["cards"]
    assert DRUG in cards[0]["summary"]
