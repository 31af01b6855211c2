"""Entries that say of a list that nothing is known to be on it, or that nobody knows (IPS)."""

from typing import Any

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import concept, draft_test, dx, lab, request, rx, taking

IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
NO_PROBLEMS = ("160245001", "No current problems or disability")
NO_DRUGS = ("787481004", "No known medications")


def ips(code: str, display: str = "") -> Json:
    return {"coding": [{"system": IPS, "code": code, "display": display or code}]}


def sct(code: str, display: str) -> Json:
    return {"coding": [{**concept(f"sct:{code}")["coding"][0], "display": display}]}


def problem(said: Json) -> Json:
    return dx("text:x") | {"code": said}


def drug(said: Json, **more: Any) -> Json:
    return taking("text:x", **more) | {"medicationCodeableConcept": said}


NONE_KNOWN = [
    ips("no-known-problems", "No known problems"),
    sct(*NO_PROBLEMS),
    {"text": "No known problems"},
    {"text": "None"},
]
NO_DRUG_KNOWN = [
    ips("no-known-medications"),
    sct(*NO_DRUGS),
    {"text": "No known medications."},
    {"text": "Patient takes no medications"},
    {"text": "Keine Medikation"},
]


def unrecognised(card: Json) -> Any:
    return card["extension"]["com.legcramps.cds"].get("unrecognised")


@pytest.mark.parametrize("said", NONE_KNOWN)
def test_no_known_problem_is_no_complaint(caller: Caller, said: Json) -> None:
    chart = request(conditions=[problem(said)], medicationRequests=[rx("rx:310798")])
    assert caller.cards(chart)["cards"] == []


@pytest.mark.parametrize("said", NONE_KNOWN)
def test_no_known_problem_leaves_no_safeguard_unknown(caller: Caller, said: Json) -> None:
    """With a list of problems that is known to be empty the order may be taken away."""
    draft = draft_test("cpt:95810", reasonCode=[concept("icd:G47.62")])
    (card,) = caller.cards(request(conditions=[problem(said)], drafts=[draft]))["cards"]
    assert card["indicator"] == "warning"
    assert unrecognised(card) is None


@pytest.mark.parametrize("code", [NONE_KNOWN[0], NONE_KNOWN[1], ips("no-problem-info")])
def test_a_problem_beside_the_code_of_an_empty_list_is_on_file(caller: Caller, code: Json) -> None:
    """What contradicts itself hides no problem that it has a code of."""
    both = problem({"coding": [*code["coding"], *concept("icd:G47.62")["coding"]]})
    chart = request(conditions=[both], medicationRequests=[rx("rx:310798")])
    card = caller.cards(chart)["cards"][0]
    assert card["summary"].startswith("Leg cramps on hydrochlorothiazide")


@pytest.mark.parametrize(
    "said", [ips("no-problem-info", "No information about problems"), ips("no-problem-info")]
)
def test_no_information_on_problems_is_no_empty_list(caller: Caller, said: Json) -> None:
    chart = request(conditions=[problem(said)], medicationRequests=[rx("rx:310798")])
    (card,) = caller.cards(chart)["cards"]
    assert card["summary"].startswith("If leg cramps are the concern")
    assert unrecognised(card) is None
    draft = draft_test("cpt:95810", reasonCode=[concept("icd:G47.62")])
    (card,) = caller.cards(request(conditions=[problem(said)], drafts=[draft]))["cards"]
    assert (card["indicator"], card.get("suggestions")) == ("info", None)


@pytest.mark.parametrize("said", NO_DRUG_KNOWN)
def test_no_known_medication_is_none_that_was_not_recognised(caller: Caller, said: Json) -> None:
    taken = [drug(said), taking("rx:310798")]
    cards = caller.cards(request(conditions=[dx("icd:G47.62")], medicationStatements=taken))[
        "cards"
    ]
    assert cards
    assert not any("not recognised" in card["detail"] for card in cards)
    assert {unrecognised(card) for card in cards} == {None}


RLS = [dx("icd:G25.81")]


def test_no_information_on_medications_is_no_empty_list(caller: Caller) -> None:
    said = drug(ips("no-medication-info", "No information about medications"))
    chart = request(
        conditions=RLS,
        medicationStatements=[said],
        observations=[lab("2276-4", 30, "ng/mL")],
    )
    (card,) = caller.cards(chart)["cards"]
    assert "Not checked: " in card["detail"]
    assert "medications and medication statements (incomplete)" in card["detail"]
    assert unrecognised(card) is None


@pytest.mark.parametrize(
    "said",
    [drug(ips("no-known-medications")), drug(ips("no-medication-info"), status="entered-in-error")],
)
def test_what_leaves_the_medications_known(caller: Caller, said: Json) -> None:
    ferritin = lab("2276-4", 30, "ng/mL")
    chart = request(conditions=RLS, medicationStatements=[said], observations=[ferritin])
    (card,) = caller.cards(chart)["cards"]
    assert card["indicator"] == "warning"
    assert "Not checked" not in card["detail"]
