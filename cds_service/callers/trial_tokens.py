"""Keys and tokens as an EHR makes them, for whoever connects one. The service itself signs nothing.

A key without a `kid` gets its thumbprint (RFC 7638), so that the entry in `clients.json` and the
tokens agree without a word about it.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.callers.jwk import CURVES, KeyRefused, read_key
from cds_service.callers.model import DEFAULT_ALGORITHMS
from cds_service.errors import BadRequest

Json = Any
SECONDS = 300  # between iat and exp
_RSA_ALGORITHM = "RS384"  # the one that clients have by default (spec row P20)
_ALGORITHM_OF = {curve: algorithm for algorithm, curve in CURVES.items()}
_OF_A_THUMBPRINT = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # RFC 7638, 3.2
_PUBLIC_PARTS = frozenset({"kty", "crv", "x", "y", "n", "e"})


@dataclass(frozen=True)
class KeyPair:
    """A new key pair: the private key as PEM, the public one as a JWK Set."""

    private: str = field(repr=False)
    public: Mapping[str, Json]


@dataclass(frozen=True)
class Signer:
    """A private key, with what tells others which one it is."""

    key: Any = field(repr=False)  # of the cryptography package
    kid: str
    algorithm: str


def make_keys() -> KeyPair:
    """A P-384 key pair with a `kid` of its own."""
    private = ec.generate_private_key(ec.SECP384R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return KeyPair(pem, {"keys": [_public_jwk(private.public_key(), str(uuid4()))]})


def read_signer(content: bytes, kid: str = "") -> Signer:
    """A private key, PEM or JWK. Raises BadRequest for anything else."""
    if content.lstrip().startswith(b"{"):
        return _signer_of_jwk(content, kid)
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unreadable("no private key in PEM without a password, and no JWK") from None
    return _signer(private, kid)


def read_public(content: bytes, kid: str = "") -> dict[str, Json]:
    """The JWK of a public key in PEM, or of the public part of a private one (PEM or JWK).

    Raises BadRequest for a key that the service would not take.
    """
    if b"PUBLIC KEY" not in content:
        signer = read_signer(content, kid)
        return _public_jwk(signer.key.public_key(), signer.kid, signer.algorithm)
    try:
        return _public_jwk(load_pem_public_key(content), kid)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unreadable("no public key in PEM") from None


def entry(
    name: str,
    issuer: str,
    jwk: Mapping[str, Json] | None,
    addresses: Sequence[str] = (),
    more: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """The client of `clients.json` that signs with this key, or with those at its addresses."""
    keys: dict[str, Json] = {"jku": list(addresses)} if addresses else {}
    if jwk:
        keys["set"] = {"keys": [dict(jwk)]}
    client = {"name": name, "issuer": issuer, "keys": keys}
    if jwk and jwk["alg"] not in DEFAULT_ALGORITHMS:
        client["algorithms"] = [jwk["alg"]]
    return {**client, **(more or {})}


def make_token(
    signer: Signer, issuer: str, audience: str, now: int, *, jku: str = "", **claims: str
) -> str:
    """A token for one call; a claim of "" is left out. `now` is a Unix second."""
    named = {name: value for name, value in claims.items() if value}
    body = {"iss": issuer, "aud": audience, "iat": now, "exp": now + SECONDS}
    headers = {"kid": signer.kid, "typ": "JWT", **({"jku": jku} if jku else {})}
    signed = {**body, "jti": str(uuid4()), **named}
    return jwt.encode(signed, signer.key, signer.algorithm, headers)


def _signer_of_jwk(content: bytes, kid: str) -> Signer:
    try:
        jwk = json.loads(content)
        reader = RSAAlgorithm if jwk.get("kty") == "RSA" else ECAlgorithm
        private = reader.from_jwk(jwk)
    except (ValueError, TypeError, KeyError, RecursionError, jwt.PyJWTError):
        raise _unreadable("no JWK of an EC or RSA key") from None
    if not hasattr(private, "public_key"):
        raise _unreadable("a public key; a token needs the private one")
    return _signer(private, kid or str(jwk.get("kid") or ""), str(jwk.get("alg") or ""))


def _signer(private: Any, kid: str, algorithm: str = "") -> Signer:
    jwk = _public_jwk(private.public_key(), kid, algorithm)
    return Signer(private, str(jwk["kid"]), str(jwk["alg"]))


def _public_jwk(public: Any, kid: str, algorithm: str = "") -> dict[str, Json]:
    """Raises BadRequest for a key that the service would not take."""
    if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise _unreadable("neither an EC nor an RSA key")
    if isinstance(public, rsa.RSAPublicKey):
        text = RSAAlgorithm.to_jwk(public)
    else:
        text = ECAlgorithm.to_jwk(public)
    jwk = {name: part for name, part in json.loads(text).items() if name in _PUBLIC_PARTS}
    usual = _ALGORITHM_OF.get(jwk.get("crv", ""), _RSA_ALGORITHM)
    whole = {**jwk, "kid": kid or _thumbprint(jwk), "alg": algorithm or usual, "use": "sig"}
    try:
        read_key(whole)
    except KeyRefused as refusal:
        raise _unreadable(f"a key that the service refuses: {refusal}") from None
    return whole


def _thumbprint(jwk: Mapping[str, Json]) -> str:
    members = {name: jwk[name] for name in _OF_A_THUMBPRINT[jwk["kty"]]}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def _unreadable(what: str) -> BadRequest:
    return BadRequest("key-unreadable", f"That is {what}.")
