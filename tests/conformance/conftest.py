"""What many rows look at: the sample calls and their answers from the real application."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support import fixtures
from tests.support.calls import SERVICE_OF

SAMPLES = (
    "patient-view/cramps-and-restless-legs",
    "patient-view/no-leg-complaint",
    "order-select/quinine",
    "order-select/quinine-from-sandbox",
    "order-select/no-medication-yet",
    "order-sign/quinine",
)


@dataclass(frozen=True)
class Answered:
    """A sample call, sent."""

    name: str
    request: Any
    status: int
    body: Any
    content: bytes

    @property
    def cards(self) -> list[Any]:
        cards: list[Any] = self.body["cards"]
        return cards


@pytest.fixture
def answered(client: FlaskClient) -> list[Answered]:
    """All sample calls with their answers."""
    return list(_answers(client))


def _answers(client: FlaskClient) -> Iterator[Answered]:
    for name in SAMPLES:
        request = fixtures.request(name)
        response = client.post(f"/cds-services/{SERVICE_OF[request['hook']]}", json=request)
        assert response.status_code == 200, response.get_data(as_text=True)
        yield Answered(name, request, response.status_code, response.json, response.data)


@pytest.fixture
def cards(answered: list[Answered]) -> list[Any]:
    """All cards of all sample calls; a suite without cards would prove nothing."""
    found = [card for answer in answered for card in answer.cards]
    assert {card["indicator"] for card in found} >= {"critical", "warning", "info"}
    return found


@pytest.fixture
def suggestions(cards: list[Any]) -> list[Any]:
    """All suggestions of all cards."""
    found = [suggestion for card in cards for suggestion in card.get("suggestions", [])]
    assert found
    return found


@pytest.fixture
def actions(suggestions: list[Any]) -> list[Any]:
    """All actions of all suggestions; both kinds occur."""
    found = [action for suggestion in suggestions for action in suggestion.get("actions", [])]
    assert {action["type"] for action in found} == {"create", "delete"}
    return found
