"""What changes nothing of what a call means changes none of its cards (metamorphic relations)."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cds_service.clock import Clock
from cds_service.config import Settings
from cds_service.service.runtime import Runtime
from cds_service.web.app import create_app
from cds_service.web.runtime import EXTENSION
from tests.support.calls import NOW, RXNORM, SUBJECT, Caller
from tests.support.dates import moved
from tests.support.odd_calls import CALLS, ICD, LOINC, SNOMED, Json

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


def told(caller: Caller, call: Json) -> list[list[str]]:
    cards = caller.cards(call)["cards"]
    return [[card["indicator"], card["summary"], card["detail"]] for card in cards]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_same_cards(caller: Caller, name: str, change: Callable[[Json], None]) -> None:
    call = json.loads(json.dumps(CALLS[name]))
    before = told(caller, call)
    assert before
    change(call)
    assert told(caller, call) == before


# By four years no age changes, and no day of a month; by 35 days both the month and the week do.
@pytest.mark.parametrize("days", [-1461, 35])
@pytest.mark.parametrize("name", NAMES)
def test_all_dates_and_the_clock_move_together(caller: Caller, name: str, days: int) -> None:
    call = CALLS[name]
    later = Caller(at_another_time(caller.client.application, days).test_client())
    before = told(caller, call)
    assert before
    assert told(later, moved(call, call, days)) == moved(before, call, days)


def at_another_time(app: Flask, days: int) -> Flask:
    """The application with the same pack and its clock so many days later."""
    settings = Settings(auth="off", public_url="https://cds.example.org")
    pack = app.extensions[EXTENSION].pack
    return create_app(settings, Runtime(pack, None, Clock(NOW + timedelta(days))))


Code = tuple[str, str]
RLS = "Restless legs syndrome"  # ICD-10's name of what SNOMED CT calls "Restless legs"
# Codes of one thing: the pack's value sets take them for the same. Not of a system in which a set
# that softens the card has no code: there it is rightly unknown (ICD-10-GM and iron overload).
EQUAL: list[tuple[str, Code, Code]] = [
    *((name, (ICD, "G25.81"), (SNOMED, "32914008")) for name in NAMES),
    ("plain", (LOINC, "2276-4"), (SNOMED, "993381000000106")),
    ("flag and range", (LOINC, "2823-3"), (SNOMED, "1000651000000109")),
    ("plain", (RXNORM, "310798"), ("http://www.whocc.no/atc", "C03AA03")),
]


@pytest.mark.parametrize(("name", "code", "equal"), EQUAL)
def test_a_code_is_replaced_by_its_equal_in_another_system(
    caller: Caller, name: str, code: Code, equal: Code
) -> None:
    call = json.loads(json.dumps(CALLS[name]))
    before = named_alike(told(caller, call))
    found = [one for one in codings(call) if (one["system"], one["code"]) == code]
    assert found
    for coding in found:
        coding["system"], coding["code"] = equal
    assert named_alike(told(caller, call)) == before


def named_alike(cards: list[list[str]]) -> list[list[str]]:
    return [[part.replace(RLS, "Restless legs") for part in card] for card in cards]


def codings(node: Any) -> Iterator[Json]:
    """All codings of a call."""
    if isinstance(node, dict):
        if "system" in node and "code" in node and "value" not in node:
            yield node
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from codings(child)
