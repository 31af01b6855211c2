"""Sections A, Q and S: JSON, CORS, extensions."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient

from tests.support import fixtures
from tests.support.rows import row

REVIEW = "/cds-services/leg-cramps-patient-view"
CALL = "patient-view/cramps-and-restless-legs"


def values(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, node
    items = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else items
    for key, child in items:
        yield from values(child, (*path, str(key)))


@row("A1")
def test_everything_is_json(client: FlaskClient) -> None:
    calls = [("GET", "/cds-services"), ("POST", REVIEW), ("PUT", REVIEW), ("GET", "/nowhere")]
    for method, path in calls:
        response = client.open(path, method=method)
        assert response.mimetype == "application/json"
        assert isinstance(json.loads(response.data), dict)
    assert client.post(REVIEW, data=b"<x/>").status_code == 400
    assert client.post(REVIEW, data=b"{}", content_type="text/xml").status_code == 415


@row("A3", "A4")
def test_no_null_and_no_empty_value(client: FlaskClient, answered: list[Any]) -> None:
    bodies = [client.get("/cds-services").json, *(answer.body for answer in answered)]
    for body in bodies:
        for path, value in values(body):
            assert value is not None, path
            assert value not in ("", [], {}) or path in (("cards",), ("services",)), path


@row("A5")
def test_attributes_without_a_value_are_left_out(answered: list[Any]) -> None:
    for answer in answered:
        assert set(answer.body) == {"cards"}
    keys = {frozenset(card) for answer in answered for card in answer.cards}
    assert any("suggestions" in card for card in keys)
    for card in keys:
        assert ("suggestions" in card) == ("selectionBehavior" in card)


@row("A6")
def test_strict_json(client: FlaskClient, answered: list[Any]) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    for answer in answered:
        json.loads(answer.content, parse_constant=refuse)
    for body in (b'{"hook":"patient-view",}', b'{"hook":1 /* x */}', b'{"a":NaN}'):
        assert client.post(REVIEW, data=body).status_code == 400


@row("A7")
def test_embedded_resources_are_r4(actions: list[Any]) -> None:
    resources = [action["resource"] for action in actions if "resource" in action]
    assert resources
    for resource in resources:
        model = get_fhir_model_class(resource["resourceType"])
        assert json.loads(model.model_validate(resource).model_dump_json()) == resource


@row("Q1")
@pytest.mark.parametrize("path", ["/cds-services", REVIEW, f"{REVIEW}/feedback"])
def test_preflight_needs_nothing_and_errors_carry_cors(client: FlaskClient, path: str) -> None:
    headers = {"Origin": "https://ehr.example.org", "Access-Control-Request-Method": "POST"}
    response = client.options(path, headers=headers)
    assert 200 <= response.status_code < 300
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert response.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert "Access-Control-Allow-Credentials" not in response.headers
    error = client.put(path, headers=headers)
    assert (error.status_code, error.headers["Access-Control-Allow-Origin"]) == (405, "*")


@row("S1", "S2")
@pytest.mark.parametrize("extension", [{"org.example": {"a": 1}}, "text", 5, None, []])
def test_extensions_of_the_client_are_ignored(client: FlaskClient, extension: Any) -> None:
    call = fixtures.request(CALL)
    plain = client.post(REVIEW, json=call).json["cards"]
    call["extension"] = extension
    call["context"]["extension"] = extension
    call["prefetch"]["extension"] = extension
    response = client.post(REVIEW, json=call)
    assert response.status_code == 200
    assert [c["summary"] for c in response.json["cards"]] == [c["summary"] for c in plain]


@row("S2", "S3")
def test_our_extensions(cards: list[Any]) -> None:
    for card in cards:
        assert isinstance(card["extension"], dict)
        for name in card["extension"]:
            assert re.fullmatch(r"[a-z]+(\.[A-Za-z0-9_-]+)+", name)
