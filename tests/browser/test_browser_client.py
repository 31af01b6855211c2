"""A real Chromium calls the real server from another origin, as browser-based EHRs and the public
sandbox do: a preflight before each call, an Authorization header, no cookies.

Screenshots go to the folder named by CDS_SCREENSHOTS, when it is set.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import serving

pytestmark = pytest.mark.browser
FIXTURES = Path(__file__).parents[2] / "fixtures" / "requests"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=15000",
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: the test's report is enough."""


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The client page, served from an origin of its own."""
    handler = partial(Quiet, directory=str(Path(__file__).parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/client.html"
        server.shutdown()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the real server process."""
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


def browse(page: str, plan: list[dict[str, Any]], folder: Path, name: str) -> list[dict[str, Any]]:
    """Open the page with a plan of calls; what it received."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: run make browser, which installs it"
    address = f"{page}#{urllib.parse.quote(json.dumps(plan))}"
    command = [chromium, *FLAGS, f"--user-data-dir={folder}/profile"]
    shots = os.environ.get("CDS_SCREENSHOTS")
    if shots:
        picture = f"--screenshot={Path(shots) / (name + '.png')}"
        subprocess.run(
            [*command, "--window-size=900,1600", picture, address],
            check=True,
            capture_output=True,
            timeout=120,
        )
    done = subprocess.run(
        [*command, "--dump-dom", address], check=True, capture_output=True, text=True, timeout=120
    )
    report = re.search(
        r'<script type="application/json" id="report">(.*?)</script>', done.stdout, re.S
    )
    assert report, "the page did not finish its calls"
    received: list[dict[str, Any]] = json.loads(report[1])
    assert len(received) == len(plan), done.stdout[-2000:]
    return received


def post(address: str, request: str) -> dict[str, Any]:
    return {"method": "POST", "url": address, "body": json.loads((FIXTURES / request).read_text())}


def test_a_browser_gets_discovery_cards_and_stores_feedback(
    page: str, service: str, tmp_path: Path
) -> None:
    base = f"{service}/cds-services"
    plan = [
        {"method": "GET", "url": f"{base}/"},
        post(f"{base}//leg-cramps-patient-view", "patient-view/cramps-and-restless-legs.json"),
        post(f"{base}/leg-cramps-order-select", "order-select/quinine.json"),
    ]
    discovery, review, quinine = browse(page, plan, tmp_path, "cards")
    assert len(discovery["answer"]["services"]) == 4
    assert [card["indicator"] for card in review["answer"]["cards"]] == ["warning", "info", "info"]
    (card,) = quinine["answer"]["cards"]
    assert card["indicator"] == "critical"
    (suggestion,) = card["suggestions"]
    feedback = {
        "feedback": [
            {
                "card": card["uuid"],
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": suggestion["uuid"]}],
                "outcomeTimestamp": "2026-11-21T10:00:00Z",
            }
        ]
    }
    address = f"{base}/leg-cramps-order-select/feedback"
    (stored,) = browse(page, [{"method": "POST", "url": address, "body": feedback}], tmp_path, "fb")
    assert stored["status"] == 200


@pytest.mark.parametrize(
    ("service_id", "request_file", "status"),
    [
        ("leg-cramps-order-select", "order-select/no-medication-yet.json", 200),
        ("leg-cramps-order-select", "order-select/without-draft-orders.json", 400),
        ("leg-cramps-order-select", "order-select/dstu2-order.json", 200),
        ("leg-cramps-patient-view", "order-select/quinine.json", 400),
        ("leg-cramps-patient-view", "patient-view/conditions-not-sent.json", 412),
        ("no-such-service", "order-select/quinine.json", 404),
    ],
)
def test_a_browser_can_read_every_error(
    page: str, service: str, tmp_path: Path, service_id: str, request_file: str, status: int
) -> None:
    """An answer without CORS headers would be a failed fetch, whatever its status."""
    plan = [post(f"{service}/cds-services/{service_id}", request_file)]
    (answer,) = browse(page, plan, tmp_path, f"{service_id}-{status}")
    assert status == answer["status"]
    if status != 200:
        assert answer["answer"]["resourceType"] == "OperationOutcome"
