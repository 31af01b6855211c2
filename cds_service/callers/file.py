"""`clients.json` of a site: read strictly, checked like a pack, built into `Client`s."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cds_service.callers.model import (
    DEFAULT_ALGORITHMS,
    DEFAULT_LEEWAY,
    DEFAULT_MAX_TOKEN_AGE,
    Client,
)
from cds_service.callers.presets import build_dialect
from cds_service.errors import Problem
from cds_service.packs.positions import Document, JsonPath, parse
from cds_service.packs.problem_text import in_order
from cds_service.packs.schema import check_schema, did_you_mean
from cds_service.packs.source import obj, seq
from cds_service.protocol.addresses import is_loopback

if TYPE_CHECKING:  # cryptography is loaded only where there are keys
    from cds_service.callers.jwk import SigningKey

Json = Any

FILE = "clients.json"
_MOST_BYTES = 16_000_000
# Its private key stands in its public repository: anybody can sign as this issuer.
_PUBLIC_SANDBOX = "sandbox.cds-hooks.org"


@dataclass(frozen=True, slots=True)
class Strictness:
    """What the installation allows. `required`: tokens are checked (CDS_AUTH). `development`: the
    service's own public address is on the loopback, so that http to the loopback is no leak."""

    required: bool = True
    development: bool = False


@dataclass(frozen=True)
class ClientsFile:
    """What one reading came to: the clients by issuer, or the reasons why there are none."""

    clients: dict[str, Client]
    problems: list[Problem]
    digest: str


def read_clients(path: Path, raw: bytes, strictness: Strictness) -> ClientsFile:
    """The clients of a file's bytes. With any problem of severity error there are none."""
    digest = hashlib.sha256(raw).hexdigest()
    document, problems = parse(str(path), path, raw)
    if document:
        problems = list(check_schema("clients", document))
        if not problems:
            problems = in_order(_problems(document, strictness))
    if document is None or problems:
        return ClientsFile({}, problems, digest)
    return ClientsFile({c.issuer: c for c in _build(document)}, [], digest)


def check_clients(site_dir: Path | None, strictness: Strictness) -> list[Problem]:
    """What is wrong with a site's file; nothing where there is none."""
    path = site_dir / FILE if site_dir else None
    if path is None or not path.exists():
        return []
    try:
        return read_clients(path, read_regular(path), strictness).problems
    except OSError as error:
        return [unreadable(path, error)]


def check_languages(site_dir: Path | None, known: Collection[str]) -> list[Problem]:
    """Warnings about clients whose language nobody has: they get English."""
    path = site_dir / FILE if site_dir else None
    if path is None or not path.is_file():
        return []
    document, _ = parse(str(path), path, read_regular(path))
    problems = []
    for place, client in enumerate(seq(obj(document.data).get("clients")) if document else ()):
        tag = obj(obj(client).get("dialect")).get("language")
        if document and isinstance(tag, str) and not {tag, tag.partition("-")[0]} & set(known):
            where = ("clients", place, "dialect", "language")
            message = f"No pack or site has the language '{tag}'; the client gets English."
            hint = did_you_mean(tag, known) or f"One of: {', '.join(known)}."
            problems.append(document.problem(where, "K009", message, hint, severity="warning"))
    return problems


def read_regular(path: Path) -> bytes:
    """The bytes of a file. Raises OSError, also for what is none: to open a pipe or to read a
    device may take for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(0, "it is no regular file")
        if info.st_size > _MOST_BYTES:
            raise OSError(0, f"it has {info.st_size:,} bytes, more than {_MOST_BYTES:,}")
        return file.read(_MOST_BYTES)


def unreadable(path: Path, error: OSError) -> Problem:
    """The problem of a file that is not there or can't be read."""
    reason = error.strerror or type(error).__name__
    return Problem(str(path), 1, 1, "$", "K001", f"Can't be read: {reason}.")


def on_loopback(url: str) -> bool:
    """Whether an address names this machine, by number or as localhost."""
    return is_loopback(urlsplit(url).hostname or "")


def _problems(document: Document, strictness: Strictness) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for place, client in enumerate(document.data["clients"]):
        path: JsonPath = ("clients", place)
        for name, code in (("issuer", "K002"), ("name", "K003")):
            if (name, client[name]) in seen:
                yield document.problem((*path, name), code, f"Another client has this {name}.")
            seen.add((name, client[name]))
        yield from _key_problems(document, path, client, strictness)
        yield from _address_problems(document, path, client, strictness)


def _key_problems(
    document: Document, path: JsonPath, client: Json, strictness: Strictness
) -> Iterator[Problem]:
    keys = client["keys"]
    if "jku" not in keys and "set" not in keys:
        yield document.problem((*path, "keys"), "K004", "It names neither jku nor set.")
    if "set" in keys:
        yield from _set_problems(document, path, client)
    for place, network in enumerate(seq(client.get("networks"))):
        try:
            ip_network(network)
        except ValueError:
            where = (*path, "networks", place)
            hint = "Write it like 10.20.0.0/16, without bits set after the prefix."
            yield document.problem(where, "K006", f"'{network}' is no range of addresses.", hint)
    named = [((*path, "issuer"), client["issuer"])]
    named += [((*path, "keys", "jku", i), url) for i, url in enumerate(seq(keys.get("jku")))]
    for where, url in named if strictness.required else ():
        if _PUBLIC_SANDBOX in url.lower():
            message = "Everybody has the private key of the public sandbox."
            hint = "To try the sandbox, set CDS_AUTH=off on a machine without patients."
            yield document.problem(where, "K007", message, hint)


def _set_problems(document: Document, path: JsonPath, client: Json) -> Iterator[Problem]:
    from cds_service.callers.jwk import KeyRefused

    where = (*path, "keys", "set")
    try:
        keys = _read_set(client["keys"]["set"])
    except KeyRefused as refusal:
        yield document.problem(where, "K004", f"The JWK Set is refused: {refusal}.")
        return
    allowed = set(client.get("algorithms", DEFAULT_ALGORITHMS))
    for kid, key in keys.items():
        if not key.algorithms & allowed:
            listed = ", ".join(sorted(allowed))
            message = f"No algorithm of this client ({listed}) fits the key '{kid[:60]}'."
            yield document.problem(where, "K008", message)


def _address_problems(
    document: Document, path: JsonPath, client: Json, strictness: Strictness
) -> Iterator[Problem]:
    lists = (("keys", "jku"), ("fhirServers",))
    for steps in lists:
        listed: Json = client
        for step in steps:
            listed = obj(listed).get(step)
        for place, url in enumerate(seq(listed)):
            where = (*path, *steps, place)
            if not _has_host(url):
                yield document.problem(where, "K005", "It is no address with a host.")
            elif urlsplit(url).scheme != "https" and not (
                strictness.development and on_loopback(url)
            ):
                hint = "http is for this machine, and only while CDS_PUBLIC_URL is on it as well."
                yield document.problem(where, "K005", "It must begin with https.", hint)


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read_set(data: Json) -> "dict[str, SigningKey]":
    from cds_service.callers.jwk import read_set

    return read_set(data, strict=True)


def _build(document: Document) -> Iterator[Client]:
    for data in document.data["clients"]:
        keys = data["keys"]
        tenants = data.get("tenants")
        yield Client(
            name=data["name"],
            issuer=data["issuer"],
            jku=tuple(seq(keys.get("jku"))),
            keys=_read_set(keys["set"]) if "set" in keys else None,
            networks=tuple(seq(data.get("networks"))),
            algorithms=tuple(data.get("algorithms", DEFAULT_ALGORITHMS)),
            typ_required=data.get("typ") != "optional",
            audiences=tuple(seq(data.get("audiences"))),
            tenants=frozenset(tenants) if tenants is not None else None,
            subject=data.get("subject", ""),
            max_token_age=data.get("maxTokenAge", DEFAULT_MAX_TOKEN_AGE),
            leeway=data.get("leeway", DEFAULT_LEEWAY),
            fhir_servers=tuple(seq(data.get("fhirServers"))),
            dialect=build_dialect(obj(data.get("dialect"))),
        )
