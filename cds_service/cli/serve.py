"""`cds serve`: the service under gunicorn, with the settings that were measured."""

import os
import subprocess
import sys
import tempfile
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from cds_service import config
from cds_service.cli.failures import for_people

# Threads hide the wait for a slow client; more than four only compete for the interpreter.
WORKERS = 2
THREADS = 4
SECONDS = 30  # after which a worker that hangs is replaced
KEEP_ALIVE = 75  # longer than a proxy keeps its side open
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Server(BaseApplication):
    """Gunicorn with options from here instead of a file."""

    def __init__(self, application: Any, options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)  # type: ignore[union-attr]

    def load(self) -> Any:
        """The application, loaded before the workers fork."""
        return self._application


@click.command()
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=THREADS, show_default=True)
@click.option("--sample", is_flag=True, help="Print a call to try, and what it gives.")
@for_people
def serve(workers: int, threads: int, sample: bool) -> None:
    """Start the service. Host, port and the rest come from the environment (CDS_...)."""
    settings = config.load(os.environ)
    with tempfile.TemporaryDirectory(prefix="cds-metrics-", dir=_memory()) as folder:
        # Read by prometheus_client when it is first imported, so before the application.
        os.environ.setdefault(MULTIPROCESS, folder)
        from cds_service.web import memory

        with memory.loading():
            from cds_service.web.app import from_environment
            from cds_service.web.runtime import EXTENSION

            application = from_environment()
        chosen = options(settings, workers, threads, sample)
        chosen["post_worker_init"] = lambda _: application.extensions[EXTENSION].start_watching()
        Server(application, chosen).run()  # type: ignore[no-untyped-call]


def _memory() -> str | None:
    """A folder in memory, if there is one: the counters are mapped files, and a process that
    writes to such a file on a full disk is killed."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def options(
    settings: config.Settings, workers: int, threads: int, sample: bool = False
) -> dict[str, Any]:
    """Gunicorn's settings. `sample` shows the sample calls once the workers are to start."""
    from cds_service.web.server_log import ServerLog
    from cds_service.web.worker import BoundedWorker

    address = f"http://{settings.host}:{settings.port}"
    bounds = {
        "most_in_flight": settings.max_in_flight,
        "read_seconds": settings.read_seconds,
    }

    def when_ready(server: Any) -> None:
        click.echo(f"Listening on {address}/cds-services ({workers} workers).")
        if sample:
            subprocess.Popen([sys.executable, "-m", "cds_service.cli.sample", address])

    return {
        "bind": f"{settings.host}:{settings.port}",
        "workers": workers,
        "threads": threads,
        "worker_class": type("Worker", (BoundedWorker,), bounds),
        "logger_class": ServerLog,
        "preload_app": True,
        "timeout": SECONDS,
        "graceful_timeout": SECONDS,
        "keepalive": KEEP_ALIVE,
        "loglevel": "warning",
        # Nothing that a client can send decides about scheme, address or path.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "when_ready": when_ready,
        "child_exit": child_exit,
    }


def child_exit(_server: Any, worker: Any) -> None:
    """Let go of a dead worker's gauges."""
    if MULTIPROCESS in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
