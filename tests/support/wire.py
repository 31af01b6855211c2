"""HTTP by hand over sockets: for clients that are slow, many or cut off."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an OperationOutcome."""
        found: str = self.json["issue"][0]["details"]["coding"][0]["code"]
        return found


def call(port: int, method: str, path: str, body: bytes | None = None) -> Answer:
    """One request on a connection of its own. Raises OSError or HTTPException without an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def post(port: int, path: str, body: bytes) -> Answer:
    return call(port, "POST", path, body)


def get(port: int, path: str) -> Answer:
    return call(port, "GET", path)


class Slow:
    """A client that sends its request in two parts."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._rest = body[10:]
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.sendall(head.encode() + body[:10])

    def finish(self) -> Answer:
        """Send the second part, if it is still wanted, and read the answer."""
        with suppress(OSError):
            self._socket.sendall(self._rest)
        return self.answer()

    def answer(self) -> Answer:
        """What comes until the server hangs up; status 0 for nothing."""
        received = b""
        with self._socket:
            while chunk := self._socket.recv(65536):
                received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        return Answer(int(lines[0].split()[1]) if lines[0] else 0, headers, body)


def until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Look until something holds. Raises AssertionError when it does not within the seconds."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("It never came to that.")


def metric(port: int, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    total = 0.0
    for line in get(port, "/metrics").body.decode().splitlines():
        sample, _, value = line.rpartition(" ")
        found, _, told = sample.partition("{")
        if found == name and all(f'{key}="{wanted}"' in told for key, wanted in labels.items()):
            total += float(value)
    return total
