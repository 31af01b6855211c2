"""Sections G to M: answers, cards, sources, suggestions, actions, links."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.protocol import response
from cds_service.protocol.model import Action, Card, Coding, Link, Source, Suggestion
from tests.support import fixtures
from tests.support.calls import Caller
from tests.support.rows import row

SCHEMA = json.loads((files("cds_service") / "schemas/hook-response.schema.json").read_text("utf-8"))
GUIDE = Path(__file__).parent.parent.parent / "docs" / "integrators-guide.md"
UUID_A = "0b5c1f0e-6a3d-4a7b-9f0e-1d2c3b4a5968"
PLAIN = Card(UUID_A, "Summary", "info", Source("Guideline"))
OFFER = Suggestion("Order", UUID_A)


def write(card: Card) -> dict[str, Any]:
    """A card as it leaves the service, checked against the schema."""
    body = json.loads(response.write([card]))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(body)] == []
    written: dict[str, Any] = body["cards"][0]
    return written


def refused(card: Card) -> None:
    with pytest.raises(ValueError):
        response.write([card])


@row("G1", "G2", "G3", "L1", "L2")
def test_answers(answered: list[Any]) -> None:
    for answer in answered:
        assert answer.status == 200
        assert set(answer.body) == {"cards"}  # no systemActions
        assert [e.message for e in Draft202012Validator(SCHEMA).iter_errors(answer.body)] == []


@row("G4")
def test_nothing_to_say(caller: Caller) -> None:
    for name in ("patient-view/no-leg-complaint", "order-select/no-medication-yet"):
        assert caller.cards(fixtures.request(name)) == {"cards": []}


@row("G6", "G7")
def test_errors_are_outcomes(client: FlaskClient) -> None:
    path = "/cds-services/leg-cramps-patient-view"
    answers = {
        400: client.post(path, data=b"{"),
        404: client.post("/cds-services/unknown", json={}),
        405: client.get(path),
        412: client.post(path, json=fixtures.request("patient-view/conditions-not-sent")),
        413: client.post(path, data=b" " * 10_000_001),
        415: client.post(path, data=b"{}", content_type="text/plain"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        get_fhir_model_class("OperationOutcome").model_validate(answer.json)


@row("G8")
def test_each_answer_is_whole(caller: Caller) -> None:
    def without_uuids(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: without_uuids(v) for k, v in node.items() if k != "uuid"}
        return [without_uuids(child) for child in node] if isinstance(node, list) else node

    call = fixtures.request("patient-view/cramps-and-restless-legs")
    first, second = caller.cards(call), caller.cards(call)
    assert first != second  # every card is new ...
    assert without_uuids(first) == without_uuids(second)  # ... and says the same


@row("H1", "J2", "N13")
def test_uuids(answered: list[Any]) -> None:
    for answer in answered:
        offers = [s for card in answer.cards for s in card.get("suggestions", [])]
        uuids = [item["uuid"] for item in [*answer.cards, *offers]]
        assert len(set(uuids)) == len(uuids)
        assert all(str(UUID(uuid)) == uuid for uuid in uuids)
    refused(replace(PLAIN, uuid=""))


@row("H3")
def test_summaries(cards: list[Any]) -> None:
    for card in cards:
        assert 0 < len(card["summary"]) < 140
        assert "\n" not in card["summary"]


@row("H3")
def test_a_summary_that_is_too_long_is_cut_at_a_word() -> None:
    written = write(replace(PLAIN, summary="word\n" * 60))["summary"]
    assert 100 < len(written) < 140
    assert written.endswith("word…") and "\n" not in written
    refused(replace(PLAIN, summary=" "))


@row("H4", "H10", "H14", "H18")
def test_optional_attributes() -> None:
    assert set(write(PLAIN)) == {"uuid", "summary", "indicator", "source"}
    full = replace(
        PLAIN,
        detail="Detail",
        suggestions=(OFFER,),
        selection_behavior="any",
        override_reasons=(Coding("urn:s", "c", "Display"),),
        links=(Link("Guideline", "https://example.org/"),),
        extension={"org.example": {"a": 1}},
    )
    assert set(write(full)) == {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
        "overrideReasons", "links", "extension",
    }  # fmt: skip


@row("H5", "H6")
def test_text_of_the_chart_cannot_inject_markup(caller: Caller) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    attack = "<script>x</script> <img src=x> [click](javascript:x) ![i](https://evil.example/i)"
    for key in ("conditions", "medicationRequests", "observations"):
        for entry in call["prefetch"][key]["entry"]:
            resource = entry["resource"]
            concept = "medicationCodeableConcept" if key == "medicationRequests" else "code"
            resource[concept]["text"] = attack
    cards = caller.cards(call)["cards"]
    assert cards
    for card in cards:
        for text in (card["summary"], card["detail"]):
            assert not re.search(r"<[a-z/!]", text)
            assert not re.search(r"(?<!\\)\]\((javascript|https://evil)", text)


@row("H6")
def test_no_html_in_details(cards: list[Any]) -> None:
    assert not [card for card in cards if re.search(r"<[A-Za-z/!]", card["detail"])]


@row("H7")
def test_indicators(cards: list[Any]) -> None:
    assert {card["indicator"] for card in cards} == {"info", "warning", "critical"}
    refused(replace(PLAIN, indicator="hard-stop"))  # type: ignore[arg-type]


@row("H8", "I1", "I2")
def test_sources(cards: list[Any]) -> None:
    for card in cards:
        assert card["source"]["label"].strip()
        assert urlsplit(card["source"]["url"]).scheme == "https"
        assert "icon" not in card["source"]
    refused(replace(PLAIN, source=Source("")))
    refused(replace(PLAIN, source=Source("Label", "/relative")))


@row("H9")
def test_a_source_is_not_the_service(client: FlaskClient, cards: list[Any]) -> None:
    titles = {service["title"] for service in client.get("/cds-services").json["services"]}
    assert not titles & {card["source"]["label"] for card in cards}


@row("I3")
def test_sources_do_not_depend_on_the_patient(caller: Caller) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    other = json.loads(
        json.dumps(call).replace("marta-lind", "someone-else").replace("1957", "1961")
    )
    assert [c["source"] for c in caller.cards(call)["cards"]] == [
        c["source"] for c in caller.cards(other)["cards"]
    ]


@row("I6", "I7", "I8")
def test_topics(cards: list[Any]) -> None:
    topics = [card["source"]["topic"] for card in cards if "topic" in card["source"]]
    assert topics
    for topic in topics:
        assert topic["system"]
        assert re.fullmatch("[A-Za-z0-9]{1,100}", topic["code"])  # Epic's limit
    refused(replace(PLAIN, source=Source("Label", topic=Coding("", "c"))))
    refused(replace(PLAIN, source=Source("Label", topic=Coding("urn:s", ""))))


@row("H11", "H12", "H13")
def test_selection_behavior(cards: list[Any]) -> None:
    for card in cards:
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") in ("any", "at-most-one")
    refused(replace(PLAIN, suggestions=(OFFER,)))
    refused(replace(PLAIN, suggestions=(OFFER,), selection_behavior="all"))  # type: ignore[arg-type]
    assert "selectionBehavior" not in write(replace(PLAIN, selection_behavior="any"))


@row("H14", "H15", "I9")
def test_override_reasons(cards: list[Any]) -> None:
    reasons = [reason for card in cards for reason in card.get("overrideReasons", [])]
    assert reasons
    assert all(r["code"] and r["system"] and r["display"] for r in reasons)
    refused(replace(PLAIN, override_reasons=(Coding("urn:s", "c"),)))


@row("J1", "J3", "J5", "J6", "J7", "J9")
def test_suggestions(suggestions: list[Any], answered: list[Any]) -> None:
    for suggestion in suggestions:
        assert suggestion["label"].strip()
        assert suggestion.get("isRecommended") in (True, None)
        assert len(suggestion["actions"]) == 1  # Epic takes one
    assert b"actionSelectionBehavior" not in b"".join(answer.content for answer in answered)
    refused(replace(PLAIN, suggestions=(Suggestion("", UUID_A),), selection_behavior="any"))


@row("J4")
def test_recommended_suggestions() -> None:
    two = tuple(Suggestion(label, UUID_A, is_recommended=True) for label in "ab")
    assert write(replace(PLAIN, suggestions=two, selection_behavior="any"))
    refused(replace(PLAIN, suggestions=two, selection_behavior="at-most-one"))


@row("K1", "K2")
def test_actions(actions: list[Any]) -> None:
    for action in actions:
        assert action["type"] in ("create", "delete")
        assert action["description"].strip()


@row("K3", "K7")
def test_creates(actions: list[Any]) -> None:
    for action in (a for a in actions if a["type"] == "create"):
        resource = action["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert (resource["status"], resource["intent"]) == ("draft", "proposal")
        assert resource["subject"] == {"reference": "Patient/marta-lind"}
        assert "id" not in resource and "resourceId" not in action
    for bad in (None, {}, {"resourceType": "ServiceRequest", "note": []}):
        action_of = Action("create", "Order", bad)
        offer = replace(OFFER, actions=(action_of,))
        refused(replace(PLAIN, suggestions=(offer,), selection_behavior="any"))


@row("K5", "K6", "K7")
def test_deletes(answered: list[Any]) -> None:
    deletes = 0
    for answer in answered:
        for card in answer.cards:
            for action in (a for s in card.get("suggestions", []) for a in s["actions"]):
                if action["type"] != "delete":
                    continue
                deletes += 1
                drafts = answer.request["context"]["draftOrders"]["entry"]
                names = [f"{d['resource']['resourceType']}/{d['resource']['id']}" for d in drafts]
                assert action["resourceId"] in names
                assert "resource" not in action
    assert deletes
    bad = Action("delete", "Remove", {"resourceType": "X"}, "X/1")
    refused(replace(PLAIN, suggestions=(replace(OFFER, actions=(bad,)),), selection_behavior="any"))


@row("K6")
def test_a_long_id_is_given_back_whole(caller: Caller) -> None:
    call = fixtures.request("order-select/quinine")
    long = "e" * 194
    call["context"]["draftOrders"]["entry"][0]["resource"]["id"] = long
    call["context"]["selections"] = [f"MedicationRequest/{long}"]
    assert f'"MedicationRequest/{long}"' in json.dumps(caller.cards(call))


@row("M1", "M4", "M6", "M7", "M9")
def test_links(cards: list[Any]) -> None:
    links = [link for card in cards for link in card.get("links", [])]
    assert links
    for link in links:
        assert link["label"].strip()
        assert set(link) == {"label", "url", "type"}  # no appContext, no autolaunchable
        assert link["type"] == "absolute"


@row("M2")
def test_link_hosts_are_published(cards: list[Any]) -> None:
    published = GUIDE.read_text("utf-8")
    urls = [link["url"] for card in cards for link in card.get("links", [])]
    urls += [card["source"]["url"] for card in cards]
    for url in urls:
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert parts.netloc == "cds.example.org" or f"`{parts.netloc}`" in published, url
    refused(replace(PLAIN, links=(Link("Label", "javascript:alert(1)"),)))


@row("M3")
def test_no_patient_data_in_addresses(cards: list[Any]) -> None:
    urls = [link["url"] for card in cards for link in card.get("links", [])]
    urls += [card["source"]["url"] for card in cards]
    for url in urls:
        assert not re.search("marta|lind|1957|visit-3|draft-1", url)
