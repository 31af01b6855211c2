"""/metrics and /readyz of several workers, read from the real server."""

import json
from pathlib import Path

from tests.support import fixtures
from tests.support.server import launched
from tests.support.wire import get, metric, post

ORDER = "/cds-services/leg-cramps-order-select"
REVIEW = "/cds-services/leg-cramps-patient-view"
QUININE = json.dumps(fixtures.request("order-select/quinine")).encode()
CALLS = 12  # on connections of their own, so that both workers get some


def test_all_workers_are_counted_together(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", "2") as server:
        port = server.port
        cards = [post(port, ORDER, QUININE).json["cards"] for _ in range(CALLS)]
        post(port, f"{ORDER}/feedback", _feedback(cards[0][0]["uuid"]))
        post(port, REVIEW, b"{")
        post(port, "/cds-services/marta-lind", QUININE)

        def counted(name: str, **labels: str) -> float:
            return metric(port, name, **labels)

        answered = {"service": "leg-cramps-order-select", "status": "200"}
        assert counted("cds_answers_total", **answered) == CALLS + 1  # and the feedback
        failed = {"service": "leg-cramps-patient-view", "status": "400", "code": "json-malformed"}
        assert counted("cds_answers_total", **failed) == 1
        assert counted("cds_answers_total", service="", status="404") == 1
        for stage in ("parse", "gather", "facts", "rules", "cards", "write"):
            assert counted("cds_stage_seconds_count", stage=stage) == CALLS
        assert counted("cds_rule_outcomes_total", rule="order.quinine", outcome="fires") == CALLS
        assert counted("cds_prefetch_total", service="leg-cramps-order-select") == CALLS * 8
        assert counted("cds_feedback_total", outcome="overridden") == 1
        assert counted("cds_decision_records_lost_total") == 0
        assert counted("cds_requests_in_flight") >= 1  # this one
        exposed = get(port, "/metrics").body.decode()
        for name in ("cds_decision_records_waiting", "cds_fhir_read_seconds"):
            assert name in exposed
        assert "marta" not in exposed
        ready = get(port, "/readyz").json
        assert ready["ready"] is True
        assert ready["database"] == "ok"
        assert ready["decisionRecords"]["lost"] == 0
        assert ready["pack"]["revision"]


def _feedback(card: str) -> bytes:
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T09:00:05Z"}
    return json.dumps({"feedback": [entry]}).encode()
