"""`cds serve` as an operator starts it: the real server, feedback on disk, records at shutdown."""

import sqlite3
from pathlib import Path

import orjson
import pytest

from cds_service.cli import http
from tests.performance.process import running

REQUEST = Path("fixtures/requests/order-select/quinine.json")
SERVICE = "cds-services/leg-cramps-order-select"


def test_a_call_its_feedback_and_what_a_stop_leaves_on_disk(tmp_path: Path) -> None:
    database = tmp_path / "cds.sqlite3"
    environ = {
        "CDS_AUTH": "off",
        "CDS_HOST": "127.0.0.1",
        "CDS_NOW": "2026-11-21T09:00:00Z",
        "CDS_DATABASE_URL": f"sqlite:///{database}",
        "CDS_LOG_LEVEL": "ERROR",
    }
    with running("service", environ) as server:
        base = f"http://127.0.0.1:{server.port}"
        [card] = http.post(f"{base}/{SERVICE}", REQUEST.read_bytes())["cards"]
        entry = {
            "card": card["uuid"],
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
            "outcomeTimestamp": "2026-11-21T09:00:05Z",
        }
        feedback = orjson.dumps({"feedback": [entry]})
        http.post(f"{base}/{SERVICE}/feedback", feedback)
        assert rows(database, "SELECT card, outcome FROM feedback") == [(card["uuid"], "accepted")]
        assert http.get(f"{base}/readyz")["ready"] is True
    assert (card["uuid"], "order.quinine") in rows(database, "SELECT card, rule FROM cards")


def test_no_configuration_stops_the_start_with_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="did not start"), running("service", {"CDS_AUTH": ""}):
        pass


def rows(database: Path, query: str) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
