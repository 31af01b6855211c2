"""Whatever stands in a token, it is refused by a reason: nothing else is raised, nothing let in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.callers.jwk import KeyRefused, read_set
from cds_service.callers.model import Client
from cds_service.callers.tokens import Refused, check, read, same_address, verify
from tests.support.tokens import ISSUER, REVIEW, TIME, b64, claims, header, public

KEYS = read_set(public("ec-384"))
CLIENT = Client("general", ISSUER, keys=KEYS)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([sign * 10**size for size in (16, 19, 309, 400) for sign in (1, -1)])
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
HEADERS = st.fixed_dictionaries(
    {}, optional={name: JSON for name in ("alg", "kid", "typ", "jku", "crit", "x")}
).map(lambda changes: header() | changes)
CLAIMS = st.fixed_dictionaries(
    {}, optional={name: JSON for name in (*claims(), "nbf", "tenant", "sub")}
).map(lambda changes: claims() | changes)


def refusal(authorization: str) -> str:
    with pytest.raises(Refused) as caught:
        token = read(authorization)
        check(token, CLIENT, [REVIEW], TIME)
        verify(token, KEYS["ec-384"])
    return caught.value.reason


@given(HEADERS, CLAIMS)
def test_any_header_and_claims_with_a_made_up_signature(head: object, body: object) -> None:
    assert re.fullmatch(r"[a-z-]+", refusal(f"Bearer {b64(head)}.{b64(body)}.{b64(b'0' * 96)}"))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("number", [10**400, -(10**400), 10**309, 1e308, 2**63, 2**64, -(2**63)])
def test_large_numbers(name: str, number: float) -> None:
    assert refusal(f"Bearer {b64(header())}.{b64(claims() | {name: number})}.{b64(b'0' * 96)}")


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=100))
def test_any_bytes(head: bytes, body: bytes, signature: bytes) -> None:
    refusal(f"Bearer {b64(head)}.{b64(body)}.{b64(signature)}")


@given(st.text())
def test_any_text(text: str) -> None:
    refusal(text)
    refusal(f"Bearer {text}")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "crv", "kid", "x", "y", "n", "e", "alg", "use", "key_ops"]),
            JSON | st.sampled_from(["EC", "RSA", "P-384", "ES384", "AQAB"]),
        )
    )
)
def test_any_keys(keys: object) -> None:
    with pytest.raises(KeyRefused):
        read_set({"keys": keys})


@given(st.text() | st.text().map("https://".__add__))
def test_addresses_are_equal_only_to_spellings_of_themselves(text: str) -> None:
    once = same_address(text)
    assert same_address(once) in (once, once.removesuffix("/"))
