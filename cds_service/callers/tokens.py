"""The JWT by which an EHR says who it is (CDS Hooks 2.0.1: Trusting CDS Clients; rows O6 to P21).

Everything but the signature is checked here, on exactly the bytes that were signed, with the time
as an argument. Reasons of refusal are for the log: the EHR is told none. How far clocks may differ
and how old a token may be: `callers.model`, and each client's own `leeway` and `maxTokenAge`.
"""

import json
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import urlsplit

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from cds_service.callers.jwk import SigningKey
from cds_service.callers.model import LONGEST_LEEWAY, LONGEST_TOKEN_AGE, Client

Json = Any

LONGEST = 8_000  # characters
_LAST_SECOND = 2**53  # in which a float still counts seconds; a number may have 400 digits
_AUTHORIZATION = re.compile(r"bearer +([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII | re.IGNORECASE)
# Header fields that would change what is checked, or bring their own key.
_FORBIDDEN = frozenset({"crit", "b64", "jwk", "x5u"})
_PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """A token that is not accepted. `reason` is one of few words and holds nothing of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    """A token that could be read; nothing of it is trusted yet."""

    compact: str = field(repr=False)
    header: Mapping[str, Json] = field(repr=False)
    claims: Mapping[str, Json] = field(repr=False)
    issuer: str
    algorithm: str
    kid: str
    jku: str  # "" when absent


def read(authorization: str) -> Token:
    """The token of an Authorization header's value. Raises Refused."""
    if not authorization:
        raise Refused("no-token")
    if len(authorization) > LONGEST:
        raise Refused("too-long")
    match = _AUTHORIZATION.fullmatch(authorization)
    if not match:
        raise Refused("not-a-bearer-token")
    header, claims = _object(match[1]), _object(match[2])
    if _FORBIDDEN & header.keys():
        raise Refused("header-field")
    return Token(
        compact=".".join(match.groups()),
        header=header,
        claims=claims,
        issuer=_text(claims, "iss"),
        algorithm=_text(header, "alg"),
        kid=_text(header, "kid"),
        jku=_text(header, "jku") if "jku" in header else "",
    )


def check(token: Token, client: Client, endpoints: Collection[str], now: float) -> None:
    """Hold a token to what `clients.json` says of its issuer. Raises Refused.

    `endpoints` are the public addresses of what is called, any of which `aud` may name.
    """
    for part in _parts(token, client, endpoints, now):
        part()


def _check_claims(token: Token, client: Client) -> None:
    tenant, subject = token.claims.get("tenant"), token.claims.get("sub")
    if not isinstance(tenant, str | None) or not isinstance(subject, str | None):
        raise Refused("claim-type")
    if client.tenants is not None and tenant not in client.tenants:
        raise Refused("tenant")
    if client.subject and subject != client.subject:
        raise Refused("subject")


def refusals(token: Token, client: Client, endpoints: Collection[str], now: float) -> list[str]:
    """Every reason for which `check` would refuse a token, where it stops at the first."""
    reasons = []
    for part in _parts(token, client, endpoints, now):
        try:
            part()
        except Refused as refusal:
            reasons.append(refusal.reason)
    return reasons


def _parts(
    token: Token, client: Client, endpoints: Collection[str], now: float
) -> tuple[Callable[[], object], ...]:
    """The checks, in the order in which a token meets them."""
    return (
        lambda: _check_audience(token, client, endpoints),
        lambda: _check_algorithm(token, client),
        lambda: _check_type(token, client),
        lambda: _check_key_address(token, client),
        lambda: _check_expiry(token, client, now),
        lambda: _check_issue(token, client, now),
        lambda: _check_beginning(token, client, now),
        lambda: _check_claims(token, client),
        lambda: _text(token.claims, "jti"),
    )


def verify(token: Token, key: SigningKey) -> None:
    """Check the signature. Raises Refused."""
    if token.algorithm not in key.algorithms:
        raise Refused("key-does-not-fit")
    try:
        PyJWS().decode(token.compact, key.public, algorithms=[token.algorithm])
    except (PyJWTError, ValueError, TypeError):
        raise Refused("signature") from None


def identity(token: Token) -> str:
    """A digest of issuer and jti: the same for each use of one token."""
    return _digest(json.dumps([token.issuer, token.claims["jti"]]))


def remember_until(token: Token) -> int:
    """The Unix second after which no clients.json could make the token acceptable any more."""
    longest: float = min(token.claims["exp"], token.claims["iat"] + LONGEST_TOKEN_AGE)
    return math.ceil(longest + LONGEST_LEEWAY)


def fingerprints(token: Token) -> dict[str, str]:
    """What the log may hold of a refused token."""
    jti = token.claims.get("jti")
    named = {"issuer_hash": token.issuer, "kid_hash": token.kid, "jti_hash": jti}
    return {name: _digest(text)[:12] for name, text in named.items() if isinstance(text, str)}


def same_address(url: str) -> str:
    """One spelling of an address: host in lower case, no default port, no last slash.

    "" for what is no plain http(s) address.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        return ""
    if scheme not in _PORTS or not host or "@" in parts.netloc or any(c in url for c in "?#\\ "):
        return ""
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host}{shown}{parts.path.removesuffix('/')}"


def _object(part: str) -> dict[str, Json]:
    try:
        value = json.loads(
            urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # also not base64, not UTF-8, a number too long
        raise Refused("not-readable") from None
    if not isinstance(value, dict):
        raise Refused("not-readable")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _refuse_constant(literal: str) -> NoReturn:
    raise ValueError(literal)


def _text(holder: Mapping[str, Json], name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Refused(f"{name}-missing")
    return value


def _check_audience(token: Token, client: Client, endpoints: Collection[str]) -> None:
    sent = token.claims.get("aud")
    audiences = sent if isinstance(sent, list) else [sent]
    if not audiences or not all(isinstance(audience, str) and audience for audience in audiences):
        raise Refused("aud-missing")
    expected = {same_address(endpoint) for endpoint in endpoints} - {""}
    if not any(
        audience in client.audiences or same_address(str(audience)) in expected
        for audience in audiences
    ):
        raise Refused("audience")


def _check_algorithm(token: Token, client: Client) -> None:
    if token.algorithm not in client.algorithms:
        raise Refused("algorithm")


def _check_type(token: Token, client: Client) -> None:
    if ("typ" in token.header or client.typ_required) and token.header.get("typ") != "JWT":
        raise Refused("typ")


def _check_key_address(token: Token, client: Client) -> None:
    if token.jku and token.jku not in client.jku:
        raise Refused("jku")


def _check_expiry(token: Token, client: Client, now: float) -> None:
    if now >= _seconds(token, "exp") + client.leeway:
        raise Refused("expired")


def _check_issue(token: Token, client: Client, now: float) -> None:
    issued = _seconds(token, "iat")
    if now < issued - client.leeway:
        raise Refused("issued-in-the-future")
    if now > issued + client.max_token_age + client.leeway:
        raise Refused("too-old")


def _check_beginning(token: Token, client: Client, now: float) -> None:
    if "nbf" in token.claims and now < _seconds(token, "nbf") - client.leeway:
        raise Refused("not-yet-valid")


def _seconds(token: Token, name: str) -> float:
    value = token.claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name}-missing")
    if not -_LAST_SECOND <= value <= _LAST_SECOND:  # also neither of them: not a number
        raise Refused(f"{name}-missing")
    return value


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
