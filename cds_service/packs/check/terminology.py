"""Value sets, units and drugs: loaded where their shape allows it, with what is wrong in them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check import codes, spelt
from cds_service.packs.folder import Folder
from cds_service.packs.positions import JsonPath, parse
from cds_service.packs.schema import check_schema
from cds_service.packs.source import VALUE_SETS, PackSource, obj
from cds_service.terminology.index import Terminology

Json = Any
_ALIKE = 0.85  # of 1: a slip of the pen, not another analyte


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
    analyte = problem.path.removeprefix("$.analytes.")
    entry = source.units.get(analyte)
    if problem.code == "V010" and entry:
        near = get_close_matches(analyte, source.units.keys() - {analyte}, 1, _ALIKE)
        hint = f"Did you mean '{near[0]}'?" if near else problem.hint
        return entry.document.problem(entry.path, "V010", problem.message, hint, key=True)
    return _at_its_line(source, replace(problem, file=_name(source, problem.file)))


def _at_its_line(source: PackSource, problem: Problem) -> Problem:
    """The loader names the place in a value set; its line is looked up where there is a fault."""
    for folder in source.folders:
        for file, raw in folder.files.items():
            if folder.name(file) == problem.file:
                document, _ = parse(problem.file, folder.root / file, raw)
                path = document and _path_in(document.data, problem.path)
                if document and path:
                    place = document.place(path, key=True)
                    return replace(problem, line=place.line, column=place.column)
    return problem


def _path_in(data: Json, written: str) -> JsonPath:
    """`$.compose.include[0]` as a path, as far as the data go."""
    path: list[str | int] = []
    for part in re.findall(r"[A-Za-z]+|[0-9]+", written):
        step: str | int = int(part) if part.isdigit() else part
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            break
        path.append(step)
    return tuple(path)


def strictly(source: PackSource) -> Iterator[Problem]:
    """Duplicate keys, wrong shapes and the like in value sets; slow for large ones."""
    for folder in source.folders:
        for file, raw in folder.files.items():
            if file.parts[0] == VALUE_SETS and file.suffix == ".json":
                document, problems = parse(folder.name(file), folder.root / file, raw)
                yield from problems
                if document:
                    yield from check_schema("valueset", document)
                    yield from codes.of_document(document, source.terminology.vocabulary.systems)
                    if folder is source.site_folder:
                        yield from spelt.of_document(
                            document, source.terminology.vocabulary.systems.canonical
                        )


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
