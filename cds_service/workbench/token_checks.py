"""A token made for a trial, and one explained: each check with what was expected and what came."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from cds_service.callers import tokens
from cds_service.callers.jwk import KeyRefused, SigningKey, read_set
from cds_service.callers.model import Client
from cds_service.callers.tokens import Refused, Token
from cds_service.errors import BadRequest

Json = Any
ALGORITHM = "ES384"
SECONDS = 300


@dataclass(frozen=True)
class KeyPair:
    """A new key pair: the private key as PEM, the public one as a JWK Set."""

    private: str
    public: Mapping[str, Json]


def make_keys() -> KeyPair:
    """A P-384 key pair with a `kid` of its own."""
    private = ec.generate_private_key(ec.SECP384R1())
    jwk = json.loads(ECAlgorithm.to_jwk(private.public_key()))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    whole = {**jwk, "kid": str(uuid4()), "alg": ALGORITHM, "use": "sig"}
    return KeyPair(pem, {"keys": [whole]})


def entry(issuer: str, public: Mapping[str, Json]) -> dict[str, Json]:
    """`clients.json` with the client that signs with these keys."""
    client = {"name": "trial", "issuer": issuer, "keys": {"set": dict(public)}}
    return {"$schema": "schemas/clients.schema.json", "clients": [client]}


def make_token(pem: str, kid: str, issuer: str, audience: str, now: int) -> str:
    """A token for one call. Raises BadRequest for what is no private key."""
    try:
        key = load_pem_private_key(pem.encode(), None)
        claims = {"iss": issuer, "aud": audience, "iat": now, "exp": now + SECONDS}
        headers = {"kid": kid, "typ": "JWT"}
        signed = {**claims, "jti": str(uuid4())}
        return jwt.encode(signed, key, ALGORITHM, headers)  # type: ignore[arg-type]
    except (ValueError, TypeError, jwt.PyJWTError):
        raise BadRequest("key-unreadable", "That is no P-384 private key in PEM.") from None


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
    bare = text.strip().removeprefix("Authorization:").strip()
    bearer = bare if bare.lower().startswith("bearer ") else f"Bearer {bare}"
    try:
        token = tokens.read(bearer)
    except Refused as refusal:
        expected = "Bearer and a signed JWT of three parts"
        return [Check("readable", False, expected, refusal.reason)]
    return [
        Check("readable", True, "a signed JWT", "yes"),
        *_of(token, client, issuers, endpoint, keys, now),
    ]


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
    found = {
        "endpoint": ", ".join([endpoint, *client.audiences]),
        "algorithms": ", ".join(client.algorithms),
        "jku": ", ".join(client.jku) or "none, the keys are in clients.json",
        "after": f"after now, {_told('exp', int(now))}",
        "recently": f"at most {client.max_token_age} s before now",
        "tenants": "any" if client.tenants is None else ", ".join(sorted(client.tenants)),
        "subject": client.subject or "any",
    }
    return found.get(word, word)


def _signature(token: Token, client: Client, keys: str) -> Iterator[Check]:
    expected = "a key with this kid"
    try:
        known: Mapping[str, SigningKey] = read_set(json.loads(keys)) if keys else client.keys or {}
    except (ValueError, KeyRefused) as error:
        yield Check("key (kid)", False, "a JWK Set", str(error)[:200])
        return
    if not known:
        yield Check("key (kid)", None, "paste the EHR's JWK Set: nothing is fetched", token.kid)
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
