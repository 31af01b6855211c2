"""The sample calls of fixtures/: what the README shows is what the service does."""

import json
from importlib.resources import files
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from tests.support import fixtures, responses
from tests.support.calls import Caller

CALLS = sorted(
    path.relative_to(fixtures.ROOT / "requests").with_suffix("").as_posix()
    for path in (fixtures.ROOT / "requests").rglob("*.json")
)
NOT_CONFORMANT = {
    "order-select/no-medication-yet": False,  # unusual, and allowed
    "order-select/without-draft-orders": True,
}


def schema(name: str) -> Any:
    return json.loads((files("cds_service") / f"schemas/{name}.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("name", CALLS)
def test_sample_calls_keep_to_the_schemas(name: str) -> None:
    kind = "feedback" if name.startswith("feedback/") else "hook-request"
    errors = list(Draft202012Validator(schema(kind)).iter_errors(fixtures.request(name)))
    assert bool(errors) == NOT_CONFORMANT.get(name, False)


@pytest.mark.parametrize("name", responses.NAMES)
def test_sample_answers(client: FlaskClient, name: str) -> None:
    """After a change of the pack's words: python -m tests.support.responses"""
    stored = json.loads(responses.path(name).read_text("utf-8"))
    assert responses.answer(client, name) == stored


def test_the_sample_patient_gets_a_ferritin_card_and_a_diuretic_card(caller: Caller) -> None:
    cards = caller.cards(fixtures.request("patient-view/cramps-and-restless-legs"))["cards"]
    text = " | ".join(card["summary"] for card in cards)
    assert "ferritin 32 ng/mL" in text
    assert "hydrochlorothiazide" in text.lower() or "diuretic" in text.lower()


def test_the_quinine_order_gets_a_critical_card_that_removes_it(caller: Caller) -> None:
    (card,) = caller.cards(fixtures.request("order-select/quinine"))["cards"]
    assert card["indicator"] == "critical"
    assert {"type": "delete", "resourceId": "MedicationRequest/draft-1"}.items() <= (
        card["suggestions"][0]["actions"][0].items()
    )
