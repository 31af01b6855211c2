"""The revision of a pack: one digest over all that can change its answers."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

import orjson

from cds_service.packs.folder import Folder
from cds_service.packs.signing import KEY
from cds_service.packs.source import PackSource

_SIGNABLE = frozenset({"pack.json", "site.json"})
_NOT_CONTENT = PurePosixPath("clients.json")  # who may call: changes no answer, has its own digest


def revision(source: PackSource, profiles: Sequence[str]) -> str:
    """SHA-256 over the canonical JSON of every file, with its path, and the profiles in force.

    White space and the order of properties do not count, so that a formatted file is the same
    pack. A file that is not JSON counts byte by byte.
    """
    digest = hashlib.sha256()
    digest.update(orjson.dumps(list(profiles)))
    for name, folder in (("hooks", source.hooks), ("site", source.site_folder)):
        if folder:
            _add(digest, name, folder)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", name: str, folder: Folder) -> None:
    for file in sorted(folder.files):
        if file == _NOT_CONTENT:
            continue
        content = folder.files[file]
        if file.suffix == ".json":
            content = _canonical(content, signable=str(file) in _SIGNABLE)
        digest.update(f"{name}/{file}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)


def _canonical(raw: bytes, *, signable: bool) -> bytes:
    try:
        data = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
        if signable and isinstance(data, dict):
            data.pop(KEY, None)
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return raw
