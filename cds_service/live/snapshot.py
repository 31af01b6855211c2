"""A site's folder at one moment: whether it changed, what it holds, and a copy to judge it by.

A pack is checked, tested and loaded from one copy, so that nobody's keystroke between two readings
can bring an unchecked file into force.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cds_service.packs.folder import FILES, FOLDERS, Folder, leads_inside, read_folder

Stamp = frozenset[tuple[str, int, int, int]]  # path, time of the last write, size, which file


@dataclass(frozen=True)
class Snapshot:
    """What the pack's files of a folder held. `content` is a digest of all of it."""

    folder: Folder
    content: str

    def write(self, to: Path) -> None:
        """The same files in another folder, which must not exist."""
        for file, raw in self.folder.files.items():
            target = to / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(raw)


def take(root: Path) -> Snapshot:
    """Read the folder. What could not be read is among `folder.problems`, and counts too."""
    folder = read_folder(root)
    digest = hashlib.sha256()
    for file in sorted(folder.files):
        raw = folder.files[file]
        digest.update(f"{file}\0{len(raw)}\0".encode("utf-8", "surrogateescape"))
        digest.update(raw)
    for problem in folder.problems:
        digest.update(f"{problem.file}\0{problem.message}\0".encode("utf-8", "surrogateescape"))
    return Snapshot(folder, digest.hexdigest())


def stamp(root: Path) -> Stamp:
    """Tells two states of a folder apart without reading a file. Empty for no folder."""
    return frozenset(_entries(root, root))


def _entries(root: Path, folder: Path) -> Iterator[tuple[str, int, int, int]]:
    top = folder == root
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in listed:
        path = Path(entry.path)
        try:
            if entry.is_dir() and (not entry.is_symlink() or leads_inside(path, root)):
                if entry.name in FOLDERS if top else not entry.name.startswith("."):
                    yield from _entries(root, path)
                continue
            if not top or entry.name in FILES or entry.name in FOLDERS:
                info = entry.stat()
                yield entry.path, info.st_mtime_ns, info.st_size, info.st_ino
        except OSError:
            yield entry.path, 0, 0, 0
