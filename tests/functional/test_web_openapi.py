"""openapi.json describes the routes there are, the answers they give and schemas that exist."""

from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.web.app import create_app
from cds_service.web.routes import openapi_document
from tests.support.fake_runtime import FakeRuntime, service

APP = create_app(Settings(auth="off", public_url="https://cds.example.org"), FakeRuntime(service()))
CLIENT: FlaskClient = APP.test_client()


def test_routes_and_description_agree() -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in APP.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method)
        for path, item in openapi_document()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert routes == described


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_reference_can_be_followed() -> None:
    description = openapi_document()
    for reference in references(description):
        if reference.startswith("/"):
            assert CLIENT.get(reference).status_code == 200, reference
            continue
        target = description
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_path_parameters_are_described() -> None:
    for path, item in openapi_document()["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", [])}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_the_public_address_is_named() -> None:
    assert CLIENT.get("/openapi.json").json["servers"] == [{"url": "https://cds.example.org"}]
    assert "servers" not in openapi_document()
