"""Section N: feedback, stored by the real application."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support import fixtures
from tests.support.rows import row

URL = "/cds-services/leg-cramps-patient-view/feedback"
CARD = "8f14e45f-ceea-467f-9b1d-0c5d1f2a7b10"


def entry(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "card": CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T09:05:12Z",
    }
    return {name: value for name, value in (base | changes).items() if value is not ...}


def send(client: FlaskClient, *entries: Any) -> Any:
    return client.post(URL, json={"feedback": list(entries)})


def refused(client: FlaskClient, place: str, **changes: Any) -> None:
    response = send(client, entry(**changes))
    assert response.status_code == 400
    assert response.json["issue"][0]["expression"] == [f"feedback[0].{place}"]


@row("N1", "N2")
def test_every_service_takes_feedback(client: FlaskClient) -> None:
    for service in client.get("/cds-services").json["services"]:
        path = f"/cds-services/{service['id']}/feedback"
        assert client.post(path, json={"feedback": [entry()]}).status_code == 200
    assert client.post("/cds-services/unknown/feedback", json={"feedback": []}).status_code == 404


@row("N3")
@pytest.mark.parametrize("body", [[], "x", {}, {"feedback": None}, {"feedback": {}}, [entry()]])
def test_an_object_with_an_array(client: FlaskClient, body: Any) -> None:
    assert client.post(URL, json=body).status_code == 400


@row("N4", "N5", "N8")
@pytest.mark.parametrize("field", ["card", "outcome", "outcomeTimestamp"])
def test_required_fields(client: FlaskClient, field: str) -> None:
    for wrong in (..., None, "", 5):
        refused(client, field, **{field: wrong})


@row("H2", "N4")
def test_cards_that_were_shown_and_cards_that_are_unknown(client: FlaskClient) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    cards = client.post("/cds-services/leg-cramps-patient-view", json=call).json["cards"]
    assert cards
    assert send(client, *(entry(card=card["uuid"]) for card in cards)).status_code == 200
    assert send(client, entry(card="from-another-node")).status_code == 200


@row("N5")
@pytest.mark.parametrize("outcome", ["ignored", "ACCEPTED", "rejected"])
def test_outcomes(client: FlaskClient, outcome: str) -> None:
    refused(client, "outcome", outcome=outcome)


@row("N6", "N9")
def test_accepted_suggestions(client: FlaskClient) -> None:
    assert (
        send(client, entry(outcome="accepted", acceptedSuggestions=[{"id": CARD}])).status_code
        == 200
    )
    for wrong in (..., None, [], "x"):
        refused(client, "acceptedSuggestions", outcome="accepted", acceptedSuggestions=wrong)
    refused(client, "acceptedSuggestions[0].id", outcome="accepted", acceptedSuggestions=[{}])


@row("N8")
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("2026-11-21T09:05:12Z", 200),
        ("2026-11-21T09:05:12.250Z", 200),
        ("2026-11-21T09:05:12.1234567+01:00", 200),
        ("yesterday", 400),
        ("2026-11-21", 400),
        ("2026-13-41T09:05:12Z", 400),
    ],
)
def test_timestamps(client: FlaskClient, text: str, status: int) -> None:
    assert send(client, entry(outcomeTimestamp=text)).status_code == status


@row("N7", "N10", "N11", "H17")
@pytest.mark.parametrize("name", ["overrideReason", "overrideReasons"])
@pytest.mark.parametrize(
    "value",
    [
        {"reason": {"code": "not-rls", "system": "urn:s", "display": "Not RLS"}},
        {"reason": {"code": "made-by-the-client"}},
        {"reason": {"code": "c", "system": "s"}, "userComment": "Text"},
        {"userComment": "Text"},
        {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Text"}},
        {},
    ],
)
def test_override_reasons(client: FlaskClient, name: str, value: Any) -> None:
    assert send(client, entry(**{name: value})).status_code == 200


@row("N10")
def test_a_reason_needs_a_code(client: FlaskClient) -> None:
    refused(client, "overrideReason.reason.code", overrideReason={"reason": {"display": "x"}})
    refused(client, "overrideReason", overrideReason="x")
    flat = {"code": "not-rls", "system": "urn:reasons"}  # as it was before `reason`
    assert send(client, entry(overrideReason=flat)).status_code == 200


@row("N12")
def test_batches_and_repeats(client: FlaskClient) -> None:
    accepted = entry(outcome="accepted", acceptedSuggestions=[{"id": CARD}])
    batch = [entry(), accepted, entry(), entry(card="another")]
    for _ in range(2):
        response = send(client, *batch)
        assert (response.status_code, response.json) == (200, {"stored": 4})
    assert send(client).status_code == 200


@row("N15")
def test_overridden_without_a_reason(client: FlaskClient) -> None:
    assert client.post(URL, json=fixtures.request("feedback/dismissed")).status_code == 200
