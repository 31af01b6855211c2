"""Requests in the shape that vendors document, each with its preset (fixtures/vendors).

They are made from documents and were never captured: they show that what is documented is read, and
no more.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cds_service.callers.presets import PRESETS
from tests.support.calls import Caller
from tests.support.fixtures import ROOT
from tests.support.tokens import (
    PUBLIC,
    Secured,
    claims,
    client_entry,
    header,
    public,
    signed,
    write_clients,
)

VENDORS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "vendors").glob("*.json")
}
OF_1_0 = {"overrideReasons", "selectionBehavior"}  # members that cards of 1.0 do not have


def test_each_preset_but_epic_has_one() -> None:
    """Epic's manners are tested one by one, where they depart."""
    assert set(VENDORS) == set(PRESETS) - {"default", "epic"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_it_says_where_it_comes_from(vendor: str) -> None:
    told = VENDORS[vendor]
    assert told["origin"] == "Made from documentation, not captured."
    assert told["notDocumented"]
    assert all(entry["says"] and entry["where"] for entry in told["documented"])
    schema = json.loads((files("cds_service") / "schemas/hook-request.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(told["request"])) == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_it_gets_the_cards_that_its_data_earn(caller: Caller, vendor: str) -> None:
    told = VENDORS[vendor]
    assert len(caller.cards(told["request"], told["service"])["cards"]) == told["cards"]


def test_a_medication_that_was_stopped_is_none_that_the_patient_takes(caller: Caller) -> None:
    told = VENDORS["athena"]
    with_stopped = caller.cards(told["request"], told["service"])["cards"]
    requests = told["request"]["prefetch"]["medicationRequests"]
    active = [one for one in requests["entry"] if one["resource"]["status"] == "active"]
    alone = told["request"] | {
        "prefetch": told["request"]["prefetch"]
        | {"medicationRequests": requests | {"entry": active, "total": len(active)}}
    }
    expected = caller.cards(alone, told["service"])["cards"]
    assert [card["detail"] for card in with_stopped] == [card["detail"] for card in expected]


@pytest.mark.parametrize("vendor", VENDORS)
def test_its_client_is_known_by_issuer_and_key_address(tmp_path: Path, vendor: str) -> None:
    client: dict[str, Any] = VENDORS[vendor]["client"]
    keys = {"jku": [client["jku"]], "set": public("rsa+2048/epic==")}
    more = {name: client[name] for name in ("name", "issuer", "dialect")}
    write_clients(tmp_path, client_entry(keys=keys, **more))
    service = Secured(tmp_path)
    address = f"{PUBLIC}/cds-services/review"
    head = header("rsa+2048/epic==", jku=client["jku"])
    good = claims(iss=client["issuer"], aud=address)
    answer = service.call(signed(head, good, "rsa+2048/epic=="))
    assert answer.status_code == 200
    for card in answer.json["cards"]:
        assert not (vendor == "oracle" and OF_1_0 & set(card))
    other = head | {"jku": "https://elsewhere.example.org/jwk"}
    again = claims(iss=client["issuer"], aud=address)
    assert service.call(signed(other, again, "rsa+2048/epic==")).status_code == 401
