"""Clients that are slow, silent or greedy, without a proxy in front: others are answered.

The server's own limit for a slow client is far beyond the patience of these tests, unless a test is
about that limit: nobody waits for a slow client to be cut off.
"""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.support import fixtures
from tests.support.server import launched
from tests.support.wire import Slow, get, metric, post, until

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()
NEVER = "300"  # seconds
HEALTH = ("/healthz", "/readyz", "/metrics")


@contextmanager
def connected(port: int, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """As many connections, each with the same bytes sent."""
    with ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            with suppress(ConnectionError):
                client.sendall(sent)
            clients.append(client)
        yield clients


def under_way(port: int) -> float:
    """Answers under way beside this look: the last look may still be counted by the next one."""
    return min(metric(port, "cds_requests_in_flight") for _ in range(5)) - 1


def test_operators_are_answered_while_slow_bodies_hold_every_thread(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", "1", "--threads", "2", CDS_READ_SECONDS=NEVER) as server:
        slow = [Slow(server.port, PATH, CALL) for _ in range(6)]
        until(lambda: metric(server.port, "cds_requests_in_flight") > 6)
        for path in HEALTH:
            assert get(server.port, path).status == 200
        assert [client.finish().status for client in slow] == [200] * 6


def test_heads_that_never_end_hold_nobody_up(tmp_path: Path) -> None:
    environ = {"CDS_READ_SECONDS": NEVER, "CDS_MAX_IN_FLIGHT": "2"}
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Trickle: ".encode()
    with (
        launched(tmp_path, "--workers", "1", "--threads", "2", **environ) as server,
        connected(server.port, 40, head) as clients,
    ):
        assert post(server.port, PATH, CALL).status == 200
        until(lambda: under_way(server.port) == 0)
        slow = [Slow(server.port, PATH, CALL) for _ in range(2)]
        until(lambda: under_way(server.port) == 2)  # a call that looks would take a place itself
        assert post(server.port, PATH, CALL).status == 503
        for path in HEALTH:
            assert get(server.port, path).status == 200
        for client in clients:  # a byte more, and still no end
            client.sendall(b"x")
        assert post(server.port, PATH, CALL).status == 503
        assert [client.finish().status for client in slow] == [200] * 2
        until(lambda: post(server.port, PATH, CALL).status == 200)
        clients[0].sendall(b"\r\nContent-Length: 2\r\n\r\n{}")  # it was only slow
        assert clients[0].recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_head_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    with (
        launched(tmp_path, "--workers", "1", CDS_READ_SECONDS="1") as server,
        connected(server.port, 8, b"GET /healthz HTTP/1.1\r\nHost:") as clients,
    ):
        for client in clients:
            answer = b""
            while chunk := client.recv(65536):
                answer += chunk
            assert answer.startswith(b"HTTP/1.1 400 ")


def test_clients_that_read_nothing_are_cut_off(tmp_path: Path) -> None:
    many = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000
    with (
        launched(tmp_path, "--workers", "1", "--threads", "2", CDS_READ_SECONDS="1") as server,
        ExitStack() as stack,
    ):
        for _ in range(6):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.send(many)
        assert post(server.port, PATH, CALL).status == 200
        until(lambda: metric(server.port, "cds_requests_in_flight") <= 1)


def test_thousands_of_idle_connections(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 9_000 if hard == resource.RLIM_INFINITY else min(9_000, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        with (
            launched(tmp_path, "--workers", "1") as server,
            connected(server.port, min(4_200, wanted - 300)),
        ):
            for path in HEALTH:
                assert get(server.port, path).status == 200
            assert post(server.port, PATH, CALL).status == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_stop_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    with (
        launched(tmp_path, "--workers", "1", CDS_READ_SECONDS=NEVER) as server,
        connected(server.port, 20),
        connected(server.port, 20, b"GET /healthz HTTP/1.1\r\n"),
    ):
        assert get(server.port, "/healthz").status == 200
        server.process.terminate()
        assert server.process.wait(20) == 0
