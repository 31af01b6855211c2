"""Value sets, units and drugs: loaded where their shape allows it, with what is wrong in them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check import codes
from cds_service.packs.folder import Folder
from cds_service.packs.positions import parse
from cds_service.packs.schema import check_schema
from cds_service.packs.source import VALUE_SETS, PackSource, obj
from cds_service.terminology.index import Terminology

Json = Any


def load(source: PackSource) -> tuple[Terminology, list[Problem]]:
    """The terminology and the loader's problems, with files named as everywhere else.

    The loader expects objects and lists where FHIR has them; if one is not there, it is not asked.
    """
    misshapen = list(_misshapen(source))
    if misshapen:
        return Terminology({}), misshapen
    folders = [folder.root for folder in source.folders]
    terminology, problems = Terminology.from_folder(folders[0], folders[1:])
    return terminology, [_placed(source, problem) for problem in problems]


def _placed(source: PackSource, problem: Problem) -> Problem:
    """The loader's problem under its file's name; a fault of a unit table at its analyte."""
    entry = source.units.get(problem.path.removeprefix("$.analytes."))
    if problem.code == "V010" and entry:
        return entry.document.problem(entry.path, "V010", problem.message, problem.hint, key=True)
    return replace(problem, file=_name(source, problem.file))


def strictly(source: PackSource) -> Iterator[Problem]:
    """Duplicate keys, wrong shapes and the like in value sets; slow for large ones."""
    for folder in source.folders:
        for file, raw in folder.files.items():
            if file.parts[0] == VALUE_SETS and file.suffix == ".json":
                document, problems = parse(folder.name(file), folder.root / file, raw)
                yield from problems
                if document:
                    yield from check_schema("valueset", document)
                    yield from codes.of_document(document)


def _misshapen(source: PackSource) -> Iterator[Problem]:
    for value_set in source.value_sets:
        compose = value_set.data.get("compose", {})
        lists = [obj(compose).get("include"), obj(compose).get("exclude")]
        if not isinstance(compose, dict) or not all(_list_or_none(part) for part in lists):
            yield _problem(value_set.name, "$.compose", "'include' and 'exclude' must be lists.")


def _list_or_none(value: Json) -> bool:
    return value is None or isinstance(value, list)


def _problem(file: str, path: str, message: str) -> Problem:
    return Problem(file, 1, 1, path, "V602", message)


def _name(source: PackSource, file: str) -> str:
    for folder in source.folders:
        if _inside(folder, file):
            return folder.name(Path(file).relative_to(folder.root).as_posix())
    return file


def _inside(folder: Folder, file: str) -> bool:
    return Path(file).is_relative_to(folder.root)
