"""Value sets and drug dictionary from the wheel `leg-cramps-cds-terminology`, where installed.

The wheel holds all value sets and drugs.json of one day (`cds terminology package`). They count in
place of those that the program ships, for the program's own pack alone, and only whole: a wheel
that is damaged, of another form, or made for other facts is an error, never a mixture.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import orjson

from cds_service.errors import Problem
from cds_service.packs.folder import Folder, read_folder
from cds_service.packs.locate import CHECKOUT, PACKAGED

Json = Any

MODULE = "leg_cramps_cds_terminology"
DISTRIBUTION = "leg-cramps-cds-terminology"
MANIFEST, DATA = "manifest.json", "data"
FORMAT = 1  # of the wheel's contents; another one is refused
DRUGS = PurePosixPath("drugs.json")
VALUE_SETS = "valuesets"
_CURE = f"Install another version of {DISTRIBUTION}, or uninstall it to use what the program ships."


class DataWheel(NamedTuple):
    """What the wheel holds. `folder` is None where there is a problem."""

    version: str
    folder: Folder | None
    problems: list[Problem]


def wheel_for(hooks: Folder, pack: Json) -> DataWheel | None:
    """The installed wheel, for the program's own pack; None for other packs and without a wheel."""
    if hooks.root.resolve() not in (CHECKOUT.resolve(), PACKAGED.resolve()):
        return None
    spec = find_spec(MODULE)
    if spec is None or spec.origin is None:
        return None
    return read_wheel(Path(spec.origin).parent, hooks, pack)


def read_wheel(root: Path, hooks: Folder, pack: Json) -> DataWheel:
    """A wheel's folder, checked against its manifest and against what the program ships."""
    file = root / MANIFEST
    try:
        manifest = orjson.loads(file.read_bytes())
        version, listed = str(manifest["version"]), dict(manifest["files"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        problem = _problem(file, "V024", "The manifest can't be read: the wheel is damaged.")
        return DataWheel("", None, [problem])
    folder = read_folder(root / DATA)
    problems = [
        *folder.problems,
        *_form(file, manifest, pack),
        *_damaged(file, listed, folder),
        *_incomplete(file, hooks, folder),
    ]
    if problems:
        return DataWheel(version, None, problems)
    return DataWheel(version, folder, list(_older(file, version, pack)))


def is_data(file: PurePosixPath) -> bool:
    """Whether a file of a pack belongs into the wheel."""
    return file == DRUGS or (file.parts[0] == VALUE_SETS and file.suffix == ".json")


def digest(content: bytes) -> str:
    """How the manifest tells that a file is what it was."""
    return hashlib.sha256(content).hexdigest()


def _form(file: Path, manifest: Mapping[str, Json], pack: Json) -> Iterator[Problem]:
    if manifest.get("format") != FORMAT:
        message = f"The wheel is of form {manifest.get('format')}; this program reads {FORMAT}."
        yield _problem(file, "V025", message)
    if manifest.get("pack") != pack.get("name"):
        message = f"The wheel is for the pack '{manifest.get('pack')}', not '{pack.get('name')}'."
        yield _problem(file, "V025", message)


def _damaged(file: Path, listed: Mapping[str, Json], folder: Folder) -> Iterator[Problem]:
    present = {str(name): digest(content) for name, content in folder.files.items()}
    for name in sorted(listed.keys() | present.keys()):
        if listed.get(name) != present.get(name):
            how = "is missing" if name not in present else "is not what the manifest lists"
            yield _problem(file, "V024", f"{name} {how}: the wheel is damaged.")
            return  # one is enough to install it again


def _incomplete(file: Path, hooks: Folder, folder: Folder) -> Iterator[Problem]:
    """Sets that the shipped facts read must all be there."""
    lacking = sorted(
        str(name) for name in hooks.files.keys() - folder.files.keys() if is_data(name)
    )
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        message = f"The wheel lacks {lacking[0]}{more}: it is for another version of the program."
        yield _problem(file, "V025", message)


def _older(file: Path, version: str, pack: Json) -> Iterator[Problem]:
    shipped = str(pack.get("terminology", ""))
    if _calendar(version) < _calendar(shipped):
        message = f"The wheel is of {version}, older than what the program ships ({shipped})."
        hint = "It is in force all the same, as a pinned version must be."
        yield Problem(str(file), 1, 1, "$.version", "V026", message, hint, "warning")


def _calendar(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _problem(file: Path, code: str, message: str) -> Problem:
    return Problem(str(file), 1, 1, "$", code, message, _CURE)
