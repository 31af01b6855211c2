"""A file of the pack or of the site's folder under edit: tried in a copy, written only if asked.

The copy holds the pack and the site, never a chart, and is gone after the request.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from cds_service.errors import BadRequest, PackError, Problem, ServiceError
from cds_service.packs.load import check_pack, load_pack
from cds_service.rules.model import Pack
from cds_service.workbench.bench import Bench

_ROOTS = ("hooks", "site")
_NOT_THERE = ("schemas", "__pycache__")


@dataclass(frozen=True)
class EditedFile:
    """A JSON file by its name in the workbench: "hooks/patient-view/rls/low-ferritin.json"."""

    name: str
    root: str  # hooks or site
    path: Path
    inside: str  # its place below the root

    def text(self) -> str:
        """What stands in it; "" where it is yet to be."""
        return self.path.read_text("utf-8-sig") if self.path.is_file() else ""


@dataclass(frozen=True)
class Folders:
    """A pack's folder and a site's, with the edited file in its place."""

    hooks: Path
    site: Path | None
    file: Path

    def pack(self) -> Pack:
        """The pack in force if the file were saved. Raises PackError."""
        return load_pack(self.hooks, self.site, thorough=False)

    def test_file(self) -> Path | None:
        """The tests beside the file, or the file itself."""
        if self.file.name.endswith(".test.json"):
            return self.file
        beside = self.file.with_name(f"{self.file.stem}.test.json")
        return beside if beside.is_file() else None


def files(bench: Bench) -> list[str]:
    """The names of all files that can be edited, those of the site first."""
    names = []
    for root in reversed(_ROOTS):
        folder = _folder(bench, root)
        for path in sorted(folder.rglob("*.json")) if folder else ():
            inside = path.relative_to(folder) if folder else path
            if not set(inside.parts) & set(_NOT_THERE) and inside.name != "drugs.json":
                names.append(f"{root}/{inside.as_posix()}")
    return names


def find(bench: Bench, name: str) -> EditedFile:
    """The file of a name. Raises ServiceError 404 for what is not below one of the two folders."""
    root, _, inside = name.partition("/")
    folder = _folder(bench, root)
    place = PurePosixPath(inside)
    if folder is None or not inside.endswith(".json") or ".." in place.parts or "\0" in name:
        raise _unknown()
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _unknown()
    if not path.is_file() and not (root == "site" and path.parent.is_dir()):
        raise _unknown()
    return EditedFile(name, root, path, place.as_posix())


def _folder(bench: Bench, root: str) -> Path | None:
    return {"hooks": bench.hooks, "site": bench.site}.get(root)


def _unknown() -> ServiceError:
    return ServiceError(404, "not-found", "There is no such file to edit.", "not-found")


@contextmanager
def folders_with(bench: Bench, file: EditedFile, text: str) -> Iterator[Folders]:
    """Copies of both folders with `text` in the file."""
    with TemporaryDirectory(prefix="cds-edit-") as place:
        hooks, site = Path(place) / "hooks", Path(place) / "site"
        shutil.copytree(bench.hooks, hooks)
        if bench.site:
            shutil.copytree(bench.site, site, ignore=shutil.ignore_patterns("*.sqlite3*", ".*"))
        target = (hooks if file.root == "hooks" else site) / file.inside
        target.write_text(text, "utf-8")
        yield Folders(hooks, site if bench.site else None, target)


def problems_of(folders: Folders, *, thorough: bool) -> list[Problem]:
    """What `rules check` says; without `thorough` only what stops the pack from loading."""
    if thorough:
        return check_pack(folders.hooks, folders.site)
    try:
        folders.pack()
    except PackError as refusal:
        return refusal.problems
    return []


def save(bench: Bench, file: EditedFile, text: str) -> None:
    """Write the file, where that is allowed and `rules check` has no error."""
    if not bench.edit or file.root != "site":
        raise ServiceError(
            403, "writing-not-allowed", "This workbench writes nothing: take the file.", "forbidden"
        )
    with folders_with(bench, file, text) as folders:
        errors = [
            problem
            for problem in problems_of(folders, thorough=True)
            if problem.severity == "error"
        ]
    if errors:
        first = errors[0]
        raise BadRequest("pack-refused", f"Not saved: {first.code} {first.message}")
    beside = file.path.with_name(f".{file.path.name}.saving")
    beside.write_text(text, "utf-8")
    beside.replace(file.path)
