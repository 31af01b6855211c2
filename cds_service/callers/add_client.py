"""A client added to a site's `clients.json`, which passes all of its checks before it stands."""

import os
from pathlib import Path
from typing import Any

import orjson

from cds_service.callers.book import refused_file
from cds_service.callers.file import FILE, Strictness, read_clients, read_regular
from cds_service.errors import ConfigurationError

Json = Any


def add_client(site_dir: Path, client: dict[str, Json], strictness: Strictness) -> Path:
    """Write the file anew, with one client more; its path. A running service takes it at once.

    Raises ConfigurationError where the issuer is listed, or the file has a problem or would have
    one; then nothing is changed.
    """
    path = site_dir / FILE
    content = _content(path, strictness)
    if any(listed["issuer"] == client["issuer"] for listed in content["clients"]):
        raise ConfigurationError(
            f"{path} lists the issuer {client['issuer']} already; nothing was changed.",
            "Change its keys in the file: list the new one beside the old one.",
        )
    changed = {**content, "clients": [*content["clients"], client]}
    raw = orjson.dumps(changed, option=orjson.OPT_INDENT_2) + b"\n"
    _refuse_problems(path, raw, strictness)
    _replace(path, raw)
    return path


def _content(path: Path, strictness: Strictness) -> dict[str, Json]:
    if not path.exists():
        return {"$schema": "schemas/clients.schema.json", "clients": []}
    raw = read_regular(path)
    _refuse_problems(path, raw, strictness)
    content: dict[str, Json] = orjson.loads(raw)
    return content


def _refuse_problems(path: Path, raw: bytes, strictness: Strictness) -> None:
    file = read_clients(path, raw, strictness)
    if file.problems:
        raise refused_file(file)


def _replace(path: Path, raw: bytes) -> None:
    """In one step: a service that looks meanwhile reads the old file or the new one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(raw)
    if path.exists():
        beside.chmod(path.stat().st_mode & 0o7777)
    os.replace(beside, path)
