"""What changes nothing of what a call means changes none of its cards (metamorphic relations)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.calls import SUBJECT, Caller
from tests.support.odd_calls import CALLS, Json

NAMES = ["plain", "components", "flag and range", "coded values", "inside a report"]
IRRELEVANT = {"resourceType": "Immunization", "id": "i", "status": "completed", "patient": SUBJECT}


def lists(call: Json) -> dict[str, Any]:
    return {k: v for k, v in call["prefetch"].items() if v.get("resourceType") == "Bundle"}


def add_something_else(call: Json) -> None:
    call["prefetch"]["immunizations"] = {
        "resourceType": "Bundle",
        "entry": [{"resource": IRRELEVANT}],
    }


def turn_the_keys(call: Json) -> None:
    call["prefetch"] = dict(reversed(call["prefetch"].items()))


def send_arrays(call: Json) -> None:
    for key, bundle in lists(call).items():
        if bundle.get("entry"):
            call["prefetch"][key] = [entry["resource"] for entry in bundle["entry"]]


def name_by_address(call: Json) -> None:
    for bundle in lists(call).values():
        for entry in bundle.get("entry", ()):
            resource = entry["resource"]
            entry["fullUrl"] = f"https://e/fhir/{resource['resourceType']}/{resource.pop('id')}"


def write_loosely(call: Json) -> None:
    call["extension"] = {"note": " " * 20_000}


CHANGES = [add_something_else, turn_the_keys, send_arrays, name_by_address, write_loosely]


def told(caller: Caller, call: Json) -> list[Any]:
    cards = caller.cards(call)["cards"]
    return [(card["indicator"], card["summary"], card["detail"]) for card in cards]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_same_cards(caller: Caller, name: str, change: Callable[[Json], None]) -> None:
    call = json.loads(json.dumps(CALLS[name]))
    before = told(caller, call)
    assert before
    change(call)
    assert told(caller, call) == before
