"""The database locked, full, gone and back; workers and PostgreSQL killed under a bounded load.

What was acknowledged is never missing afterwards, and calls are answered all the while.
"""

import itertools
import json
import os
import resource
import signal
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cds_service.store import database
from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.wire import Answer, get, post

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()
CLIENTS, DELIVERIES = 4, 60  # a load with an end
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def feedback(card: str) -> bytes:
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T09:00:05Z"}
    return json.dumps({"feedback": [entry]}).encode()


def tell(server: Launched) -> Answer:
    return post(server.port, f"{PATH}/feedback", feedback(str(uuid.uuid4())))


def refused(answer: Answer) -> bool:
    return (answer.status, answer.code) == (503, "storage-unavailable") and bool(
        int(answer.headers["Retry-After"])
    )


class Calls:
    """Makes calls, all of which must be answered, and remembers their cards."""

    def __init__(self, server: Launched) -> None:
        self._server = server
        self.cards: set[str] = set()

    def make(self) -> None:
        answer = post(self._server.port, PATH, CALL)
        assert answer.status == 200
        self.cards |= {card["uuid"] for card in answer.json["cards"]}


def limit_files(server: Launched, limit: tuple[int, int]) -> None:
    """How large a file the workers may write: a disk that is full for them alone."""
    for worker in server.workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limit)


def test_a_sqlite_file_that_is_locked_full_and_gone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    file = folder / "cds.sqlite3"
    with launched(tmp_path, CDS_DATABASE_URL=f"sqlite:///{file}") as server:
        calls = Calls(server)
        calls.make()
        assert tell(server).status == 200

        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert refused(tell(server))
        calls.make()
        other.execute("ROLLBACK")
        other.close()
        assert tell(server).status == 200

        limit_files(server, (1, resource.RLIM_INFINITY))
        assert refused(tell(server))
        calls.make()
        limit_files(server, UNLIMITED)
        assert tell(server).status == 200

        folder.rename(tmp_path / "elsewhere")
        assert refused(tell(server))
        calls.make()
        ready = get(server.port, "/readyz")
        assert (ready.status, ready.json["ready"]) == (503, False)
        assert get(server.port, "/healthz").status == 200
        (tmp_path / "elsewhere").rename(folder)
        assert tell(server).status == 200
        assert get(server.port, "/readyz").status == 200
    with sqlite3.connect(file) as connection:
        recorded = {card for (card,) in connection.execute("SELECT card FROM cards")}
        stored = connection.execute("SELECT count(*) FROM feedback").fetchone()
    connection.close()
    assert recorded == calls.cards  # none of the records was lost while it was away
    assert stored == (4,)


class Load:
    """Clients that deliver feedback, each as often as `DELIVERIES`, and note what was taken."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.acknowledged: set[str] = set()
        self.unanswered = 0
        self._done = itertools.count()
        self._reached: dict[int, threading.Event] = {}
        self._threads = [threading.Thread(target=self._deliver) for _ in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for share in (0.2, 0.5, 0.7):
            self._reached[int(share * CLIENTS * DELIVERIES)] = threading.Event()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        for thread in self._threads:
            thread.join(60)

    def moments(self) -> Iterator[threading.Event]:
        """A few moments in the middle of the load."""
        for event in self._reached.values():
            assert event.wait(60)
            yield event

    def _deliver(self) -> None:
        for _ in range(DELIVERIES):
            card = str(uuid.uuid4())
            try:
                answer = post(self._port, f"{PATH}/feedback", feedback(card))
            except (OSError, HTTPException):
                self.unanswered += 1
            else:
                assert answer.status in (200, 503)
                if answer.status == 200:
                    self.acknowledged.add(card)
            if event := self._reached.get(next(self._done)):
                event.set()


def stored_cards(url: str) -> set[str]:
    engine = database.connect(url)
    with engine.connect() as connection:
        found = {card for (card,) in connection.execute(text("SELECT card FROM feedback"))}
    engine.dispose()
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_workers_and_databases_lose_nothing_that_was_acknowledged(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    postgres = request.getfixturevalue("postgres") if kind == "postgresql" else None
    url = postgres.database() if postgres else f"sqlite:///{tmp_path}/cds.sqlite3"
    database.upgrade(url)
    with launched(tmp_path, CDS_DATABASE_URL=url) as server:
        killed = []
        with Load(server.port) as load:
            for number, _ in enumerate(load.moments()):
                if postgres and number == 1:
                    postgres.kill()
                    assert refused(tell(server))
                    assert post(server.port, PATH, CALL).status == 200
                    postgres.start()
                    continue
                killed.append(server.workers[0])
                os.kill(killed[-1], signal.SIGKILL)
        assert len(load.acknowledged) > CLIENTS * DELIVERIES / 4
        replaced = (not set(killed) & set(server.workers) for _ in range(2000) if tell(server))
        assert any(replaced)
        assert tell(server).status == 200
    assert load.acknowledged <= stored_cards(url)
