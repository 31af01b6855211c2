"""/readyz asks what a call needs: is one of them refused, the service is not ready."""

import json
import os
import resource
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cds_service.store import database
from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.tokens import client_entry, write_clients
from tests.support.wire import Answer, get, metric, post, until

PATH = "/cds-services/leg-cramps-order-select"
FEEDBACK = f"{PATH}/feedback"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def tell(server: Launched) -> Answer:
    card = {"card": str(uuid.uuid4()), "outcome": "overridden"}
    entry = {**card, "outcomeTimestamp": "2026-11-21T09:00:05Z"}
    return post(server.port, FEEDBACK, json.dumps({"feedback": [entry]}).encode())


def ready(server: Launched) -> bool:
    """What it says of itself, the same in status and report."""
    answer = get(server.port, "/readyz")
    assert (answer.status == 200) is answer.json["ready"] is (answer.json["database"] == "ok")
    return bool(answer.json["ready"])


def test_a_full_disk(tmp_path: Path) -> None:
    with launched(tmp_path) as server:
        until(lambda: len(server.workers) == 2)
        assert ready(server)
        for worker in server.workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        assert tell(server).status == 503
        assert not ready(server)
        not_ready = metric(server.port, "cds_answers_total", route="/readyz", status="503")
        assert not_ready == 1  # what the alarm CdsNotReady waits for
        for worker in server.workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, UNLIMITED)
        assert tell(server).status == 200
        assert ready(server)


def test_a_full_disk_where_tokens_are_required(tmp_path: Path) -> None:
    public = "http://127.0.0.1:5005"
    write_clients(tmp_path, client_entry())
    (tmp_path / "site.json").write_text("{}")
    environ = {"CDS_AUTH": "required", "CDS_PUBLIC_URL": public, "CDS_SITE_DIR": str(tmp_path)}
    with launched(tmp_path, CDS_NOW="", **environ) as server:
        until(lambda: len(server.workers) == 2)
        assert ready(server)
        for worker in server.workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        assert not ready(server)


def test_clients_that_become_a_pipe_and_then_a_file_again(tmp_path: Path) -> None:
    path = write_clients(tmp_path, client_entry())
    (tmp_path / "site.json").write_text("{}")
    with launched(tmp_path, "--workers", "1", CDS_SITE_DIR=str(tmp_path)) as server:
        clients = get(server.port, "/readyz").json["clients"]
        good = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        until(lambda: get(server.port, "/readyz").json["clients"]["rejected"] != "none")
        assert get(server.port, "/readyz").json["clients"]["revision"] == clients["revision"]
        path.unlink()
        path.write_bytes(good.replace(b"general", b"renamed"))
        until(lambda: get(server.port, "/readyz").json["clients"]["rejected"] == "none")
        assert get(server.port, "/readyz").json["clients"]["revision"] != clients["revision"]


def test_a_file_that_another_program_holds(tmp_path: Path) -> None:
    with launched(tmp_path) as server:
        assert ready(server)
        other = sqlite3.connect(tmp_path / "cds.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert not ready(server)
        other.execute("ROLLBACK")
        other.close()
        assert ready(server)


@pytest.mark.parametrize(
    ("lose", "regain"),
    [
        ("REVOKE INSERT ON spent_tokens FROM cds", "GRANT INSERT ON spent_tokens TO cds"),
        ("REVOKE INSERT ON feedback FROM cds", "GRANT INSERT ON feedback TO cds"),
        (
            "ALTER ROLE cds SET default_transaction_read_only = on",
            "ALTER ROLE cds SET default_transaction_read_only = off",
        ),
        ("ALTER TABLE feedback RENAME TO away", "ALTER TABLE away RENAME TO feedback"),
    ],
    ids=["tokens", "feedback", "read-only", "a table"],
)
def test_a_postgresql_that_takes_nothing(
    tmp_path: Path, postgres: Any, lose: str, regain: str
) -> None:
    owner = postgres.database()
    database.upgrade(owner)

    def run(statement: str) -> None:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(statement.encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cds'"
            )

    run("DROP OWNED BY cds" if _exists(owner) else "CREATE ROLE cds LOGIN")
    run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO cds")
    run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO cds")
    url = owner.replace("postgresql://postgres:", "postgresql://cds:").replace(
        "postgresql://postgres@", "postgresql://cds@"
    )
    assert url != owner
    with launched(tmp_path, CDS_DATABASE_URL=url) as server:
        assert ready(server)
        assert tell(server).status == 200
        run(lose)
        until(lambda: not ready(server))
        run(regain)
        until(lambda: ready(server))
        with psycopg.connect(owner) as connection:
            stored = connection.execute("SELECT count(*) FROM feedback").fetchone()
        assert stored == (1,)


def _exists(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'cds'").fetchone()
    return found is not None
