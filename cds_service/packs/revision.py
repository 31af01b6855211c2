"""The revision of a pack: one digest over all that can change its answers."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import orjson

from cds_service.packs.folder import Folder
from cds_service.packs.sign_off import KEY
from cds_service.packs.source import PackSource

_SIGNABLE = frozenset({"pack.json", "site.json"})
_NOT_CONTENT = PurePosixPath("clients.json")  # who may call: changes no answer, has its own digest


class Revision(NamedTuple):
    """The digest of a pack, and one for each file: {"hooks/facts.json": ...}, "site/..."."""

    digest: str
    files: Mapping[str, str]


def revision(source: PackSource, profiles: Sequence[str]) -> Revision:
    """SHA-256 over the canonical JSON of every file, with its path, and the profiles in force.

    White space and the order of properties do not count, so that a formatted file is the same
    pack. A file that is not JSON counts byte by byte.
    """
    digest = hashlib.sha256()
    digest.update(orjson.dumps(list(profiles)))
    files: dict[str, str] = {}
    for name, folder in (
        ("hooks", source.hooks),
        ("data", source.data_folder),
        ("site", source.site_folder),
    ):
        for file, content in _contents(folder) if folder else ():
            head = f"{name}/{file}\0{len(content)}\0"
            digest.update(head.encode("utf-8", "surrogateescape"))
            digest.update(content)
            files[f"{name}/{file}"] = hashlib.sha256(content).hexdigest()
    return Revision(digest.hexdigest(), files)


def _contents(folder: Folder) -> Iterator[tuple[PurePosixPath, bytes]]:
    """What counts of each file, in the order of their names."""
    for file in sorted(folder.files):
        if file == _NOT_CONTENT:
            continue
        content = folder.files[file]
        if file.suffix == ".json":
            content = _canonical(content, signable=str(file) in _SIGNABLE)
        yield file, content


def _canonical(raw: bytes, *, signable: bool) -> bytes:
    try:
        data = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
        if signable and isinstance(data, dict):
            data.pop(KEY, None)
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return raw
