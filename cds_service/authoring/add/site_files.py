"""The site's files while something is added: read, laid out, written in one go, or put back.

Nothing that stands there is overwritten: a new file must be new, a name in a shared file unused.
What the check then refuses is taken back, so that a folder is never left half changed.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cds_service.authoring.terminology.build import readable
from cds_service.errors import ConfigurationError, PackError, Problem
from cds_service.packs.load import check_pack
from cds_service.packs.positions import parse

Json = Any


class SiteFiles:
    """Files to be written below `site`. `written` are their paths, in order, once they are."""

    def __init__(self, hooks: Path, site: Path) -> None:
        self._hooks = hooks
        self._site = site
        self._contents: dict[PurePosixPath, Json] = {}
        self._before: dict[PurePosixPath, bytes | None] = {}
        self.written: list[Path] = []

    def new(self, name: str, content: Json) -> None:
        """A file of its own. Raises ConfigurationError where it stands already."""
        path = PurePosixPath(name)
        if (self._site / path).exists() or path in self._contents:
            raise ConfigurationError(
                f"{self._site / path} stands already; nothing was changed.", "Take another name."
            )
        self._contents[path] = content

    def enter(self, name: str, section: str, key: str, entry: Json) -> None:
        """An entry of a shared file such as facts.json, which is made where there is none."""
        content = self.current(name, {"$schema": f"schemas/{name[:-5]}.schema.json", section: {}})
        entries = content.setdefault(section, {})
        if key in entries:
            raise ConfigurationError(
                f"'{key}' stands in {self._site / name} already; nothing was changed.",
                "Take another name.",
            )
        entries[key] = entry

    def current(self, name: str, otherwise: Json = None) -> Json:
        """A file's content, to be changed in place; raises PackError where it is not JSON."""
        path = PurePosixPath(name)
        if path not in self._contents:
            file = self._site / path
            self._contents[path] = self._read(file) if file.exists() else otherwise
        return self._contents[path]

    def _read(self, file: Path) -> Json:
        document, problems = parse(str(file), file, file.read_bytes())
        if document is None:
            raise PackError(problems)
        return document.data

    def write(self) -> list[Problem]:
        """Write all and check the pack; its warnings. Raises PackError for a pack that was or is
        refused, with all files as they were."""
        for path, content in self._contents.items():
            file = self._site / path
            self._before.setdefault(path, file.read_bytes() if file.exists() else None)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(readable(plain(content)), "utf-8")
        problems = check_pack(self._hooks, self._site)
        if any(problem.severity == "error" for problem in problems):
            self.undo()
            raise PackError([problem for problem in problems if problem.severity == "error"])
        self.written = [self._site / path for path in self._contents]
        return problems

    def undo(self) -> None:
        """Put everything back."""
        for path, before in self._before.items():
            file = self._site / path
            if before is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(before)


def plain(value: Json) -> Json:
    """Content as json writes it: exact numbers as int or float."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
