"""Names of files and folders that nothing reads: misspelt, in the wrong place, of another project.

Only the names are looked at. Notes, hidden files and what belongs to other tools may lie beside a
pack, as long as they are no JSON and have no name that is nearly one of a pack's.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from cds_service.errors import Problem
from cds_service.packs.folder import FILES, FOLDERS, Folder
from cds_service.packs.source import HOOKS, LANGUAGES, TESTS, VALUE_SETS, PackSource

# What else may lie there: read by others than the loader, or by nobody on purpose.
_PACK_FILES = frozenset({
    "claims.json", "equivalent.json", "evidence.json", "guidelines.json", "history.json",
})  # fmt: skip
_PACK_FOLDERS = frozenset({"patients", "questionnaires"})
_SITE_FILES = frozenset({"clients.json", "clients.json.example", "equivalent.json", "README.md"})
_SITE_FOLDERS = frozenset({"schemas"})
_SETS = ("cond-", "drug-", "obs-", "order-", "proc-", "ans-")
_ALIKE = 0.75
_MOST = 1_000  # entries of a folder; whoever has more keeps something else there


def check(source: PackSource) -> Iterator[Problem]:
    """Warnings about names in the pack's folder and in the site's."""
    yield from _top(source.hooks, site=False)
    yield from _inside(source.hooks, site=False)
    if source.site_folder:
        yield from _top(source.site_folder, site=True)
        yield from _inside(source.site_folder, site=True)


def _top(folder: Folder, *, site: bool) -> Iterator[Problem]:
    """Entries of the folder itself."""
    files = FILES | (_SITE_FILES if site else _PACK_FILES)
    files -= {"pack.json", "drugs.tsv"} if site else {"site.json"}
    folders = _read_folders(site) | (_SITE_FOLDERS if site else _PACK_FOLDERS)
    for path in _entries(folder.root):
        known = folders if path.is_dir() else files
        if path.name in files | folders and path.name not in known:
            continue  # told by the reader: a folder where a file is expected, or a file
        if path.name in known or path.name.startswith(".") or path.name.endswith("~"):
            continue
        near = get_close_matches(path.name.lower(), known, 1, _ALIKE)
        if near and not (path.name.startswith(_SETS) and near[0] == "drugs.json"):
            yield _warning(folder, path.name, f"Did you mean '{near[0]}'?")
        elif path.suffix.lower() == ".json":
            yield _warning(folder, path.name, _place_of(path.name, site))


def _read_folders(site: bool) -> frozenset[str]:
    return (
        frozenset({VALUE_SETS, LANGUAGES, "rules", TESTS}) if site else FOLDERS - {"rules", TESTS}
    )


def _place_of(name: str, site: bool) -> str:
    if name.startswith(_SETS):
        return f"A value set belongs into {VALUE_SETS}/."
    if name.endswith(".test.json"):
        return "A test belongs beside its rule, or into tests/." if site else ""
    return "Is it of another project? Move it away."


def _inside(folder: Folder, *, site: bool) -> Iterator[Problem]:
    """Files in folders that a pack of this kind does not have, and value sets by another suffix."""
    read = _read_folders(site)
    strange = sorted({file.parts[0] for file in folder.files if len(file.parts) > 1} - read)
    for name in strange:
        hint = "The rules of a site lie in rules/." if name in HOOKS else ""
        yield _warning(folder, name, hint)
    for place in (VALUE_SETS, LANGUAGES):
        for path in _entries(folder.root / place):
            json_in_capitals = path.suffix != ".json" and path.suffix.lower().startswith(".js")
            if path.is_file() and json_in_capitals and not path.name.startswith("."):
                hint = "Its name must end in .json."
                yield _warning(folder, f"{place}/{path.name}", hint)
    for parent in sorted({VALUE_SETS, *{file.parts[0] for file in folder.files} & read}):
        for path in _entries(folder.root / parent):
            if path.is_dir() and path.suffix.lower() == ".json":
                yield _warning(folder, f"{parent}/{path.name}", "It is a folder.")
    for file in folder.files:
        unread = file.suffix == ".json" and not file.name.endswith(".test.json")
        if file.parts[0] == TESTS and unread:
            yield _warning(folder, file, "The name of a test ends in .test.json.")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:_MOST]
    except OSError:
        return []


def _warning(folder: Folder, name: str | PurePosixPath, hint: str) -> Problem:
    return Problem(folder.name(name), 1, 1, "$", "W712", "Nothing reads this.", hint, "warning")
