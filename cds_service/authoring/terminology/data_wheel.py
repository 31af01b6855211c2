"""`cds terminology package`: the project of the wheel that holds value sets and drug dictionary."""

import shutil
from pathlib import Path, PurePosixPath

import orjson

from cds_service.errors import ConfigurationError
from cds_service.packs.data_wheel import (
    DATA,
    DISTRIBUTION,
    FORMAT,
    MANIFEST,
    MODULE,
    digest,
    is_data,
)
from cds_service.packs.folder import read_folder

_PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "{version}"
description = "Value sets and drug dictionary of leg-cramps-cds, by the day they were made"
requires-python = ">=3.11"
{licence}
[tool.setuptools]
packages = ["{module}"]

[tool.setuptools.package-data]
{module} = ["{manifest}", "{data}/**/*.json"]
"""
_MODULE = '"""Terminology of leg-cramps-cds: data alone, read by the program where installed."""\n'


def write_project(pack: Path, version: str, target: Path) -> int:
    """Write the project into an empty or new folder; the number of data files.

    `version` is a calendar version, as "2026.11.27". Raises ConfigurationError.
    """
    folder = read_folder(pack)
    files = {file: content for file, content in folder.files.items() if is_data(file)}
    name = orjson.loads((pack / "pack.json").read_bytes())["name"]
    if folder.problems or PurePosixPath("drugs.json") not in files:
        raise ConfigurationError(f"{pack} has no value sets and drugs.json that can be read.")
    if target.exists() and any(target.iterdir()):
        raise ConfigurationError(f"{target} is not empty.", "Name a new folder.")
    module = target / MODULE
    for file, content in files.items():
        path = module / DATA / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest = {
        "format": FORMAT,
        "version": version,
        "pack": name,
        "files": {str(file): digest(content) for file, content in sorted(files.items())},
    }
    (module / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    (module / "__init__.py").write_text(_MODULE, "utf-8")
    project = _PROJECT.format(
        name=DISTRIBUTION,
        version=version,
        module=MODULE,
        manifest=MANIFEST,
        data=DATA,
        licence='license-files = ["NOTICE"]\n' if _notice(target) else "",
    )
    (target / "pyproject.toml").write_text(project, "utf-8")
    return len(files)


def _notice(target: Path) -> bool:
    """The licences of the code systems go where the codes go, from a checkout."""
    shipped = Path(__file__).resolve().parents[3] / "NOTICE"
    if shipped.is_file():
        shutil.copyfile(shipped, target / "NOTICE")
    return shipped.is_file()
