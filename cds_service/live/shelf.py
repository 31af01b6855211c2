"""What the workers of one server share about the site's folder: copies, verdicts, who runs what.

Plain files in a private folder below the system's temporary one, named after the parent process
(gunicorn's master), so that no table, no port and no other process is needed. A worker that is
gone is known by its process id. All of it is a convenience: where there is no room for it, a worker
answers with the pack that it has.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cds_service.live import scratch
from cds_service.live.snapshot import Snapshot
from cds_service.ruletests.site_verdict import Verdict

_PREFIX = "cds-live"
_KEPT = 4  # copies of the site's folder
_NAMES = 4  # tried in each place, in the same order by all workers: the first may be planted


class Shelf:
    """The shared folder, made when first needed; private to this user.

    Raises OSError where no folder can be made.
    """

    def __init__(self, *names: str, base: Path | None = None) -> None:
        """`names` tell servers of one parent apart (their folders)."""
        key = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
        name = f"{_PREFIX}-{os.getuid()}-{os.getppid()}-{key[:12]}"
        self.root = _own_folder([base] if base else list(scratch.bases()), name)

    @property
    def usable(self) -> bool:
        """Whether the folder is still there; something may tidy up temporary files."""
        return scratch.is_private(self.root)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One worker at a time: the others wait for its verdict instead of working it out too."""
        try:
            file = (self.root / "lock").open("w")
        except OSError:  # no room: the others may do the same work
            yield
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def copy(self, snapshot: Snapshot) -> Path:
        """The folder that holds a copy of the snapshot. Raises OSError where there is no room."""
        target = self.root / "sites" / snapshot.content
        if not target.is_dir():
            target.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root) as temporary:
                snapshot.write(Path(temporary) / "site")
                (Path(temporary) / "site").rename(target)
            self._forget_old_copies(target.parent)
        return target

    def verdict(self, content: str) -> Verdict | None:
        """What is known of a state of the folder."""
        try:
            return Verdict.from_json((self.root / f"verdict-{content}.json").read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put_verdict(self, verdict: Verdict) -> None:
        """Remember a verdict for the other workers; an accepted one becomes the last good one."""
        self._write(f"verdict-{verdict.content}.json", verdict.to_json())
        if not verdict.problems:
            self._write("last-good", verdict.content)

    def last_good(self) -> Verdict | None:
        """The last state that was accepted, for a worker that starts later than the others."""
        try:
            content = (self.root / "last-good").read_text("ascii")
        except OSError:
            return None
        verdict = self.verdict(content)
        return verdict if verdict and (self.root / "sites" / content).is_dir() else None

    def tell(self, state: Mapping[str, Any]) -> None:
        """Say what this worker runs."""
        self._write(f"worker-{os.getpid()}.json", json.dumps(state))

    def workers(self) -> list[dict[str, Any]]:
        """What each living worker runs, this one included."""
        workers = []
        for file in sorted(self.root.glob("worker-*.json")):
            pid = int(file.stem.removeprefix("worker-"))
            if not _alive(pid):
                file.unlink(missing_ok=True)
                continue
            try:
                workers.append({"pid": pid, **json.loads(file.read_text("utf-8"))})
            except (OSError, ValueError):
                continue
        return workers

    def _write(self, name: str, text: str) -> None:
        """In one step: another worker sees the old file or the new one, or none if there is no
        room."""
        part = self.root / f".{name}-{os.getpid()}"
        with suppress(OSError):
            part.write_text(text, "utf-8")
            part.replace(self.root / name)

    def _forget_old_copies(self, folder: Path) -> None:
        good = self.last_good()
        copies = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for copy in copies[:-_KEPT]:
            if good is None or copy.name != good.content:
                shutil.rmtree(copy, ignore_errors=True)


def _own_folder(bases: list[Path], name: str) -> Path:
    """The first folder that is ours alone. Its name can be guessed, so that all workers know it;
    where somebody else has it, the next one is taken. Raises OSError."""
    failure = OSError("no temporary folder")
    for base in bases:
        _sweep(base)
        for number in range(_NAMES):
            root = base / (f"{name}-{number}" if number else name)
            try:
                root.mkdir(mode=0o700)
            except FileExistsError:
                pass
            except OSError as error:
                failure = error
                break
            if scratch.is_private(root):
                return root
    raise failure


def _sweep(base: Path) -> None:
    """Remove what servers left that are gone."""
    for folder in base.glob(f"{_PREFIX}-{os.getuid()}-*-*"):
        pid = folder.name.split("-")[3]
        if pid.isdigit() and not _alive(int(pid)) and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
