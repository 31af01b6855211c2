"""`cds serve`: the service under gunicorn, with the settings that were measured."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from cds_service import config
from cds_service.cli import start_signals
from cds_service.cli.failures import for_people
from cds_service.errors import ConfigurationError
from cds_service.live import scratch

# Threads hide the wait for a slow client; more than four only compete for the interpreter.
WORKERS = 2
THREADS = 4
SECONDS = 30  # after which a worker that hangs is replaced
KEEP_ALIVE = 75  # longer than a proxy keeps its side open
STDERR = 2  # the highest of the three numbers that every program takes for granted
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
        if "control_socket_disable" in self.cfg.settings:  # type: ignore[union-attr]
            self.cfg.set("control_socket_disable", True)  # type: ignore[union-attr]

    def load(self) -> Any:
        """The application, loaded before the workers fork."""
        return self._application

    def run(self) -> None:
        """Until a signal ends it."""
        from cds_service.web.arbiter import LastingArbiter

        LastingArbiter(self).run()  # type: ignore[no-untyped-call]


@click.command()
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=THREADS, show_default=True)
@click.option("--sample", is_flag=True, help="Print a call to try, and what it gives.")
@for_people
def serve(workers: int, threads: int, sample: bool) -> None:
    """Start the service. Host, port and the rest come from the environment (CDS_...)."""
    start_signals.take()
    _fill_standard_files()
    settings = config.load(os.environ)
    _refuse_taken(settings)
    with scratch.owned_folder("cds-metrics") as folder:
        _share_counters(folder)
        from cds_service.web import garbage, heads

        heads.raise_open_files()
        with garbage.loading():
            from cds_service.web.app import begin_worker, from_environment

            application = from_environment()
        chosen = options(settings, workers, threads, sample)
        chosen["post_worker_init"] = lambda _: begin_worker(application)
        chosen["pre_exec"] = lambda server: _forget_counters(server, folder)
        Server(application, chosen).run()


def _fill_standard_files() -> None:
    """Where the process was started without stdin, stdout or stderr: or the database would get the
    number of one of them, and what a library says there would be written into it."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(number)


def _refuse_taken(settings: config.Settings) -> None:
    """Say at once that the address cannot be had; gunicorn would try for seconds, and say more.

    Not where a socket is handed over: by systemd, or by the server in whose place this one starts.
    """
    if "LISTEN_FDS" in os.environ or "GUNICORN_FD" in os.environ:
        return
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = addresses[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            free = "Stop it, or choose another port: CDS_PORT=5010"
            raise ConfigurationError(f"Something else listens on {place} already.", free) from error
        raise ConfigurationError(f"Cannot listen on {place}: {error.strerror}.") from error


def _share_counters(folder: Path | None) -> None:
    """Before prometheus_client is first imported. The counters are mapped files, in memory where
    possible: a disk may fill up."""
    if folder is not None:
        os.environ.setdefault(MULTIPROCESS, str(folder))
    from cds_service.web import counters

    counters.install()


def _forget_counters(server: Any, folder: Path | None) -> None:
    """A new master in this one's place (SIGUSR2) makes a folder of its own."""
    if folder is not None and server.cfg.env_orig.get(MULTIPROCESS) == str(folder):
        del server.cfg.env_orig[MULTIPROCESS]


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
        _forget_gauges(os.getpid())  # the master answers nothing; its workers tell
        _say(f"Listening on {address}/cds-services ({workers} workers).")
        if settings.workbench != "off":
            _say(f"The workbench, for a browser: {address}/")
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


def _say(line: str) -> None:
    """On stdout; where it is full or gone the service starts all the same."""
    with suppress(OSError):
        click.echo(line)


def child_exit(_server: Any, worker: Any) -> None:
    """Let go of a dead worker's gauges."""
    _forget_gauges(worker.pid)


def _forget_gauges(pid: int) -> None:
    if MULTIPROCESS in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        with suppress(OSError):  # somebody else removed it
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
