"""The real server process, as `cds serve` starts it, on a free port of the loopback address."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-c", "from cds_service.cli import main; main()", "serve")
WORKERS = 2  # of `cds serve` that is told no number
PATIENCE = 60.0  # seconds until the server must have answered, and until it must have stopped


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Launched:
    """A running server; `log` is all that it writes."""

    address: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


@contextmanager
def serving(folder: Path, *arguments: str, **environ: str) -> Iterator[str]:
    """Start `cds serve` with its database in `folder`; yields its address."""
    with launched(folder, *arguments, **environ) as server:
        yield server.address


@contextmanager
def launched(
    folder: Path,
    *arguments: str,
    command: Sequence[str] = COMMAND,
    wrap: Sequence[str] = (),
    **environ: str,
) -> Iterator[Launched]:
    """As `serving`, for tests that do something to the processes. `wrap` is put before the
    command and must replace itself by it."""
    port = free_port()
    settings = {
        "CDS_AUTH": "off",
        "CDS_HOST": "127.0.0.1",
        "CDS_PORT": str(port),
        "CDS_NOW": "2026-11-21T09:00:00Z",
        "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        **environ,
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*wrap, *command, *arguments], env={**os.environ, **settings}, stdout=log, stderr=log
        )
        server = Launched(f"http://127.0.0.1:{port}", port, process, folder / "server.log")
        try:
            _wait(server, _wanted(arguments))
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wanted(arguments: Sequence[str]) -> int:
    """How many workers the server starts."""
    if "--workers" not in arguments:
        return WORKERS
    return int(arguments[arguments.index("--workers") + 1])


def _wait(server: Launched, workers: int) -> None:
    """Until the server answers and the last worker was forked, which is a little later: a test that
    looks at the processes must not take the second worker for what it did itself."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise AssertionError(f"The server stopped:\n{server.log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{server.address}/healthz", timeout=5).close()
            if len(server.workers) >= workers:
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError("The server did not answer in time.")
