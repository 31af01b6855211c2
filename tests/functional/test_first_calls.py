"""The first calls after a start or a reload, and many at once: the pack is ready before them."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.cards.render import MissingValue
from cds_service.rules.conditions import Compiler
from cds_service.service.runtime import Runtime
from cds_service.web.runtime import EXTENSION
from tests.conftest import AppOfProfile
from tests.support import fixtures

SAMPLE = "patient-view/cramps-and-restless-legs"
CROWD = 6
ROUNDS = 15
SERVICES = {
    "patient-view": "leg-cramps-patient-view",
    "order-select": "leg-cramps-order-select",
    "order-sign": "leg-cramps-order-sign",
}
CALLS = [
    f"{folder.name}/{file.stem}"
    for folder in sorted((fixtures.ROOT / "requests").iterdir())
    for file in sorted(folder.glob("*.json"))
    if folder.name in SERVICES
]


@pytest.fixture
def runtime(app_with_profile: AppOfProfile) -> Iterator[Runtime]:
    held: Runtime = app_with_profile().extensions[EXTENSION]
    before = held.pack
    yield held
    held.replace_pack(before)


@pytest.fixture
def often_interrupted() -> Iterator[None]:
    """Threads take turns as often as Python can make them."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_compiled_while_a_call_is_answered(
    client: FlaskClient, runtime: Runtime, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a condition is compiled while a call is answered")

    expected = _outcome(client, name)
    runtime.replace_pack(replace(runtime.pack))  # nothing is known of it yet
    monkeypatch.setattr(Compiler, "condition", refuse)
    assert _outcome(client, name) == expected


@pytest.mark.usefixtures("often_interrupted")
def test_a_crowd_of_first_calls_gets_the_answers_of_later_ones(
    app_with_profile: AppOfProfile, runtime: Runtime
) -> None:
    app = app_with_profile()
    expected = _outcome(app.test_client(), SAMPLE)
    for _ in range(ROUNDS):
        runtime.replace_pack(replace(runtime.pack))
        assert _all_at_once(app, SAMPLE) == [expected] * CROWD


def test_when_no_card_could_be_written_the_answer_is_not_no_cards(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(scene: object) -> NoReturn:
        raise MissingValue("lab.ferritin.value")

    monkeypatch.setattr("cds_service.cards.compose.say", fail)
    response = _post(client, SAMPLE)
    assert response.status_code == 500
    assert response.get_json()["issue"][0]["details"]["coding"][0]["code"] == "rules-failed"


def _all_at_once(app: Flask, name: str) -> list[Any]:
    together = Barrier(CROWD)

    def one(_: int) -> Any:
        client = app.test_client()
        together.wait()
        return _outcome(client, name)

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(one, range(CROWD)))


def _post(client: FlaskClient, name: str) -> Any:
    service = SERVICES[name.partition("/")[0]]
    return client.post(f"/cds-services/{service}", json=fixtures.request(name))


def _outcome(client: FlaskClient, name: str) -> Any:
    """Status and summaries: what a second answer to the same call must repeat."""
    response = _post(client, name)
    if response.status_code != 200:
        return response.status_code, response.get_json()["issue"][0]["details"]
    return 200, [card["summary"] for card in response.get_json()["cards"]]
