"""The leg-symptom questionnaire: a FHIR R4 resource, a page, and answers that set facts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from flask.testing import FlaskClient

from tests.support.calls import (
    SUBJECT,
    Caller,
    condition,
    day,
    medication_request,
    observation,
    patient_view,
)

PATH = "/Questionnaire/leg-symptoms"
HOOKS = Path(__file__).parent.parent.parent / "hooks"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
Json = Any


@pytest.fixture
def questionnaire(client: FlaskClient) -> Json:
    response = client.get(PATH)
    assert (response.status_code, response.mimetype) == (200, "application/fhir+json")
    return json.loads(response.data)


def items(parent: Mapping[str, Json]) -> Iterator[Json]:
    for item in parent.get("item", ()):
        yield item
        yield from items(item)


def answered(url: str, answers: Mapping[str, bool], **more: Any) -> Json:
    resource = {
        "resourceType": "QuestionnaireResponse",
        "id": "qr-1",
        "status": "completed",
        "questionnaire": url,
        "subject": SUBJECT,
        "authored": day(5),
        "item": [
            {"linkId": link, "answer": [{"valueBoolean": value}]} for link, value in answers.items()
        ],
    } | more
    QuestionnaireResponse.model_validate(resource)
    return resource


def with_answers(call: Json, response: Json, key: str = "questionnaireResponses") -> Json:
    call["prefetch"][key] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": response}],
    }
    return call


def rules_on(cards: Json) -> set[str]:
    return {
        rule["id"]
        for card in cards["cards"]
        for rule in card["extension"]["com.legcramps.cds"]["rules"]
    }


def test_it_is_found_by_its_canonical_address(client: FlaskClient, questionnaire: Json) -> None:
    for url in (questionnaire["url"], f"{questionnaire['url']}|{questionnaire['version']}"):
        bundle = client.get("/Questionnaire", query_string={"url": url}).json
        Bundle.model_validate(bundle)
        [entry] = bundle["entry"]
        assert entry["resource"] == questionnaire
        assert entry["fullUrl"].endswith(PATH)
    other = client.get("/Questionnaire?url=https://example.org/Questionnaire/leg-symptoms").json
    assert other == {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert client.get("/Questionnaire").json["total"] == 1


def test_discovery_asks_for_answers_to_it_and_to_no_other(
    client: FlaskClient, questionnaire: Json
) -> None:
    for service in client.get("/cds-services").json["services"]:
        template = service["prefetch"]["questionnaireResponses"]
        assert f"questionnaire={questionnaire['url']}&" in template


@pytest.mark.parametrize("value", ["absent", None, {"resourceType": "OperationOutcome"}])
def test_nothing_follows_from_answers_that_are_not_there(caller: Caller, value: Json) -> None:
    cramps = [condition(ICD10, "G47.62")]
    plain = caller.cards(patient_view(conditions=cramps))
    call = patient_view(conditions=cramps)
    if value != "absent":
        call["prefetch"]["questionnaireResponses"] = value
    assert rules_on(caller.cards(call)) == rules_on(plain)


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (
            patient_view(conditions=[condition(ICD10, "G47.62"), condition(ICD10, "G25.81")]),
            "rls.coexisting-cramp",
        ),
        (
            patient_view(
                conditions=[condition(ICD10, "I10")],
                observations=[observation("2276-4", 20, "ng/mL")],
            ),
            "screen.low-ferritin",
        ),
    ],
    ids=["which-symptom", "screen"],
)
def test_cards_that_ask_which_symptom_it_is_lead_to_it(
    caller: Caller, client: FlaskClient, call: Json, rule: str
) -> None:
    answer = caller.cards(call, "leg-symptoms-screen" if rule.startswith("screen") else "")
    assert rule in rules_on(answer)
    urls = [link["url"] for card in answer["cards"] for link in card.get("links", ())]
    [url] = [url for url in urls if "/Questionnaire/" in url]
    assert client.get(urlsplit(url).path).status_code == 200


def test_it_is_valid_r4(questionnaire: Json) -> None:
    Questionnaire.model_validate(questionnaire)
    links = [item["linkId"] for item in items(questionnaire)]
    assert len(links) == len(set(links))
    assert [item["linkId"] for item in questionnaire["item"]] == [f"Q{n}" for n in range(1, 13)]
    assert questionnaire["id"] == "leg-symptoms"


def test_facts_and_questionnaire_name_the_same_items(questionnaire: Json) -> None:
    facts = json.loads((HOOKS / "facts.json").read_text("utf-8"))["facts"]
    types = {item["linkId"]: item["type"] for item in items(questionnaire)}
    answers = [fact for fact in facts.values() if fact["kind"] == "answer"]
    assert answers
    for fact in answers:
        assert fact["questionnaire"] == questionnaire["url"]
        if "linkId" in fact:
            assert fact["answers"] == [True] and types[fact["linkId"]] == "boolean"


def test_a_browser_gets_a_page(client: FlaskClient) -> None:
    response = client.get(PATH, headers={"Accept": "text/html,*/*;q=0.8"})
    text = response.get_data(as_text=True)
    assert response.mimetype == "text/html" and "<script" not in text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for expected in (
        "Does the muscle become visibly hard?",
        "Is there sudden muscle contraction with visible hardness?",
        "No clinician has signed this content off",
    ):
        assert expected in text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/fhir+json"])
def test_a_program_gets_fhir(client: FlaskClient, accept: str) -> None:
    assert client.get(PATH, headers={"Accept": accept}).mimetype == "application/fhir+json"


def test_an_unknown_questionnaire(client: FlaskClient) -> None:
    response = client.get("/Questionnaire/none")
    assert (response.status_code, response.json["resourceType"]) == (404, "OperationOutcome")


def test_the_first_line_card_links_to_it(caller: Caller, client: FlaskClient) -> None:
    cramp = condition(ICD10, "G47.62", recordedDate=day(5))
    (card,) = caller.cards(patient_view(conditions=[cramp]))["cards"]
    urls = {link["label"]: (link["url"], link["type"]) for link in card["links"]}
    url, kind = urls["Questions that tell cramps from restless legs"]
    assert (url, kind) == (f"https://cds.example.org{PATH}", "absolute")
    assert client.get(url.removeprefix("https://cds.example.org")).status_code == 200


@pytest.mark.parametrize("key", ["questionnaireResponses", "anything"])
def test_urge_and_relief_together_suspect_restless_legs(
    caller: Caller, questionnaire: Json, key: str
) -> None:
    def rules(answers: Mapping[str, bool], **more: Any) -> set[str]:
        call = patient_view(conditions=[], observations=[observation("2276-4", 30, "ng/mL")])
        response = answered(questionnaire["url"], answers, **more)
        return rules_on(caller.cards(with_answers(call, response, key)))

    assert "rls.low-ferritin" in rules({"Q2": True, "Q3": True})
    for answers in ({"Q2": True}, {"Q3": True}, {"Q2": True, "Q3": False}, {}):
        assert "rls.low-ferritin" not in rules(answers)
    assert "rls.low-ferritin" not in rules({"Q2": True, "Q3": True}, authored=day(91))
    assert "rls.low-ferritin" not in rules({"Q2": True, "Q3": True}, status="in-progress")
    other = "https://example.org/Questionnaire/other"
    assert "rls.low-ferritin" not in rules({"Q2": True, "Q3": True}, questionnaire=other)


def test_walking_that_hurts_is_a_sign_of_claudication(caller: Caller, questionnaire: Json) -> None:
    for answer, expected in ((True, True), (False, False)):
        call = with_answers(patient_view(), answered(questionnaire["url"], {"Q7": answer}))
        assert ("claudication.abi-missing" in rules_on(caller.cards(call))) is expected


def test_a_hard_muscle_is_a_leg_cramp(caller: Caller, questionnaire: Json) -> None:
    for answer, expected in ((True, True), (False, False)):
        call = patient_view(medicationRequests=[medication_request("5487")])
        call = with_answers(call, answered(questionnaire["url"], {"Q9": answer}))
        assert ("drug-review.diuretic" in rules_on(caller.cards(call))) is expected


def test_answers_inside_other_answers_count(caller: Caller, questionnaire: Json) -> None:
    nested = {"linkId": "Q7", "answer": [{"valueBoolean": True, "item": [{"linkId": "Q7.1"}]}]}
    group = [{"linkId": "section", "item": [nested]}]
    call = with_answers(patient_view(), answered(questionnaire["url"], {}, item=group))
    assert "claudication.abi-missing" in rules_on(caller.cards(call))


def test_a_blank_form_sets_nothing(caller: Caller, questionnaire: Json) -> None:
    blank = answered(questionnaire["url"], {})
    blank["item"] = [{"linkId": item["linkId"]} for item in questionnaire["item"]]
    call = patient_view(medicationRequests=[medication_request("5487")])
    assert caller.cards(with_answers(call, blank)) == {"cards": []}
