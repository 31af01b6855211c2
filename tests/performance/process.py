"""Starting a server of the bench, and reading from /proc what it uses."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.support.server import free_port

TICK = 1000 / os.sysconf("SC_CLK_TCK")  # ms
PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Server:
    """A running server: its port, its processes, and how long it took to answer first."""

    port: int
    process: subprocess.Popen[bytes]
    start_ms: float

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def cpu_ms(self) -> float:
        """CPU time that the workers have used."""
        return sum(_cpu_ms(pid) for pid in self.workers)

    def memory_mb(self) -> tuple[float, float]:
        """(all resident, shared pages counted once) of master and workers, in MB."""
        pids = [self.process.pid, *self.workers]
        return sum(_kb(pid, "status", "VmRSS:") for pid in pids) / 1024, sum(
            _kb(pid, "smaps_rollup", "Pss:") for pid in pids
        ) / 1024


@contextmanager
def running(kind: str, environ: Mapping[str, str]) -> Iterator[Server]:
    """A server of `tests.performance.servers` on a free port of the loopback address."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.performance.servers", kind, str(port)],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield Server(port, process, (time.perf_counter() - began) * 1000)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"The server did not start (exit code {process.returncode}).")
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.01)
        finally:
            connection.close()
    raise SystemExit("The server did not answer in time.")


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def _kb(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
