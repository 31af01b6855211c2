"""A token explained: each check in its order, with what was expected and what came.

For the screen of whoever connects an EHR only: what is said here quotes the token. Nothing is
fetched and nothing is kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds_service.callers import tokens
from cds_service.callers.jwk import KeyRefused, SigningKey, read_set
from cds_service.callers.model import Client
from cds_service.callers.tokens import Refused, Token

Json = Any


@dataclass(frozen=True)
class Check:
    """One check of a token. `passed` is None where it could not be made."""

    name: str
    passed: bool | None
    expected: str
    got: str


def explained(
    text: str, client: Client | None, issuers: list[str], endpoint: str, keys: str, now: float
) -> list[Check]:
    """Every check of a token for one endpoint. `keys` is a JWK Set pasted, or "" for the client's
    own; nothing is fetched."""
    try:
        token = tokens.read(as_header(text))
    except Refused as refusal:
        expected = "Bearer and a signed JWT of three parts"
        return [Check("readable", False, expected, refusal.reason)]
    return [
        Check("readable", True, "a signed JWT", "yes"),
        *_of(token, client, issuers, endpoint, keys, now),
    ]


def issuer_of(text: str) -> str:
    """The `iss` of a token that nobody has checked, "" where it can't be read."""
    try:
        return tokens.read(as_header(text)).issuer
    except Refused:
        return ""


def as_header(text: str) -> str:
    """The value of the Authorization header: people paste the token, its value or the header."""
    bare = text.strip().removeprefix("Authorization:").strip()
    return bare if bare.lower().startswith("bearer ") else f"Bearer {bare}"


def _of(
    token: Token, client: Client | None, issuers: list[str], endpoint: str, keys: str, now: float
) -> Iterator[Check]:
    known = ", ".join(issuers) or "none: no clients.json is in force"
    yield Check("issuer (iss)", client is not None, known, token.issuer)
    held = client or Client("unknown", token.issuer)
    reasons = set(tokens.refusals(token, held, (endpoint,), now))
    for name, refused, expected, claim in _ROWS:
        got = token.claims.get(claim, token.header.get(claim, "not sent"))
        shown = _expected(expected, held, endpoint, now)
        yield Check(name, not (reasons & refused), shown, _told(claim, got))
    yield from _signature(token, held, keys)


_ROWS: tuple[tuple[str, frozenset[str], str, str], ...] = (
    ("audience (aud)", frozenset({"audience", "aud-missing"}), "endpoint", "aud"),
    ("algorithm (alg)", frozenset({"algorithm"}), "algorithms", "alg"),
    ("type (typ)", frozenset({"typ"}), "JWT", "typ"),
    ("key address (jku)", frozenset({"jku"}), "jku", "jku"),
    ("expires (exp)", frozenset({"expired", "exp-missing"}), "after", "exp"),
    (
        "issued (iat)",
        frozenset({"issued-in-the-future", "too-old", "iat-missing"}),
        "recently",
        "iat",
    ),
    ("not before (nbf)", frozenset({"not-yet-valid", "nbf-missing"}), "not in the future", "nbf"),
    ("tenant", frozenset({"tenant", "claim-type"}), "tenants", "tenant"),
    ("subject (sub)", frozenset({"subject"}), "subject", "sub"),
    ("token id (jti)", frozenset({"jti-missing"}), "a text of its own for each call", "jti"),
)


def _told(claim: str, got: Json) -> str:
    """A claim as it came; a time also as people read it."""
    if claim in ("exp", "iat", "nbf") and isinstance(got, int) and 0 < got < 2**40:
        return f"{got} ({datetime.fromtimestamp(got, UTC).isoformat()[:19]}Z)"
    return str(got)[:300]


def _expected(word: str, client: Client, endpoint: str, now: float) -> str:
    expectations = {
        "endpoint": ", ".join([endpoint, *client.audiences]),
        "algorithms": ", ".join(client.algorithms),
        "jku": ", ".join(client.jku) or "none, the keys are in clients.json",
        "after": f"after now, {_told('exp', int(now))}",
        "recently": f"at most {client.max_token_age} s before now",
        "tenants": "any" if client.tenants is None else ", ".join(sorted(client.tenants)),
        "subject": client.subject or "any",
    }
    return expectations.get(word, word)


def _signature(token: Token, client: Client, keys: str) -> Iterator[Check]:
    expected = "a key with this kid"
    try:
        known: Mapping[str, SigningKey] = read_set(json.loads(keys)) if keys else client.keys or {}
    except (ValueError, KeyRefused) as error:
        yield Check("key (kid)", False, "a JWK Set", str(error)[:200])
        return
    if not known:
        yield Check("key (kid)", None, "give the EHR's JWK Set: nothing is fetched", token.kid)
        return
    key = known.get(token.kid)
    yield Check("key (kid)", key is not None, expected, token.kid)
    if key is not None:
        yield Check("signature", _verifies(token, key), "made with that key", token.algorithm)


def _verifies(token: Token, key: SigningKey) -> bool:
    try:
        tokens.verify(token, key)
    except Refused:
        return False
    return True
