"""The log full, gone, or read by nobody: calls are answered, and the start does not fail."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.wire import get, post, until

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()


def answers(server: Launched) -> None:
    assert {post(server.port, PATH, CALL).status for _ in range(20)} == {200}
    assert get(server.port, "/readyz").status == 200


@pytest.mark.parametrize("to", [">/dev/full 2>&1", "<&- >&- 2>&-"], ids=["full", "closed"])
def test_a_log_that_takes_nothing(tmp_path: Path, to: str) -> None:
    with launched(tmp_path, wrap=("sh", "-c", f'exec "$@" {to}', "sh")) as server:
        answers(server)
        [victim, _] = server.workers
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in server.workers and len(server.workers) == 2)
        answers(server)


def test_a_reader_that_hangs_holds_nobody_up_and_hears_what_it_missed(tmp_path: Path) -> None:
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    with launched(tmp_path, wrap=("sh", "-c", f'exec "$@" 2>{pipe}', "sh")) as server:
        fill(reader)
        answers(server)
        drain(reader)
        until(lambda: post(server.port, PATH, CALL).status == 200 and missed(drain(reader)) > 0)
    os.close(reader)


def fill(pipe: int) -> None:
    try:
        while True:
            os.write(pipe, b"x")
    except BlockingIOError:
        return


def drain(pipe: int) -> str:
    told = b""
    try:
        while True:
            told += os.read(pipe, 65536)
    except BlockingIOError:
        return told.decode()


def missed(told: str) -> int:
    """How many lines a worker says it lost."""
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return sum(line["entries"] for line in lines if line["event"] == "log lines lost")
