"""The files of a pack's folder: found, kept inside the folder, and read as bytes.

A pack may come from anywhere an administrator can write, so nothing here follows a link out of the
folder, waits for a pipe, or reads a file of any size. Links inside the folder are followed, because
a mounted ConfigMap consists of them.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cds_service.errors import Problem

MAX_FILES = 50_000
_FRAME = (
    "pack",
    "site",
    "facts",
    "definitions",
    "orders",
    "order-names",
    "names",
    "code-systems",
    "routes",
    "sides",
    "statuses",
    "units",
    "drugs",
)
# What belongs to a pack; a site may keep its database, its clients and notes in the same folder.
FILES = frozenset({*(f"{name}.json" for name in _FRAME), "drugs.tsv"})
FOLDERS = frozenset({
    "valuesets", "languages", "rules", "tests", "patient-view", "order-select", "order-sign",
})  # fmt: skip
_DATA_BYTES = 64 * 1024 * 1024  # the drug dictionary and value sets have loaders of their own


@dataclass
class Folder:
    """A pack's or a site's folder. `files` maps relative POSIX paths to contents."""

    root: Path
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def name(self, file: PurePosixPath | str) -> str:
        """What a person calls a file of this folder, from where they stand if they stand above."""
        full = self.root / file
        try:
            return full.absolute().relative_to(Path.cwd()).as_posix()
        except ValueError:
            return full.as_posix()

    def refuse(self, file: PurePosixPath | str, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.name(file), 1, 1, "$", code, message, hint))


def read_folder(root: Path) -> Folder:
    """The pack's files below `root`, hidden ones left out, in the order of their names."""
    folder = Folder(root)
    if not root.is_dir():
        folder.refuse("", "P001", "There is no such folder.")
        return folder
    home = root.resolve()
    for path in _walk(folder, root):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        content = _read(folder, home, path, relative)
        if content is not None:
            folder.files[relative] = content
        if len(folder.files) > MAX_FILES:
            folder.refuse(relative, "P001", f"The folder has more than {MAX_FILES:,} files.")
            break
    return folder


def _walk(folder: Folder, root: Path) -> Iterator[Path]:
    walk = os.walk(root, onerror=lambda e: _unreadable(folder, e), followlinks=True)
    for parent, folders, files in walk:
        top = Path(parent) == root
        folders[:] = sorted(
            name for name in folders if (name in FOLDERS if top else not name.startswith("."))
        )
        for name in list(folders):
            path = Path(parent) / name
            if path.is_symlink() and not leads_inside(path, root):
                folders.remove(name)
                relative = path.relative_to(root).as_posix()
                folder.refuse(relative, "P001", "The link leads out of the folder.", "Copy it.")
        if top:
            _exchanged(folder, root)
        for name in sorted(files):
            if name in FILES if top else not (name.startswith(".") or name.endswith("~")):
                yield Path(parent) / name


def _exchanged(folder: Folder, root: Path) -> None:
    """A folder with the name of a file, or a file with that of a folder, would not be read."""
    for name in sorted(FILES):
        if (root / name).is_dir():
            folder.refuse(name, "P001", "This is a folder, and a file is expected.", "Remove it.")
    for name in sorted(FOLDERS):
        if (root / name).is_file():
            folder.refuse(name, "P001", "This is a file, and a folder is expected.", "Remove it.")


def leads_inside(link: Path, root: Path) -> bool:
    """Whether a link to a folder may be followed: to inside of `root`, and neither upwards nor from
    below another link, so that there is no circle."""
    try:
        home, target, parent = root.resolve(), link.resolve(strict=True), link.parent.resolve()
    except (OSError, RuntimeError):  # a circle, or gone
        return False
    direct = parent == home / link.parent.relative_to(root)
    return direct and target.is_relative_to(home) and not parent.is_relative_to(target)


def _unreadable(folder: Folder, error: OSError) -> None:
    relative = os.path.relpath(str(error.filename), folder.root)
    folder.refuse(PurePosixPath(relative), "P001", f"Can't be read: {error.strerror}.")


def _read(folder: Folder, home: Path, path: Path, relative: PurePosixPath) -> bytes | None:
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(home):
            folder.refuse(relative, "P001", "The link leads out of the folder.", "Copy the file.")
            return None
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            folder.refuse(relative, "P001", "Not a file that can be read.")
            return None
        if info.st_size > _DATA_BYTES:
            folder.refuse(relative, "P008", f"The file has {info.st_size:,} bytes; too large.")
            return None
        return path.read_bytes()
    except OSError as error:
        folder.refuse(relative, "P001", f"Can't be read: {error.strerror or 'a link in a circle'}.")
        return None
    except RuntimeError:  # Path.resolve of a link in a circle, before Python 3.13
        folder.refuse(relative, "P001", "The link leads in a circle.")
        return None
