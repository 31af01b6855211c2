"""A site's folder changed under the real server: two workers, a steady load, no failed call.

No sleeps: each step waits for what /readyz says of all workers, with an end to its patience.
"""

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.performance.process import Server, running
from tests.support.calls import condition, observation, patient_view
from tests.support.sites import B12, NOW, Site

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SERVICE = "/cds-services/leg-cramps-patient-view"
PATIENCE = 60.0  # seconds
CLIENTS = 3
PACE = 0.02  # seconds between two calls of a client: a steady load, not a flood


def request() -> bytes:
    chart = patient_view(
        conditions=[condition(ICD10, "G47.62")],
        observations=[observation(B12, 150, "pg/mL")],
    )
    return json.dumps({**chart, "hookInstance": str(uuid.uuid4())}).encode()


class Load:
    """Clients that call until told to stop; remembers every answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: list[int] = []
        self.words: set[str] = set()
        self.mixed: list[Any] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while not self._stop.wait(PACE):
            try:
                connection.request("POST", SERVICE, request(), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                self._note(answer.status, answer.read())
            except OSError as error:
                self.failures.append(type(error).__name__)
                connection.close()
        connection.close()

    def _note(self, status: int, body: bytes) -> None:
        self.statuses.append(status)
        if status != 200:
            self.failures.append(f"{status} {body[:200]!r}")
            return
        cards = json.loads(body)["cards"]
        self.words |= {card["summary"] for card in cards if "B12" in card["summary"]}
        revisions = {revision(card) for card in cards}
        if len(revisions) > 1:
            self.mixed.append(revisions)


def revision(card: Any) -> str:
    return str(card["extension"]["com.legcramps.cds"].get("packRevision", ""))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture
def server(tmp_path: Path, site: Site) -> Iterator[Server]:
    environ = {
        "CDS_AUTH": "off",
        "CDS_HOST": "127.0.0.1",
        "CDS_NOW": NOW,
        "CDS_SITE_DIR": str(site.root),
        "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/cds.sqlite3",
        "CDS_LOG_LEVEL": "CRITICAL",
        "TMPDIR": str(tmp_path),
    }
    with running("service", environ) as started:
        yield started


def readyz(port: int) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def wait_until(port: int, holds: Callable[[Any], bool]) -> Any:
    """The first report of /readyz of which it holds."""
    end, pause = time.monotonic() + PATIENCE, threading.Event()
    while time.monotonic() < end:
        report = readyz(port)
        if len(report["workers"]) == 2 and holds(report):
            return report
        pause.wait(0.2)
    raise AssertionError(f"it never came: {report}")


def all_run_another(before: str) -> Callable[[Any], bool]:
    return lambda report: all(w["revision"] != before for w in report["workers"])


def all_refused(report: Any) -> bool:
    return all(worker["rejected"] for worker in report["workers"])


def none_refused(report: Any) -> bool:
    return not any(worker["rejected"] for worker in report["workers"])


def test_add_break_and_mend_a_rule_under_load(server: Server, site: Site) -> None:
    with Load(server.port) as load:
        first = wait_until(server.port, none_refused)["pack"]["revision"]
        site.add_b12()
        second = wait_until(server.port, all_run_another(first))
        assert second["workersAgree"] is True

        good = second["pack"]["revision"]
        text = (site.root / "rules/low-b12.json").read_text()
        site.write("rules/low-b12.json", text[: len(text) // 2])
        broken = wait_until(server.port, all_refused)
        assert {worker["revision"] for worker in broken["workers"]} == {good}
        assert "low-b12.json:1:" in broken["rejectedPack"]["first"][0]
        assert "P003" in broken["rejectedPack"]["first"][0]

        site.write("rules/low-b12.json", text.replace('"value": 200', '"value": 201'))
        failed = wait_until(
            server.port,
            lambda r: all_refused(r) and "L001" in json.dumps(r["rejectedPack"]),
        )
        assert "at the threshold" in failed["rejectedPack"]["first"][0]
        assert {worker["revision"] for worker in failed["workers"]} == {good}

        site.add_b12(word="very low")
        mended = wait_until(server.port, all_run_another(good))
        assert mended["rejectedPack"] == "none"
        assert mended["workersAgree"] is True
    assert load.failures == []
    assert load.mixed == []
    assert len(load.statuses) > 50
    assert load.words == {
        "Leg cramps and a low vitamin B12 (150 pg/mL)",
        "Leg cramps and a very low vitamin B12 (150 pg/mL)",
    }


def test_a_worker_that_starts_while_the_folder_is_broken_runs_the_last_good_pack(
    server: Server, site: Site
) -> None:
    first = wait_until(server.port, none_refused)["pack"]["revision"]
    site.add_b12()
    good = wait_until(server.port, all_run_another(first))["pack"]["revision"]
    site.write("site.json", "{")
    report = wait_until(server.port, all_refused)
    killed = report["workers"][0]["pid"]
    os.kill(killed, signal.SIGKILL)
    again = wait_until(
        server.port,
        lambda r: killed not in {w["pid"] for w in r["workers"]} and all_refused(r),
    )
    assert {worker["revision"] for worker in again["workers"]} == {good}


def test_going_back_to_what_is_in_force_forgets_the_refusal(server: Server, site: Site) -> None:
    before = wait_until(server.port, none_refused)["pack"]["revision"]
    site.write("site.json", {"settings": {"ferritin.low": 5000}})
    report = wait_until(server.port, all_refused)
    assert "F308" in report["rejectedPack"]["first"][0]
    site.write("site.json", {})
    report = wait_until(server.port, none_refused)
    assert report["rejectedPack"] == "none"
    assert report["pack"]["revision"] == before
