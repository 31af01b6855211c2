"""`cds terminology expand`: a site's value sets, filled by a FHIR terminology server.

A set may say what belongs to it in ways that only a server understands (a SNOMED CT hierarchy, a
whole code system). $expand turns that into codes, page by page; they are written into the file as
its expansion, which is what the program then reads. `compose` stays as it is.

The shipped condition sets list SNOMED CT codes without the narrower ones. `widen` asks the server
for those and writes the set, widened, into the site's folder; what it has of other systems stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.authoring.terminology.build import readable
from cds_service.errors import ConfigurationError
from cds_service.terminology.codings import SNOMED
from cds_service.terminology.valueset import WIDENED
from cds_service.terminology.word_lists import Canonical

Json = Any
Post = Callable[[str, bytes], Mapping[str, Json]]  # address, body -> JSON; ConfigurationError

PAGE = 1_000
MOST = 200_000  # codes in a set; more is a mistake in its definition


@dataclass(frozen=True)
class Expanded:
    """One set. `error` says why its file was left as it was."""

    file: Path
    codes: int = 0
    gained: int = 0
    lost: int = 0
    error: str = ""


def expand(files: list[Path], server: str, post: Post) -> Iterator[Expanded]:
    """Expand each file in turn, and write those that changed. A server's refusal of one set does
    not stop the others."""
    address = f"{server.rstrip('/')}/ValueSet/$expand"
    for file in files:
        try:
            yield _expanded(file, address, post)
        except ConfigurationError as error:
            yield Expanded(file, error=error.message)


def widen(
    files: list[Path], to: Path, server: str, post: Post, canonical: Canonical
) -> Iterator[Expanded]:
    """Write each set into the folder `to` with the narrower SNOMED CT codes of those it lists."""
    address = f"{server.rstrip('/')}/ValueSet/$expand"
    for file in files:
        try:
            yield _widened(file, to / file.name, address, post, canonical)
        except ConfigurationError as error:
            yield Expanded(file, error=error.message)


def _widened(file: Path, target: Path, address: str, post: Post, canonical: Canonical) -> Expanded:
    resource = _read(file)
    compose = resource.get("compose", {})
    parts = [part for part in compose.get("include", ()) if not _lists_snomed(part, canonical)]
    before = dict(_listed(compose.get("include", ()), canonical))
    question = {key: resource[key] for key in _HEAD if key in resource}
    question["compose"] = {
        "include": _narrower(compose.get("include", ()), canonical),
        **({"exclude": out} if (out := _narrower(compose.get("exclude", ()), canonical)) else {}),
    }
    contains, stamp = _pages(question, address, post)
    names = {
        concept["code"]: concept.get("display", "")
        for concept in contains
        if concept["system"] == SNOMED
    }
    after = {code: before.get(code) or names[code] for code in sorted({*before, *names}, key=int)}
    concepts = [{"code": code, "display": name} for code, name in after.items()]
    mark = stamp.get("identifier") or stamp.get("timestamp") or server_of(address)
    resource["extension"] = [
        *(
            extension
            for extension in resource.get("extension", ())
            if extension.get("url") != WIDENED
        ),
        {"url": WIDENED, "valueString": str(mark)},
    ]
    resource["compose"] = {**compose, "include": [*parts, {"system": SNOMED, "concept": concepts}]}
    _replace(target, resource)
    return Expanded(target, len(after), len(after.keys() - before.keys()), 0)


_HEAD = ("resourceType", "id", "url", "version", "status")


def server_of(address: str) -> str:
    """The host of an address, for the remark of who widened a set."""
    return urlsplit(address).hostname or "a terminology server"


def _lists_snomed(part: Mapping[str, Json], canonical: Canonical) -> bool:
    return canonical(part.get("system")) == SNOMED and "concept" in part


def _listed(parts: Iterable[Mapping[str, Json]], canonical: Canonical) -> Iterator[tuple[str, str]]:
    for part in parts:
        if _lists_snomed(part, canonical):
            yield from (
                (concept["code"], concept.get("display", "")) for concept in part["concept"]
            )


def _narrower(parts: Iterable[Mapping[str, Json]], canonical: Canonical) -> list[dict[str, Json]]:
    """One part a listed code: the code and everything below it."""
    return [
        {"system": SNOMED, "filter": [{"property": "concept", "op": "is-a", "value": code}]}
        for code, _ in _listed(parts, canonical)
    ]


def _replace(file: Path, resource: Json) -> None:
    """In one step: a running service never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text(readable(resource), "utf-8")
    part.replace(file)


def _expanded(file: Path, address: str, post: Post) -> Expanded:
    resource = _read(file)
    before = {_key(concept) for concept in _flat(resource.get("expansion"))}
    question = {key: value for key, value in resource.items() if key != "expansion"}
    contains, stamp = _pages(question, address, post)
    after = {_key(concept) for concept in contains}
    if after != before or "expansion" not in resource:
        resource["expansion"] = {**stamp, "total": len(contains), "contains": contains}
        _replace(file, resource)
    return Expanded(file, len(after), len(after - before), len(before - after))


def _read(file: Path) -> dict[str, Json]:
    try:
        resource = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"not JSON: {error.msg}") from error
    if not isinstance(resource, dict) or resource.get("resourceType") != "ValueSet":
        raise ConfigurationError("not a ValueSet")
    return resource


def _pages(
    question: Json, address: str, post: Post
) -> tuple[list[dict[str, Json]], dict[str, Json]]:
    """All codes, and what the server says of itself."""
    concepts: dict[tuple[str, str], dict[str, Json]] = {}
    stamp: dict[str, Json] = {}
    offset = 0
    while True:
        expansion = _expansion(post(address, _body(question, offset)))
        stamp = {k: v for k, v in expansion.items() if k in ("identifier", "timestamp")} or stamp
        page = list(_flat(expansion))
        concepts.update((_key(concept), concept) for concept in page)
        offset += len(page)
        total = expansion.get("total")
        if len(concepts) > MOST:
            raise ConfigurationError(f"more than {MOST:,} codes; make the set smaller")
        if not page or not isinstance(total, int) or offset >= total:
            break
    if isinstance(total, int) and len(concepts) < total and offset < total:
        raise ConfigurationError(f"the server says {total} codes and gave {len(concepts)}")
    if not concepts:
        raise ConfigurationError("the server gave no codes; the set was left as it was")
    return [concepts[key] for key in sorted(concepts)], stamp


def _body(question: Json, offset: int) -> bytes:
    return orjson.dumps(
        {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "valueSet", "resource": question},
                {"name": "offset", "valueInteger": offset},
                {"name": "count", "valueInteger": PAGE},
            ],
        }
    )


def _expansion(answer: Mapping[str, Json]) -> Mapping[str, Json]:
    expansion = answer.get("expansion")
    if answer.get("resourceType") != "ValueSet" or not isinstance(expansion, dict):
        raise ConfigurationError("the server's answer holds no expansion")
    return expansion


def _flat(expansion: Json) -> Iterator[dict[str, Json]]:
    """Codes that may be chosen, at any depth; without a system or code they name nothing."""
    contains = expansion.get("contains") if isinstance(expansion, dict) else None
    for concept in contains if isinstance(contains, list) else ():
        if not isinstance(concept, dict):
            continue
        known = {k: concept[k] for k in ("system", "code", "display") if concept.get(k)}
        if "system" in known and "code" in known and concept.get("abstract") is not True:
            yield known
        yield from _flat(concept)


def _key(concept: Mapping[str, Json]) -> tuple[str, str]:
    return str(concept["system"]), str(concept["code"])
