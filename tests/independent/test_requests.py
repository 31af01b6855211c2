"""Calls that others published, sent as they are: an answer or a reason, never a fault.

The records are not part of this project. CDS_INDEPENDENT_DATA names the folder that holds
`cds-requests/*.json`; without it these tests are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.calls import SERVICE_OF

FOLDER = os.environ.get("CDS_INDEPENDENT_DATA", "")
REQUESTS = sorted(Path(FOLDER, "cds-requests").glob("*.json")) if FOLDER else []

pytestmark = [
    pytest.mark.independent,
    pytest.mark.skipif(not FOLDER, reason="CDS_INDEPENDENT_DATA is not set"),
]


def check(response: Any) -> None:
    assert response.status_code in (200, 400, 412), response.get_data(as_text=True)
    if response.status_code == 200:
        assert isinstance(response.json["cards"], list)
        return
    (issue,) = response.json["issue"]
    assert issue["diagnostics"] and issue["details"]["coding"][0]["code"]


def test_there_are_requests() -> None:
    assert REQUESTS


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_as_it_is(client: FlaskClient, path: Path) -> None:
    """To the service of its hook; calls of other hooks to the review, which refuses them."""
    body = path.read_bytes()
    service = SERVICE_OF.get(json.loads(body).get("hook"), SERVICE_OF["patient-view"])
    check(client.post(f"/cds-services/{service}", data=body))


@pytest.mark.parametrize("service", [*SERVICE_OF.values(), "leg-symptoms-screen"])
@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_with_its_gaps_filled(client: FlaskClient, path: Path, service: str) -> None:
    """The same data as a call of our hooks with the required fields, to reach the rules."""
    hooks = {name: hook for hook, name in SERVICE_OF.items()}
    call = filled(json.loads(path.read_bytes()), hooks.get(service, "patient-view"))
    check(client.post(f"/cds-services/{service}", json=call))


def filled(data: dict[str, Any], hook: str) -> dict[str, Any]:
    sent = data["context"] if isinstance(data["context"], dict) else {}
    orders = sent.get("draftOrders")
    if not isinstance(orders, dict) or orders.get("resourceType") != "Bundle":
        orders = {"resourceType": "Bundle", "entry": [orders, sent.get("medications")]}
    context = {
        "userId": "Practitioner/1",
        **sent,
        "patientId": sent.get("patientId") or data.get("patient") or "p",
        "draftOrders": orders,
        "selections": [name for entry in orders["entry"] for name in names(entry)],
    }
    instance = str(data.get("hookInstance") or "x")
    return data | {"hook": hook, "hookInstance": instance, "context": context}


def names(entry: Any) -> list[str]:
    resource = entry.get("resource", entry) if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or "id" not in resource:
        return []
    return [f"{resource.get('resourceType')}/{resource['id']}"]
