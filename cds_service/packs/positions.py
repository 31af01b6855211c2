"""JSON as administrators write it: read strictly, and every complaint with its line and column.

Most files are fine, so they are parsed by the standard library's C scanner with hooks that refuse
what it lets through. Only a file with a problem is read again by the slow scanner in `scanner`,
which knows the place of each key and value.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn

from cds_service.errors import Problem
from cds_service.packs.scanner import (
    MAX_DEPTH,
    Fault,
    Place,
    Scan,
    absurd_number,
    scan,
    unwritable,
)

Json = Any
JsonPath = tuple[str | int, ...]

_MERGE = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
MAX_BYTES = 5 * 1024 * 1024


@dataclass
class Document:
    """One file that could be parsed. `name` is what problems call it."""

    name: str
    path: Path
    text: str = field(repr=False)
    data: Json = field(repr=False)

    @cached_property
    def _scan(self) -> Scan:
        return scan(self.text)

    def place(self, path: JsonPath, *, key: bool = False) -> Place:
        """Line and column of the value (or of its key) at `path`; of the nearest parent if it is
        not there, so that a missing property is reported at its object."""
        table = self._scan.keys if key else self._scan.values
        while path and path not in table:
            path, table = path[:-1], self._scan.values
        return table.get(path, Place(1, 1))

    def problem(
        self,
        path: JsonPath,
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
    ) -> Problem:
        """A problem at `path`, or at its key."""
        at = self.place(path, key=key)
        shown = json_path(path)
        return Problem(self.name, at.line, at.column, shown, code, message, hint, severity)


def json_path(path: JsonPath) -> str:
    """`("when", "all", 1)` as `$.when.all[1]`; names that are not plain words are quoted."""
    out = "$"
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        elif part.replace("_", "a").replace("-", "a").isalnum():
            out += f".{part}"
        else:
            out += f"[{json.dumps(part, ensure_ascii=False)}]"
    return out


def parse(name: str, path: Path, raw: bytes) -> tuple[Document | None, list[Problem]]:
    """The document of a file's bytes; or none, and every reason that its text gives."""
    if len(raw) > MAX_BYTES:
        size = f"The file has {len(raw):,} bytes; at most {MAX_BYTES:,} are read."
        return None, [Problem(name, 1, 1, "$", "P008", size, "Split it into several files.")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_encoding_problem(name, raw, error)]
    try:
        data = _strict(text)
    except (ValueError, RecursionError) as error:
        return None, _explain(name, text, error)
    return Document(name, path, text, data), []


def _strict(text: str) -> Json:
    """The parsed text; ValueError for anything that RFC 8259 or this project does not want."""
    data = json.loads(
        text,
        object_pairs_hook=_no_duplicates,
        parse_float=_number,
        parse_int=_integer,
        parse_constant=_no_constants,
    )
    if _too_deep(data) or (
        (not text.isascii() or "\\u" in text) and any(map(unwritable, _strings(data)))
    ):
        raise ValueError("refused")
    return data


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _number(literal: str) -> Decimal:
    if absurd_number(literal):
        raise ValueError("number")
    return Decimal(literal)


def _integer(literal: str) -> int:
    if absurd_number(literal):
        raise ValueError("number")
    return int(literal)


def _no_constants(literal: str) -> NoReturn:
    raise ValueError(literal)


def _too_deep(data: Json) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _strings(data: Json) -> Iterator[str]:
    stack = [data]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            stack.extend(node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _explain(name: str, text: str, error: Exception) -> list[Problem]:
    merge = _MERGE.search(text)
    if merge:
        line = text.count("\n", 0, merge.start()) + 1
        hint = "Keep one of the two sides, and take out the lines <<<<<<<, ======= and >>>>>>>."
        return [Problem(name, line, 1, "$", "P003", "A merge was left half-finished here.", hint)]
    faults = scan(text).faults
    if not faults and isinstance(error, json.JSONDecodeError):
        # The two readers disagree; the standard library's word stands.
        faults = [Fault(Place(error.lineno, error.colno), (), "P003", f"{error.msg}.", "")]
    if not faults:
        faults = [Fault(Place(1, 1), (), "P003", "The file can't be read as JSON.", "")]
    return [
        Problem(name, f.place.line, f.place.column, json_path(f.path), f.code, f.message, f.hint)
        for f in faults
    ]


def _encoding_problem(name: str, raw: bytes, error: UnicodeDecodeError) -> Problem:
    hint = "Save the file as UTF-8."
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem(name, 1, 1, "$", "P002", "The file is UTF-16, not UTF-8.", hint)
    before = raw[: error.start].decode("utf-8-sig", "replace")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    message = f"Byte 0x{raw[error.start]:02x} is not UTF-8 here."
    return Problem(name, line, column, "$", "P002", message, hint)
