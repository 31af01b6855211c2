"""The whole service, with the shipped pack, as an EHR with a token meets it."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.config import Settings
from cds_service.service.runtime import build_runtime
from cds_service.web.app import create_app
from tests.support import fixtures
from tests.support.calls import NOW
from tests.support.rows import row
from tests.support.tokens import DISCOVERY, PUBLIC, client_entry, token, write_clients

EPIC = "https://epic.example.org"
NEWER = "https://newer.example.org"
SIGN = "leg-cramps-order-select"


def schema(name: str) -> Any:
    return json.loads((files("cds_service") / f"schemas/{name}.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    site = tmp_path_factory.mktemp("site")
    (site / "site.json").write_text("{}")
    dialect = {"preset": "epic", "linkHosts": [], "specificationVersion": "1.1"}
    epic = client_entry(name="epic", issuer=EPIC, dialect=dialect)
    newer = client_entry(name="newer", issuer=NEWER, dialect={"specificationVersion": "3.0"})
    write_clients(site, client_entry(), epic, newer)
    settings = Settings(
        site_dir=site,
        public_url=PUBLIC,
        database_url=f"sqlite:///{site}/test.sqlite3",
        now=NOW,
    )
    runtime = build_runtime(settings)
    yield create_app(settings, runtime).test_client()
    runtime.close()


def call(web: FlaskClient, service: str, **claims: Any) -> Any:
    sent = token(aud=f"{DISCOVERY}/{service}", **claims)
    headers = {"Authorization": f"Bearer {sent}"}
    body = fixtures.request("order-select/quinine")
    return web.post(f"/cds-services/{service}", json=body, headers=headers)


def test_a_call_with_a_token_gets_its_cards(web: FlaskClient) -> None:
    assert call(web, SIGN).json["cards"]
    assert web.post(f"/cds-services/{SIGN}", json={}).status_code == 401


def test_each_client_gets_its_dialect(web: FlaskClient) -> None:
    general = call(web, SIGN).json["cards"]
    epic = call(web, SIGN, iss=EPIC).json["cards"]
    assert [card["summary"] for card in general] == [card["summary"] for card in epic]
    assert any("links" in card for card in general)
    assert not any("links" in card for card in epic)
    assert {c["selectionBehavior"] for c in epic if "suggestions" in c} == {"any"}
    deletes = [
        action
        for card in epic
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if action["type"] == "delete"
    ]
    assert deletes and all(isinstance(action["resource"], str) for action in deletes)


def discovered(web: FlaskClient, **claims: Any) -> Any:
    headers = {"Authorization": f"Bearer {token(aud=DISCOVERY, **claims)}"}
    return web.get("/cds-services", headers=headers).json


@row("B11", "B12", "B13")
def test_discovery_names_versions_for_a_client_that_reads_3_0(web: FlaskClient) -> None:
    services = discovered(web, iss=NEWER)["services"]
    Draft202012Validator(schema("discovery")).validate({"services": services})
    assert {(s["version"], s["hookVersion"]) for s in services} == {("3.0.0", "1.0")}
    versions: dict[str, set[str]] = {}
    for service in services:
        versions.setdefault(service["id"], set()).add(service["hookVersion"])
    assert all(len(one) == 1 for one in versions.values())
    added = {"version", "hookVersion"}
    plain = [{k: v for k, v in service.items() if k not in added} for service in services]
    assert plain == discovered(web)["services"]  # and others get nothing of it


def test_a_card_is_the_same_for_a_client_that_reads_3_0(web: FlaskClient) -> None:
    general, newer = (call(web, SIGN, **claims).json["cards"] for claims in ({}, {"iss": NEWER}))
    assert [card.keys() for card in general] == [card.keys() for card in newer]
    assert [card["detail"] for card in general] == [card["detail"] for card in newer]


def test_readyz_tells_of_clients(web: FlaskClient) -> None:
    report = web.get("/readyz").json["clients"]
    assert (report["count"], report["rejected"]) == (3, "none")


def test_clients_are_no_part_of_the_packs_revision(web: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text("{}")
    settings = Settings(auth="off", site_dir=tmp_path, database_url="sqlite://")
    runtime = build_runtime(settings)
    assert runtime.pack.revision == json.loads(web.get("/readyz").data)["pack"]["revision"]
    runtime.close()
