"""Private folders for what processes of one server share, each with one owner.

Whoever made a folder removes it, and nobody who was forked from it. A folder whose owner was killed
is removed by the next server: its lock is free then, whatever its process id was.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = "owner.lock"
MEMORY = Path("/dev/shm")


def bases() -> Iterator[Path]:
    """Where a folder may be made: the system's temporary folder, then memory."""
    with suppress(OSError):  # tempfile finds none where all disks are full
        yield Path(tempfile.gettempdir())
    if os.access(MEMORY, os.W_OK):
        yield MEMORY


def roomy() -> Path | None:
    """A place in which a small file can be made at this moment, memory first; None if nowhere."""
    for base in reversed(list(bases())):
        with suppress(OSError), tempfile.TemporaryFile(dir=base):
            return base
    return None


@contextmanager
def owned_folder(prefix: str) -> Iterator[Path | None]:
    """A new folder in memory, or else on disk, until the block ends in the process that began it.

    None where no folder can be made: what it is for must be done without.
    """
    owner = os.getpid()
    folder_and_lock = _make(f"{prefix}-{os.getuid()}-")
    try:
        yield folder_and_lock[0] if folder_and_lock else None
    finally:
        if folder_and_lock and os.getpid() == owner:
            shutil.rmtree(folder_and_lock[0], ignore_errors=True)
            os.close(folder_and_lock[1])


def _make(prefix: str) -> tuple[Path, int] | None:
    """The folder and the handle of its lock, which children inherit and a new program does not."""
    for base in reversed(list(bases())):
        _sweep(base, prefix)
        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
            handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(handle, fcntl.LOCK_SH)
            return folder, handle
        except OSError:
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
    return None


def _sweep(base: Path, prefix: str) -> None:
    """Remove what killed servers left."""
    for folder in base.glob(f"{prefix}*"):
        if is_private(folder) and _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    """Whether nobody holds the lock. A folder without one is being made at this moment."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def is_private(folder: Path) -> bool:
    """Whether it is a folder, no link, of this user alone."""
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077
