"""Mutated calls over HTTP against the real server: `make soak` (CALLS=1000000 for the long run).

Sample calls are changed at random: values replaced, members dropped or doubled, bytes cut and
flipped, heads malformed. Every answer must come and be no 5xx; memory must stay level after the
first tenth. Ends with exit code 1 otherwise. The seed is printed, and taken with `--seed`.
`--minutes` ends the run earlier, with what was done by then.
"""

import argparse
import copy
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from tests.support.server import Launched, launched
from tests.support.wire import post, until

CLIENTS = 4
WORKERS = 2
LEVEL = 1.15  # times the memory after the first tenth that the rest may have
WARM = 20_000  # calls after which a first tenth is one: memos fill, pages are no longer shared
COLD_LEVEL = 1.6  # for a run whose first tenth has fewer
SLOWEST = 1.0  # seconds
SAMPLES = Path("fixtures/requests")
ODD: list[Any] = [
    None, "", " ", "x" * 5_000, "\u0000", "\ud83d\ude00", 0, -1, 10**18, 10**400, 1e308, True, [],
    {},    [[[[]]]], "2026-02-30", "9999-99-99T99:99:99Z", "urn:uuid:", "#", "Patient/",
    {"resourceType": 5},
]  # fmt: skip
MALFORMED = 0.03  # of the calls
START = b"POST /cds-services/leg-cramps-order-select HTTP/1.1\r\nHost: x\r\n"
CHUNKED = START + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
HEADS = [
    b"\x16\x03\x01\r\n\r\n", b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    START + b"Content-Length: -1\r\n\r\n", START + b"Content-Length: 5, 5\r\n\r\n",
    START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    START + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n",
    START + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    START + b"X-\x00: a\r\n\r\n", START + b": a\r\n\r\n", START + b"X: a\r\n b\r\n\r\n",
    START + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n", START.replace(b"/1.1", b"/9.9"),
    START + b"Authorization: Bearer " + b"a" * 70_000 + b"\r\n\r\n",
    CHUNKED, CHUNKED + b"-5\r\n", CHUNKED + b"f" * 40 + b"\r\n", CHUNKED + b"5;\x00=\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\nno colon\r\n\r\n",
]  # fmt: skip
WORDS = [b"\xff", b"\x00", b"{", b"]", b",", b'"', b"\\u", b"9" * 400, b"NaN", b"[" * 300]


class Soak:
    """Shared by the clients; counts what came of it."""

    def __init__(self, server: Launched, calls: int, seed: int, minutes: float) -> None:
        self.server, self.calls, self.seed = server, calls, seed
        self.made = 0
        self.statuses: Counter[int] = Counter()
        self.problems: list[str] = []
        self.slowest = (0.0, "", b"")  # seconds, path, body
        self.memory: list[float] = []
        self._end = time.monotonic() + minutes * 60
        self._lock = threading.Lock()

    def run(self) -> None:
        """Make the calls. A fault of a client is raised here: it is not the service's."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(self._client, number) for number in range(CLIENTS)]:
                done.result()

    def _client(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-{number}")
        samples = [
            (path, json.loads(path.read_bytes())) for path in sorted(SAMPLES.glob("*/*.json"))
        ]
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        while self._next():
            path, sample = chance.choice(samples)
            body = mutated(chance, sample)
            if chance.random() < MALFORMED:
                self._send_head(chance, body)
            else:
                self._send(connection, chance, target(chance, path, sample), body)
        connection.close()

    def _next(self) -> bool:
        with self._lock:
            if self.made == self.calls or time.monotonic() > self._end:
                return False
            if self.made % max(1, self.calls // 100) == 0:
                self.memory.append(memory(self.server))
            self.made += 1
            return True

    def _send(
        self, connection: HTTPConnection, chance: random.Random, path: str, body: bytes
    ) -> None:
        kind = chance.choice(["application/json"] * 9 + ["text/plain"])
        began = time.perf_counter()
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            status = connection.getresponse()
            status.read()
        except (OSError, HTTPException) as error:
            connection.close()
            self._note(f"{type(error).__name__} for {path}: {body[:300]!r}")
            return
        seconds = time.perf_counter() - began
        with self._lock:
            self.statuses[status.status] += 1
            self.slowest = max(self.slowest, (seconds, path, body))
        if status.status >= 500:
            self._note(f"{status.status} for {path}: {body[:2_000]!r}")

    def alone(self) -> float:
        """Seconds of the slowest call when nothing else is under way."""
        _, path, body = self.slowest
        began = time.perf_counter()
        post(self.server.port, path, body)
        return time.perf_counter() - began

    def _send_head(self, chance: random.Random, body: bytes) -> None:
        """A request that is no proper HTTP, on a connection of its own."""
        head = chance.choice(HEADS)
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
                client.sendall(head + body)
                client.shutdown(socket.SHUT_WR)
                answer = client.recv(65536)
        except OSError as error:
            self._note(f"{type(error).__name__} for {head[:100]!r}: {body[:300]!r}")
            return
        status = int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
        with self._lock:
            self.statuses[status] += 1
        if status >= 500 or not status:
            self._note(f"{status} for {head[:100]!r}: {body[:300]!r}")

    def _note(self, problem: str) -> None:
        with self._lock:
            self.problems.append(problem)


def target(chance: random.Random, path: Path, sample: Any) -> str:
    """An address that fits the sample, mostly."""
    hook = path.parent.name
    services = {
        "patient-view": ["leg-cramps-patient-view", "leg-symptoms-screen"],
        "order-select": ["leg-cramps-order-select"],
        "order-sign": ["leg-cramps-order-sign"],
    }
    if hook == "feedback":
        return "/cds-services/leg-cramps-order-select/feedback"
    known = services.get(hook, ["leg-cramps-patient-view"])
    return f"/cds-services/{chance.choice([*known * 5, *sum(services.values(), [])])}"


def mutated(chance: random.Random, sample: Any) -> bytes:
    """The sample with a few changes, as JSON; one in five also damaged as bytes."""
    call = copy.deepcopy(sample)
    for _ in range(chance.choice([0, 1, 1, 2, 3, 6])):
        change(chance, call)
    body = bytearray(
        json.dumps(call, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")
    )
    if chance.random() < 0.2:
        place = chance.randrange(len(body) + 1)
        word = chance.choice(WORDS)
        body[place : place + chance.choice([0, 1, len(word)])] = word
    if chance.random() < 0.05:
        del body[chance.randrange(len(body) + 1) :]
    return bytes(body)


def change(chance: random.Random, root: Any) -> None:
    """Somewhere in the tree: another value, a member less, one doubled, two exchanged."""
    node = root
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = chance.choice(places)
        inner = node[place]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.85:
            node = inner
            continue
        break
    what = chance.random()
    if what < 0.6:
        node[place] = copy.deepcopy(chance.choice(ODD))  # the next change may go into it
    elif what < 0.8:
        del node[place]
    elif isinstance(node, list):
        node.extend(copy.deepcopy(inner) for _ in range(chance.choice([1, 3, 50])))
    else:
        node[chance.choice(places)] = copy.deepcopy(inner)


def memory(server: Launched) -> float:
    """Megabytes of master and workers that are theirs alone or shared out."""
    processes = [psutil.Process(pid) for pid in (server.process.pid, *server.workers)]
    return sum(float(process.memory_full_info().pss) for process in processes) / 1e6


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calls", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--minutes", type=float, default=24 * 60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"CDS_LOG_LEVEL": "WARNING"}
        with launched(Path(folder), **quiet) as server:
            soak = Soak(server, options.calls, options.seed, options.minutes)
            until(lambda: len(server.workers) == WORKERS)
            before = set(server.workers)
            soak.run()
            if set(server.workers) != before:
                soak.problems.append("a worker was replaced")
            end = memory(server)
            again = soak.alone()
            print(server.log.read_text()[-3_000:], end="")
    tenths = [round(soak.memory[len(soak.memory) * part // 10]) for part in range(1, 10)]
    print(f"seed {options.seed}, {soak.made} calls: {dict(sorted(soak.statuses.items()))}")
    print(f"slowest {soak.slowest[0]:.2f} s, alone {again:.2f} s")
    print(f"memory in MB after each tenth: {tenths}, {end:.0f} at the end")
    if soak.statuses.total() < soak.made:
        soak.problems.append("not every call was made and answered")
    if end > tenths[0] * (LEVEL if soak.made >= 10 * WARM else COLD_LEVEL):
        soak.problems.append("memory is not level after the first tenth")
    if again > SLOWEST:
        soak.problems.append(f"an answer takes more than {SLOWEST} s with nothing beside it")
    for problem in soak.problems[:20]:
        print(problem)
    print(f"{len(soak.problems)} problem(s)")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
