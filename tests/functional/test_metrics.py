"""/metrics and /readyz of several workers, read from the real server."""

import json
import os
import re
import signal
from pathlib import Path

from cds_service import version
from tests.support import fixtures
from tests.support.server import launched
from tests.support.sites import Site
from tests.support.wire import get, metric, post, until

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
        assert counted("cds_prefetch_total", service="leg-cramps-order-select") == CALLS * 9
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


def test_what_an_alarm_waits_for_is_there_before_it_happens(tmp_path: Path) -> None:
    """An increase from nothing is no increase to Prometheus."""
    with launched(tmp_path, "--workers", "2") as server:
        until(lambda: metric(server.port, "cds_workers") == 2)
        post(server.port, ORDER, QUININE)
        exposed = get(server.port, "/metrics").body.decode()
    for sample in (
        'cds_rule_outcomes_total{outcome="error",rule="order.quinine"} 0.0',
        'service="leg-cramps-order-select",status="500"} 0.0',
        'service="leg-cramps-order-sign",status="503"} 0.0',
        'cds_fhir_not_asked_total{reason="busy"} 0.0',
        "cds_decision_records_lost_total 0.0",
        "cds_unreadable_requests_total 0.0",
        "cds_pack_refused 0.0",
        "cds_clients_refused 0.0",
        "cds_looks_hanging 0.0",
        "cds_workers 2.0",
    ):
        assert sample in exposed, sample
    assert exposed.count("cds_build_info{") == 1
    assert f'version="{version()}"' in exposed
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes"):
        assert re.search(rf"^{name} [1-9]", exposed, re.M), name


def test_the_pack_in_force_and_a_refused_one(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    with launched(tmp_path, "--workers", "2", CDS_SITE_DIR=str(site.root)) as server:
        port = server.port
        until(lambda: metric(port, "cds_workers") == 2)
        first = get(port, "/readyz").json["pack"]["revision"][:12]
        assert metric(port, "cds_pack_in_force", revision=first) == 1
        site.write("site.json", "{")
        until(lambda: metric(port, "cds_pack_refused") == 1)
        assert metric(port, "cds_pack_in_force") == 1
        site.write("site.json", "{}")
        site.add_b12()
        until(lambda: get(port, "/readyz").json["pack"]["revision"][:12] != first)
        until(lambda: metric(port, "cds_pack_in_force", revision=first) == 0)
        until(lambda: metric(port, "cds_pack_refused") == 0)
        assert metric(port, "cds_pack_in_force") == 1
        for worker in server.workers:  # whoever comes later tells what is in force now
            os.kill(worker, signal.SIGTERM)
        until(lambda: metric(port, "cds_workers") == 2)
        assert metric(port, "cds_pack_in_force", revision=first) == 0
        assert metric(port, "cds_pack_in_force") == 1


def _feedback(card: str) -> bytes:
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T09:00:05Z"}
    return json.dumps({"feedback": [entry]}).encode()
