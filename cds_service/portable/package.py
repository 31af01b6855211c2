"""The package as files: `package.tgz` as FHIR registries have it, and its README beside it."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from cds_service.portable.cases import bundles
from cds_service.portable.libraries import Libraries
from cds_service.portable.readme import readme
from cds_service.portable.resources import Resources
from cds_service.sources.questionnaire import questionnaires

Json = Any
NAME = "package.tgz"
_EPOCH = 946_684_800  # 2000-01-01: the same content is the same file


def files_of(
    libraries: Libraries, hooks: Path, site: Path | None, date: str
) -> Mapping[str, bytes]:
    """All files of the package by their path in it."""
    resources = [*Resources(libraries, date).all(), *questionnaires(libraries.pack)]
    named = {f"package/{entry['resourceType']}-{entry['id']}.json": entry for entry in resources}
    named = dict(sorted(named.items()))
    tests = {f"package/tests/Bundle-{name}.json": bundle for name, bundle in bundles(hooks, site)}
    files = {path: orjson.dumps(entry, default=str) for path, entry in (named | tests).items()}
    index = {"index-version": 1, "files": [_indexed(path, entry) for path, entry in named.items()]}
    return {
        "package/package.json": orjson.dumps(
            _manifest(libraries, date), option=orjson.OPT_INDENT_2
        ),
        "package/.index.json": orjson.dumps(index),
        "package/README.md": readme(libraries).encode(),
        **files,
    }


def write_package(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the package and its README into a folder; the path of the package."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_bytes(files["package/README.md"])
    target = folder / NAME
    with (
        gzip.GzipFile(target, "wb", compresslevel=6, mtime=_EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime = len(content), _EPOCH
            archive.addfile(entry, io.BytesIO(content))
    return target


def _manifest(libraries: Libraries, date: str) -> Json:
    pack = libraries.pack
    return {
        "name": "legcramps.cds.rules",
        "version": pack.version,
        "type": "Conformance",
        "title": "Rules for nocturnal leg cramps and what is mistaken for them",
        "description": f"Content revision {pack.revision}",
        "author": "Leg Cramps CDS",
        "license": "Apache-2.0",
        "canonical": "https://cds.legcramps.example",
        "date": date.replace("-", ""),
        "fhirVersions": ["4.0.1"],
        "dependencies": {"hl7.fhir.r4.core": "4.0.1"},
    }


def _indexed(path: str, resource: Json) -> Json:
    keys = ("resourceType", "id", "url", "version", "kind", "type")
    known = {key: resource[key] for key in keys if isinstance(resource.get(key), str)}
    return {"filename": path.removeprefix("package/"), **known}
