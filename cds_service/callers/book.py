"""The clients in force: `clients.json`, looked at again every few seconds.

A new file is read whole and checked before it takes the place of the old one, in one assignment. A
bad one, a half-written one or none at all leaves the last good one in force, and /readyz says so.
Each worker process looks for itself, in a thread of its own: a look that hangs (a network folder
whose server is gone) holds up no call, and /readyz says that nothing new is read any more.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from cds_service import clock, logs
from cds_service.callers import meter
from cds_service.callers.file import (
    FILE,
    ClientsFile,
    Strictness,
    on_loopback,
    read_clients,
    read_regular,
    unreadable,
)
from cds_service.callers.model import Client, Clients
from cds_service.config import Settings
from cds_service.errors import ConfigurationError
from cds_service.packs.problem_text import format_problem

LOOK_EVERY = 2.0  # seconds
LOOK_PATIENCE = 2.0  # seconds that the call waits that began a look
HANGS = 10.0  # seconds after which a look is called one that hangs

_Stamp = tuple[int, int, int]  # when written, size, which file

_CHANGING: _Stamp = (-1, -1, -1)  # unlike any file's

_HINT = (
    "List the EHRs that may call in clients.json in CDS_SITE_DIR (docs/integrators-guide.md, "
    "Authentication), or set CDS_AUTH=off for a trial on this machine."
)


class ClientBook:
    """The clients of one file. Raises ConfigurationError where the first reading gives none."""

    def __init__(
        self,
        path: Path,
        strictness: Strictness,
        monotonic: Callable[[], float] = clock.monotonic,
        read: Callable[[Path], bytes] = read_regular,
    ) -> None:
        self._path = path
        self._read_bytes = read
        self._strictness = strictness
        self._monotonic = monotonic
        self._lock = Lock()
        self._looked = monotonic()
        self._looking: float | None = None  # since when, while a look is under way
        self._stamp: _Stamp | None = None
        file = self._read()
        if file.problems:
            raise refused_file(file)
        self._file = file
        self._rejected: ClientsFile | None = None
        os.register_at_fork(after_in_child=self._after_fork)

    @property
    def clients(self) -> Clients:
        """The clients in force, by issuer."""
        self._look()
        return self._file.clients

    def client(self, issuer: str) -> Client | None:
        """The client whose tokens have this `iss`."""
        return self.clients.get(issuer)

    def health(self) -> Mapping[str, Any]:
        """For /readyz: how many, of which file, and what was last refused."""
        self._look()
        rejected = self._rejected
        return {
            "count": len(self._file.clients),
            "revision": self._file.digest[:12],
            "look": "hangs: no change of the file is seen" if self.hangs else "ok",
            "rejected": {"problems": len(rejected.problems), "first": _first(rejected)}
            if rejected
            else "none",
        }

    @property
    def hangs(self) -> bool:
        """Whether the file can neither be read nor be said to be unreadable."""
        since = self._looking
        return since is not None and self._monotonic() - since > HANGS

    @property
    def refused(self) -> bool:
        """Whether the file as it is now is not the one in force."""
        return self._rejected is not None

    def _look(self) -> None:
        """Read the file again if it changed; one look at a time, other calls go on."""
        if self._monotonic() - self._looked < LOOK_EVERY or not self._lock.acquire(blocking=False):
            return
        self._looked = self._looking = self._monotonic()
        looker = Thread(target=self._look_now, name="clients", daemon=True)
        try:
            looker.start()
        except RuntimeError:  # no thread to be had: the next call tries again
            self._end_look()
            return
        looker.join(LOOK_PATIENCE)

    def _look_now(self) -> None:
        lock = self._lock
        try:
            if self._stamp != _stamp(self._path):
                self._take(self._read())
        finally:
            if lock is self._lock:
                self._end_look()

    def _end_look(self) -> None:
        self._looking = None
        self._lock.release()

    def _take(self, file: ClientsFile) -> None:
        if file.problems:
            self._rejected = file  # the last good one stays
            meter.set_refused(True)
            logs.logger().error("clients refused", problems=len(file.problems), hint=_first(file))
            return
        changed = file.digest != self._file.digest
        self._file, self._rejected = file, None
        meter.set_refused(False)
        if changed:
            logs.logger().info("clients loaded", clients=len(file.clients))

    def _read(self) -> ClientsFile:
        """The file as it is now. One that is written at this moment is looked at again later."""
        before = _stamp(self._path)
        try:
            raw = self._read_bytes(self._path)
        except OSError as error:
            file = ClientsFile({}, [unreadable(self._path, error)], "")
        else:
            file = read_clients(self._path, raw, self._strictness)
        self._stamp = before if before == _stamp(self._path) else _CHANGING
        return file

    def _after_fork(self) -> None:
        self._lock, self._looking = Lock(), None


def open_clients(settings: Settings) -> ClientBook | None:
    """The clients that the environment names; None where nobody needs to be known.

    Raises ConfigurationError: tokens are required and no client is configured, or the file is bad.
    """
    path = settings.site_dir / FILE if settings.site_dir else None
    if path is None or not path.exists():
        if settings.auth == "required":
            raise ConfigurationError("CDS_AUTH is 'required' and no client is configured.", _HINT)
        return None
    return ClientBook(path, strictness(settings))


def strictness(settings: Settings) -> Strictness:
    """How strict the installation is about `clients.json`."""
    return Strictness(settings.auth == "required", on_loopback(settings.public_url))


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def refused_file(file: ClientsFile) -> ConfigurationError:
    """What is said of a file with problems: all of them, each with its place."""
    lines = [format_problem(problem, with_source=False) for problem in file.problems]
    return ConfigurationError(
        "\n".join([f"{FILE} has {len(lines)} problem(s):", *lines]), "Run: cds rules check"
    )


def _first(file: ClientsFile) -> str:
    """Place and code of the first problem: its message may quote the file."""
    problem = file.problems[0]
    return f"{problem.line}:{problem.column} {problem.path} {problem.code}"
