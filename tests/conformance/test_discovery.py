"""Sections B and E: discovery and the prefetch templates in it."""

import json
import re
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.config import Settings
from cds_service.facts.chart import RESULT_KEYS
from cds_service.web.app import create_app
from tests.support import fixtures
from tests.support.calls import SERVICE_OF
from tests.support.fake_runtime import FakeRuntime
from tests.support.rows import row

SCHEMA = json.loads((files("cds_service") / "schemas/discovery.schema.json").read_text("utf-8"))
HOOKS = {"patient-view", "order-select", "order-sign"}
USER_TOKENS = {
    "userPractitionerId",
    "userPractitionerRoleId",
    "userPatientId",
    "userRelatedPersonId",
}
CONTEXT_TOKENS = {"context.patientId", "context.encounterId", "context.userId"}
TOKEN = re.compile(r"\{\{([^{}]+)\}\}")
# R4 search parameters by kind, for the types that templates may ask for.
REFERENCE = {"patient", "subject", "encounter", "questionnaire"}
TOKENS = {"code", "category", "status", "clinical-status", "intent", "class"}
DATES = {"date", "authoredon", "authored", "effective", "recorded-date", "onset-date"}


@pytest.fixture
def services(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/cds-services").json["services"]
    assert len(found) >= 4
    return found


@pytest.fixture
def templates(services: list[dict[str, Any]]) -> list[str]:
    return [template for service in services for template in service["prefetch"].values()]


@row("B1", "B15")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "//cds-services"])
def test_discovery_is_there(client: FlaskClient, path: str) -> None:
    for method, expected in (("GET", 200), ("HEAD", 200), ("OPTIONS", 204)):
        for prefix in ("", "/mounted"):
            changes = {"PATH_INFO": path, "SCRIPT_NAME": prefix}
            response = client.open("/", method=method, environ_overrides=changes)
            assert response.status_code == expected


@row("B2", "B4")
def test_the_document(client: FlaskClient) -> None:
    document = client.get("/cds-services").json
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []


@row("B3")
def test_no_services() -> None:
    web = create_app(Settings(auth="off"), FakeRuntime()).test_client()
    response = web.get("/cds-services")
    assert (response.status_code, response.json) == (200, {"services": []})


@row("B5", "B6", "B7", "B10")
def test_texts_of_an_entry(services: list[dict[str, Any]]) -> None:
    assert {service["hook"] for service in services} == HOOKS
    for service in services:
        for name in ("title", "description", "usageRequirements"):
            assert service[name].strip()
            assert not re.search("[<>&]", service[name])  # the sandbox prints it as HTML


@row("B8", "B14")
def test_ids(client: FlaskClient, services: list[dict[str, Any]]) -> None:
    ids = [service["id"] for service in services]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= {*SERVICE_OF.values(), "leg-symptoms-screen"}
    for service_id in ids:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", service_id)
        assert client.post(f"/cds-services/{service_id}").status_code == 400  # routed: no body


@row("B9")
def test_prefetch_of_an_entry(services: list[dict[str, Any]]) -> None:
    keys = {
        "patient", "encounter", "conditions", "medicationRequests", "medicationStatements",
        *RESULT_KEYS, "procedures", "serviceRequests", "questionnaireResponses",
    }  # fmt: skip
    for service in services:
        assert set(service["prefetch"]) <= keys
        assert all(isinstance(template, str) for template in service["prefetch"].values())


@row("B16")
def test_an_error_of_discovery_is_json(client: FlaskClient) -> None:
    response = client.delete("/cds-services")
    assert (response.status_code, response.json["resourceType"]) == (405, "OperationOutcome")


@row("E1", "E2", "E3", "E4", "E5")
def test_tokens(templates: list[str]) -> None:
    for template in templates:
        assert not re.search("[{}]", TOKEN.sub("", template))
        for token in TOKEN.findall(template):
            assert token in CONTEXT_TOKENS | USER_TOKENS


@row("E6", "E7", "E8", "E9")
def test_templates_are_reads_or_type_searches(templates: list[str]) -> None:
    for template in templates:
        path, question, query = template.partition("?")
        if question:
            assert re.fullmatch("[A-Z][A-Za-z]+", path)
            names = [name for name, _ in parse_qsl(query, strict_parsing=True)]
            assert len(set(names)) == len(names)  # the sandbox joins repeats: AND becomes OR
            assert not [name for name in names if "." in name or name.startswith(("_inc", "_rev"))]
        else:
            assert re.fullmatch(r"[A-Z][A-Za-z]+/\{\{[^{}]+\}\}", path)


@row("E10", "E11", "E12", "E13")
def test_search_parameters(templates: list[str]) -> None:
    for template in templates:
        for name, value in parse_qsl(template.partition("?")[2]):
            plain, colon, modifier = name.partition(":")
            assert not colon or (plain in TOKENS and modifier == "in")
            if plain in DATES:
                assert re.match(r"(eq|lt|gt|ge|le)?\d{4}", value)
            elif plain == "_count":
                assert int(value) > 0
            elif plain == "_sort":
                assert value.lstrip("-") in DATES
            else:
                assert plain in REFERENCE | TOKENS


@row("U5")
def test_required_data_does_not_rest_on_an_encounter(client: FlaskClient) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    del call["context"]["encounterId"]
    assert client.post(f"/cds-services/{SERVICE_OF['patient-view']}", json=call).status_code == 200
    for service in client.get("/cds-services").json["services"]:
        uses = {k for k, t in service["prefetch"].items() if "encounterId" in t}
        assert uses <= {"encounter"}
