"""Requests over raw sockets: a load generator that takes little of the machine for itself."""

import socket
import threading
import time
from dataclasses import dataclass

SECONDS = 60.0


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of each request."""

    times: list[float]

    def at(self, share: float) -> float:
        """The latency that `share` of the requests stay within."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def drive(port: int, path: str, body: bytes, requests: int, connections: int) -> Latencies:
    """Send `requests` in all over `connections` kept open. Raises on any answer but 200."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    message = head.encode() + body
    times: list[float] = []
    faults: list[BaseException] = []
    each = max(1, requests // connections)

    def one() -> None:
        try:
            times.extend(_converse(port, message, each))
        except (OSError, ValueError) as error:
            faults.append(error)

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} connections failed: {faults[0]!r}")
    return Latencies(times)


def _converse(port: int, message: bytes, requests: int) -> list[float]:
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            began = time.perf_counter()
            connection.sendall(message)
            _read_answer(connection)
            times.append((time.perf_counter() - began) * 1000)
    return times


def _read_answer(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            raise ValueError("the server closed the connection")
        received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(head.split(b"\r\n")[0].decode("latin-1"))
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    missing = lengths[0] - len(rest)
    while missing > 0:
        chunk = connection.recv(65536)
        if not chunk:
            raise ValueError("the answer was cut short")
        missing -= len(chunk)
