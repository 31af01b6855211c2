"""openapi.json describes the routes there are and is complete in itself, also when it is saved."""

from collections.abc import Iterator
from typing import Any

import jsonschema
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from cds_service.config import Settings
from cds_service.web.app import create_app
from cds_service.web.openapi import document as openapi_document
from tests.support.fake_runtime import FakeRuntime, service
from tests.support.fixtures import request

PUBLIC = "https://cds.example.org/leg-cramps"
APP = create_app(Settings(auth="off", public_url=PUBLIC), FakeRuntime(service()))
CLIENT: FlaskClient = APP.test_client()
SAVED = CLIENT.get("/openapi.json").json
# For each path parameter and each body, one that the fake service answers with 200.
PARAMETERS = {"service_id": "review", "name": "rule.schema.json"}
BODIES = {
    "invoke": request("patient-view/no-leg-complaint"),
    "feedback": request("feedback/dismissed"),
}
OF_A_PACK = {"sources", "source", "questionnaire", "questionnaires"}  # the fake service has no pack


def test_routes_and_description_agree() -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in APP.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method)
        for path, item in SAVED["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert routes == described


def test_it_is_openapi() -> None:
    validate(SAVED)
    validate(openapi_document())


def addresses(node: Any) -> Iterator[str]:
    """All that could lead out of the document, or to a place in it."""
    if isinstance(node, dict):
        yield from (
            node[key] for key in ("$ref", "$id", "$schema") if isinstance(node.get(key), str)
        )
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from addresses(child)


def test_every_reference_stays_in_the_document() -> None:
    for reference in addresses(SAVED):
        assert reference.startswith("#/"), reference
        target = SAVED
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_path_parameters_are_described() -> None:
    for path, item in SAVED["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", [])}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_the_public_address_is_named_with_its_prefix() -> None:
    assert SAVED["servers"] == [{"url": PUBLIC}]
    assert "servers" not in openapi_document()


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value is as a schema of the document says, which may refer to others of it."""
    whole = {**schema, "components": SAVED["components"]}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def test_each_call_can_be_made_from_the_document_alone() -> None:
    made = set()
    for path, item in SAVED["paths"].items():
        for method in item.keys() - {"parameters"}:
            call = item[method]
            if call["operationId"] in OF_A_PACK:
                continue
            body = BODIES.get(call["operationId"])
            answer = CLIENT.open(path.format(**PARAMETERS), method=method.upper(), json=body)
            assert answer.status_code == 200, path
            schema = call["responses"]["200"]["content"][answer.mimetype]["schema"]
            assert conforms(answer.json if answer.is_json else answer.text, schema), path
            made.add(call["operationId"])
    assert made > BODIES.keys()


def test_the_schemas_of_bodies_are_those_of_the_files() -> None:
    schemas = SAVED["components"]["schemas"]
    bodies = {"HookRequest": BODIES["invoke"], "Feedback": BODIES["feedback"]}
    for name, body in bodies.items():
        assert conforms(body, schemas[name])
        assert not conforms({**body, "hook": "order-dream", "feedback": [{}]}, schemas[name])
