"""Every signal that gunicorn knows, to a worker and to the master: the service answers on."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support import fixtures
from tests.support.server import COMMAND, Launched, free_port, launched
from tests.support.wire import get, metric, post, until

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()
WORKERS = 2

DEADLY = ["HUP", "QUIT", "INT", "TERM", "ABRT", "USR2", "KILL", "SEGV", "ALRM"]
HARMLESS = ["USR1", "WINCH", "CHLD", "CONT", "PIPE"]


def answers(server: Launched) -> None:
    """Calls, counters and the report of what a call needs."""
    assert {post(server.port, PATH, CALL).status for _ in range(20)} == {200}
    counted = metric(server.port, "cds_answers_total", status="200")
    assert post(server.port, PATH, CALL).status == 200
    assert metric(server.port, "cds_answers_total", status="200") > counted
    assert get(server.port, "/readyz").status == 200


def metrics_folder(pid: int) -> Path:
    """Where a process has mapped its counters."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    found = re.search(r"(/\S*cds-metrics-[^/]+)/", maps)
    assert found, maps
    return Path(found[1])


@pytest.mark.parametrize("name", DEADLY)
def test_a_worker_that_ends_is_replaced(tmp_path: Path, name: str) -> None:
    with launched(tmp_path, "--workers", str(WORKERS)) as server:
        answers(server)
        until(lambda: len(server.workers) == WORKERS)
        [victim, _] = server.workers
        os.kill(victim, getattr(signal, f"SIG{name}"))
        until(lambda: victim not in server.workers and len(server.workers) == WORKERS)
        answers(server)
        assert metrics_folder(server.process.pid).is_dir()


def test_all_workers_end_one_after_the_other(tmp_path: Path) -> None:
    with launched(tmp_path, "--workers", str(WORKERS)) as server:
        for name in ("TERM", "QUIT", "INT"):
            first = set(server.workers)
            for victim in first:
                os.kill(victim, getattr(signal, f"SIG{name}"))
            until(
                lambda gone=first: not gone & set(server.workers) and len(server.workers) == WORKERS
            )
            answers(server)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_signal_that_means_nothing_to_a_worker(tmp_path: Path, name: str) -> None:
    with launched(tmp_path, "--workers", str(WORKERS)) as server:
        until(lambda: len(server.workers) == WORKERS)
        before = server.workers
        for worker in before:
            os.kill(worker, getattr(signal, f"SIG{name}"))
        answers(server)
        assert server.workers == before


@pytest.mark.parametrize("name", ["HUP", "USR1", "WINCH", "TTIN", "TTOU", "CHLD"])
def test_the_master_goes_on(tmp_path: Path, name: str) -> None:
    wanted = {"TTIN": WORKERS + 1, "TTOU": WORKERS - 1}.get(name, WORKERS)
    with launched(tmp_path, "--workers", str(WORKERS)) as server:
        before = set(server.workers)
        server.process.send_signal(getattr(signal, f"SIG{name}"))
        until(lambda: len(server.workers) == wanted)
        if name == "HUP":
            until(lambda: not before & set(server.workers))
        answers(server)


@pytest.mark.parametrize("name", ["TERM", "INT", "QUIT"])
def test_the_master_ends_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with launched(tmp_path) as server:
        answers(server)
        folder = metrics_folder(server.process.pid)
        server.process.send_signal(getattr(signal, f"SIG{name}"))
        assert server.process.wait(30) == 0
        assert not folder.exists()


def test_what_a_killed_master_leaves_the_next_one_removes(tmp_path: Path) -> None:
    with launched(tmp_path) as server:
        left = metrics_folder(server.process.pid)
        assert left.is_dir()
        workers = [psutil.Process(pid) for pid in server.workers]
        server.process.kill()
        psutil.wait_procs(workers, timeout=30)  # they notice that nobody is their master
    with launched(tmp_path) as server:  # or another server that began meanwhile
        assert not left.exists()
        answers(server)


def test_a_new_master_in_place_of_the_old_one(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "cds"
    with launched(tmp_path, command=(str(script), "serve")) as server:
        old = psutil.Process(server.process.pid)
        before = set(server.workers)
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: len(server.workers) == len(before) + 1)
        [pid] = set(server.workers) - before
        new = psutil.Process(pid)
        try:
            until(lambda: len(new.children()) == WORKERS)
            assert metrics_folder(pid) != metrics_folder(old.pid)
            server.process.terminate()
            assert server.process.wait(30) == 0
            answers(server)
        finally:
            new.terminate()
            new.wait(30)


# A process that is the first of its namespace, as a container's is, has no default actions.
FIRST_PROCESS = ("unshare", "--pid", "--fork", "--kill-child")


@contextmanager
def starting(folder: Path, wrap: Sequence[str] = ()) -> Iterator[tuple[Launched, psutil.Process]]:
    """A server that takes signals and does not listen yet, and the process that they go to."""
    port = free_port()
    environ = {"CDS_AUTH": "off", "CDS_PORT": str(port), "TMPDIR": str(folder)}
    environ["CDS_DATABASE_URL"] = f"sqlite:///{folder}/cds.sqlite3"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*wrap, *COMMAND], env={**os.environ, **environ}, stdout=log, stderr=log
        )
        started = psutil.Process(process.pid)
        try:
            if wrap:
                until(lambda: bool(started.children()))
                [started] = started.children()
            until(lambda: takes(started.pid, signal.SIGTERM))
            yield (
                Launched(f"http://127.0.0.1:{port}", port, process, folder / "server.log"),
                started,
            )
        finally:
            process.kill()
            process.wait()


def takes(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.M)
    return bool(found and int(found[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("wrap", [(), FIRST_PROCESS], ids=["process", "first-process"])
def test_a_stop_while_it_starts(tmp_path: Path, wrap: tuple[str, ...]) -> None:
    if wrap and subprocess.run([*wrap, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to make a process namespace")
    with starting(tmp_path, wrap) as (server, process):
        process.terminate()
        assert server.process.wait(30) == 0
        assert "Listening" not in server.log.read_text()


def test_a_reload_while_it_starts(tmp_path: Path) -> None:
    with starting(tmp_path) as (server, process):
        for name in ("HUP", "USR1", "USR2", "WINCH", "TTIN", "TTOU"):
            process.send_signal(getattr(signal, f"SIG{name}"))
        until(lambda: "Listening" in server.log.read_text())
        until(lambda: len(server.workers) == WORKERS)
        process.terminate()
        assert server.process.wait(30) == 0
