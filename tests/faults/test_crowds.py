"""More calls than can be answered, clients that never finish, and a stop in the middle of calls."""

import json
import signal
import socket
import sqlite3
from pathlib import Path

from tests.support import fixtures
from tests.support.server import launched
from tests.support.wire import Slow, get, metric, post, until

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()
PLACES = 4


def test_a_crowd_gets_503_and_whoever_was_there_before_an_answer(tmp_path: Path) -> None:
    # More threads than places, so that no call waits for a slow client.
    with launched(tmp_path, "--workers", "1", "--threads", "8", CDS_MAX_IN_FLIGHT="4") as server:

        def full() -> bool:
            """An answered call holds its place a moment longer, but not twenty times."""
            return all(post(server.port, PATH, CALL).status == 503 for _ in range(20))

        early: list[Slow] = []
        while not full():
            early.append(Slow(server.port, PATH, CALL))
        late = [Slow(server.port, PATH, CALL) for _ in range(8)]
        refused = post(server.port, PATH, CALL)
        assert (refused.status, refused.code) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json["resourceType"] == "OperationOutcome"
        assert metric(server.port, "cds_requests_in_flight") > PLACES  # and this one
        assert get(server.port, "/healthz").status == 200
        assert get(server.port, "/readyz").status == 200
        assert [client.finish().status for client in late] == [503] * len(late)
        assert [client.finish().status for client in early].count(200) == PLACES
        until(lambda: post(server.port, PATH, CALL).status == 200)


def test_clients_that_never_finish_lose_their_place(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", "1", "--threads", "2", CDS_READ_SECONDS="1") as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
        slow = [Slow(server.port, PATH, CALL) for _ in range(4)]
        assert post(server.port, PATH, CALL).status == 200
        assert {client.answer().status for client in slow} == {400}
        for connection in silent:
            connection.close()


def test_what_is_no_http_gets_an_operation_outcome_and_is_not_quoted(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", "1") as server:
        for request in (
            b"GET /Lind HTTP/9.9\r\n\r\n",
            b"Marta Lind\r\n\r\n",
            b"GET / HTTP/1.1\r\nMarta Lind: 1957\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                connection.sendall(request)
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b'"resourceType":"OperationOutcome"' in answer
            assert b"Lind" not in answer
    log = server.log.read_text()
    assert log.count('"no HTTP"') == 3
    assert "Lind" not in log


def test_a_stop_answers_what_is_under_way_and_writes_every_record(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", "1", "--threads", "4") as server:
        cards = [post(server.port, PATH, CALL).json["cards"][0]["uuid"] for _ in range(20)]
        early = [Slow(server.port, PATH, CALL) for _ in range(3)]
        until(lambda: metric(server.port, "cds_requests_in_flight") >= 4)
        server.process.send_signal(signal.SIGTERM)
        answers = [client.finish() for client in early]
        assert server.process.wait(30) == 0
    assert [answer.status for answer in answers] == [200] * 3
    cards += [answer.json["cards"][0]["uuid"] for answer in answers]
    with sqlite3.connect(tmp_path / "cds.sqlite3") as database:
        on_record = {card for (card,) in database.execute("SELECT card FROM cards")}
        calls = database.execute("SELECT count(*) FROM calls").fetchone()
    database.close()
    assert on_record == set(cards)
    assert calls == (23,)
