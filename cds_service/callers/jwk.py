"""JSON Web Keys (RFC 7517): which of them may sign a token, and with which algorithm.

Only public EC and RSA keys of adequate size that are meant for signatures. PyJWT reads the numbers;
what is decided here is what we are willing to read.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

Json = Any

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)  # above: each check would cost the service seconds
_RSA_EXPONENTS = range(65_537, 2**32)
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeyRefused(ValueError):
    """A key or a set that is not used. The message says why and quotes no key material."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key. `algorithms` are those it may be used with, never more than fit its kind."""

    kid: str
    algorithms: frozenset[str]
    public: Any  # of the cryptography package


def read_set(data: Json, *, strict: bool = False) -> dict[str, SigningKey]:
    """The usable keys of a JWK Set by `kid`.

    Raises KeyRefused for something that is no set, for a `kid` that two keys share (spec row P3)
    and for a set without a usable key; with `strict` for any key that is not usable. Otherwise
    such keys are left out: a key server may publish keys for other purposes.
    """
    entries = _entries(data)
    keys = {}
    refusals = []
    for place, entry in enumerate(entries):
        try:
            key = read_key(entry)
        except KeyRefused as refusal:
            if strict:
                raise KeyRefused(f"keys[{place}]: {refusal}") from refusal
            refusals.append(str(refusal))
        else:
            keys[key.kid] = key
    if not keys:
        raise KeyRefused("; ".join(dict.fromkeys(refusals)) or "the set is empty")
    return keys


def read_key(entry: Json) -> SigningKey:
    """One key. Raises KeyRefused."""
    if not isinstance(entry, Mapping):
        raise KeyRefused("a key must be an object")
    if _PRIVATE & entry.keys():
        raise KeyRefused("it holds a private or symmetric key, which must never be given away")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        raise KeyRefused("it has no kid")
    _check_use(entry)
    fitting = _fitting(entry)
    named = entry.get("alg")
    if named is not None and not (isinstance(named, str) and named in fitting):
        raise KeyRefused("its alg does not fit its kty and crv")
    return SigningKey(kid, frozenset({named} if named else fitting), _public(entry))


def _entries(data: Json) -> list[Json]:
    entries = data.get("keys") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise KeyRefused("a JWK Set is an object with a list named keys")
    if len(entries) > MOST_KEYS:
        raise KeyRefused(f"the set has more than {MOST_KEYS} keys")
    kids = Counter(
        entry["kid"]
        for entry in entries
        if isinstance(entry, Mapping) and isinstance(entry.get("kid"), str)
    )
    if any(count > 1 for count in kids.values()):
        raise KeyRefused("two keys have the same kid")
    return entries


def _check_use(entry: Mapping[str, Json]) -> None:
    if entry.get("use", "sig") != "sig":
        raise KeyRefused("its use is not sig")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused("its key_ops do not hold verify")


def _fitting(entry: Mapping[str, Json]) -> frozenset[str]:
    """The algorithms that a key of this kind can be used with."""
    if entry.get("kty") == "RSA":
        return frozenset(RSA_ALGORITHMS)
    curve = entry.get("crv") if entry.get("kty") == "EC" else None
    algorithms = {algorithm for algorithm, its_curve in CURVES.items() if its_curve == curve}
    if not algorithms:
        raise KeyRefused("it is neither an RSA key nor an EC key on P-256, P-384 or P-521")
    return frozenset(algorithms)


def _public(entry: Mapping[str, Json]) -> Any:
    reader = RSAAlgorithm if entry["kty"] == "RSA" else ECAlgorithm
    try:
        key: Any = reader.from_jwk(dict(entry))
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefused("its numbers can't be read") from error
    if entry["kty"] == "RSA":
        if key.key_size not in _RSA_BITS:
            raise KeyRefused("its RSA modulus has fewer than 2048 or more than 8192 bits")
        if key.public_numbers().e not in _RSA_EXPONENTS:
            raise KeyRefused("its RSA exponent is unusual")
    return key
