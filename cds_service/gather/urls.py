"""Addresses of FHIR servers and of what lies under them, read strictly and only once.

What two parsers could read differently is refused: the address that is checked must be the one that
is connected to. So user names, fragments, backslashes, control and non-ASCII characters, encoded
slashes and dots, dot segments, numeric spellings of IPv4 and IPv6 zones are no addresses here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, unquote

from cds_service.protocol.addresses import is_loopback

LONGEST = 16_000  # characters; longer request lines are refused by servers anyway

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?",
    re.ASCII | re.IGNORECASE,
)
_ACCEPTABLE = re.compile(r"[\x21-\x7e]+")  # printable ASCII without the space
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_QUERY_SAFE = "!$&'()*+,;=:@/?%-._~"
_PORTS = {"http": 80, "https": 443}


class UrlRefused(ValueError):
    """The text is no address that the service would connect to."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base address of a FHIR server. Two spellings of one base are equal.

    `host` is in lower case and IPv6 without brackets; `path` is "" or begins with a slash and has
    none at its end.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> str:
        """The host where it is an IP address, else ""."""
        return self.host if _is_number(self.host) else ""

    @property
    def loopback(self) -> bool:
        """Whether the address names this machine, as `localhost` or by number."""
        return is_loopback(self.host)

    @property
    def authority(self) -> str:
        """Host and port, for comparing servers. Not for logs: the path is left out, not hidden."""
        return f"{self.host}:{self.port}"


def parse_base(text: str) -> Base:
    """The base address in `text`. Raises UrlRefused; the message does not quote it."""
    scheme, host, port, path, query = _split(text)
    if query is not None:
        raise UrlRefused("a base address has no query")
    return Base(scheme, host, port, _checked_path(path.rstrip("/")))


def target_under(base: Base, relative: str) -> str:
    """The request target (path and query) of "Type/id" or "Type?query" under a base."""
    path, mark, query = relative.partition("?")
    return _target(f"{base.path}/{path}", query if mark else None)


def target_of_link(base: Base, link: str) -> str:
    """The request target of a link that a server gave. Raises UrlRefused when it leads elsewhere.

    Relative links count from the base; a link that is only a query is the base with that query,
    as servers page that leave the resource type out.
    """
    if len(link) > LONGEST or not _ACCEPTABLE.fullmatch(link):
        raise UrlRefused("characters")
    if "\\" in link or "#" in link or link.startswith("//"):
        raise UrlRefused("form")
    if link.startswith("?"):
        return _target(base.path or "/", link[1:])
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", link):
        scheme, host, port, path, query = _split(link)
        if (scheme, host, port) != (base.scheme, base.host, base.port):
            raise UrlRefused("another server")
    else:
        path, mark, rest = link.partition("?")
        path = path if path.startswith("/") else f"{base.path}/{path}"
        query = rest if mark else None
    checked = _checked_path(path.rstrip("/"))
    if checked != base.path and not checked.startswith(f"{base.path}/"):
        raise UrlRefused("outside of the base address")
    return _target(checked or "/", query)


def listed(text: str, bases: Iterable[str]) -> Base | None:
    """The base that `text` names, if it is one of the listed ones; None for anything else."""
    try:
        asked = parse_base(text)
    except UrlRefused:
        return None
    return asked if asked in set(_readable(bases)) else None


def _readable(bases: Iterable[str]) -> Iterable[Base]:
    for text in bases:
        try:
            yield parse_base(text)
        except UrlRefused:
            continue  # what cannot be read lists nothing


def _split(text: str) -> tuple[str, str, int, str, str | None]:
    if len(text) > LONGEST or not _ACCEPTABLE.fullmatch(text) or "\\" in text:
        raise UrlRefused("characters")
    match = _URL.fullmatch(text)
    if match is None:
        raise UrlRefused("form")
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _PORTS[scheme]
    if not 0 < port < 65_536:
        raise UrlRefused("port")
    return scheme, _host(match["host"].lower()), port, match["path"] or "", match["query"]


def _host(host: str) -> str:
    if host.startswith("["):
        if not _is_number(host[1:-1]):
            raise UrlRefused("host")
        return str(ip_address(host[1:-1]))
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        raise UrlRefused("host")
    # "2130706433", "0x7f.1" and "127.1" are addresses to some resolvers and names to others.
    numeric = labels[-1].isdigit() or labels[-1].startswith("0x")
    if numeric and not _is_number(host):
        raise UrlRefused("host")
    return host


def _checked_path(path: str) -> str:
    for segment in path.split("/")[1:] if path else ():
        plain = unquote(segment)
        if not _PATH.fullmatch(segment) or plain in (".", ".."):
            raise UrlRefused("path")
        if re.search(r"[/\\%\x00-\x20\x7f]", plain) or "%2e" in segment.lower():
            raise UrlRefused("path")
    return path


def _target(path: str, query: str | None) -> str:
    checked = _checked_path(path) if path != "/" else path
    return checked if query is None else f"{checked}?{quote(query, safe=_QUERY_SAFE)}"


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
