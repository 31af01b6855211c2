"""Hostile tokens: each gets the same bare 401, reaches no rule, spends nothing and calls nobody.

Cases are built by hand where a library would refuse to make them. `sent` is what comes after
"Bearer " unless the case says the whole header.
"""

import hashlib
import hmac
import json
import socket
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cds_service import logs
from cds_service.callers.model import LONGEST_TOKEN_AGE
from cds_service.protocol import connections
from tests.support.rows import row
from tests.support.tokens import (
    DISCOVERY,
    ISSUER,
    JKU,
    PRIVATE,
    PUBLIC,
    REVIEW,
    TIME,
    Secured,
    b64,
    claims,
    client_entry,
    header,
    public,
    signed,
    token,
    write_clients,
)

REMOTE = "https://remote.example.org"  # a client whose keys are fetched
YEAR = 365 * 86_400


def public_pem(kid: str) -> bytes:
    key = jwt.PyJWK(public(kid)["keys"][0]).key
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def symmetric(algorithm: str, secret: bytes, digest: Any) -> str:
    signing_input = f"{b64(header(alg=algorithm))}.{b64(claims())}"
    return f"{signing_input}.{b64(hmac.new(secret, signing_input.encode(), digest).digest())}"


def unsigned(algorithm: Any) -> str:
    return f"{b64(header(alg=algorithm))}.{b64(claims())}."


def raw_claims(extra: str) -> bytes:
    """Claims as text, with something that json.dumps would not write."""
    return (json.dumps(claims())[:-1] + extra + "}").encode()


def raw_header(extra: str) -> bytes:
    return (json.dumps(header())[:-1] + extra + "}").encode()


def tampered(part: int) -> str:
    parts = token().split(".")
    parts[part] = parts[part][:-8] + ("AAAAAAAA" if parts[part][-8:] != "AAAAAAAA" else "BBBBBBBB")
    return ".".join(parts)


def swapped_claims() -> str:
    """The signature of one good token under the claims of another."""
    first, second = token().split("."), token(tenant="other").split(".")
    return ".".join([first[0], second[1], first[2]])


def der_signature() -> str:
    """ECDSA as DER instead of the two numbers that JWS wants."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    signing_input = f"{b64(header())}.{b64(claims())}"
    key = jwt.PyJWK(PRIVATE["ec-384"]).key
    return f"{signing_input}.{b64(key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA384())))}"


SENT: dict[str, Any] = {
    # signature and algorithm
    "P18-none": lambda: unsigned("none"),
    "P18-None": lambda: unsigned("None"),
    "P18-nOnE": lambda: unsigned("nOnE"),
    "P18-empty-alg": lambda: unsigned(""),
    "P18-null-alg": lambda: unsigned(None),
    "P18-none-with-signature": lambda: signed(header(alg="none"), claims()),
    "P19-hs384-with-the-public-pem": lambda: symmetric(
        "HS384", public_pem("ec-384"), hashlib.sha384
    ),
    "P19-hs256-with-the-rsa-pem": lambda: symmetric(
        "HS256", public_pem("rsa+2048/epic=="), hashlib.sha256
    ),
    "P19-hs512-with-the-kid": lambda: symmetric("HS512", b"ec-384", hashlib.sha512),
    "P1-alg-missing": lambda: signed(header(alg=None), claims()),
    "P1-alg-list": lambda: signed(header(alg=["ES384"]), claims()),
    "P1-alg-of-another-key": lambda: signed(header(alg="RS384"), claims()),
    "P1-rsa-key-with-es-alg": lambda: signed(header("rsa+2048/epic==", alg="ES384"), claims()),
    "P21-alg-not-listed": lambda: signed(header("ec-256"), claims(), "ec-256"),
    "P21-alg-other-rsa": lambda: signed(
        header("rsa+2048/epic==", alg="RS512"), claims(), "rsa+2048/epic=="
    ),
    "O8-claims-tampered": lambda: tampered(1),
    "O8-signature-tampered": lambda: tampered(2),
    "O8-signature-missing": lambda: token().rpartition(".")[0] + ".",
    "O8-claims-swapped": swapped_claims,
    "O8-signature-as-der": der_signature,
    "O8-another-key": lambda: signed(header("ec-384"), claims(), "ec-384-next"),
    # header
    "P2-kid-missing": lambda: signed(header(kid=None), claims()),
    "P2-kid-empty": lambda: signed(header(kid=""), claims()),
    "P2-kid-number": lambda: signed({**header(), "kid": 7}, claims()),
    "P2-kid-unknown": lambda: signed({**header(), "kid": "ec-384'--"}, claims()),
    "P2-kid-path": lambda: signed({**header(), "kid": "../../../dev/null"}, claims()),
    "P4-typ-missing": lambda: token(head={"typ": None}),
    "P4-typ-other": lambda: token(head={"typ": "at+jwt"}),
    "P4-typ-lower": lambda: token(head={"typ": "jwt"}),
    "P5-jku-not-listed": lambda: token(head={"jku": "https://evil.example/jwks"}),
    "P5-jku-longer": lambda: token(head={"jku": f"{JKU}/../evil"}),
    "P5-jku-user-info": lambda: token(head={"jku": "https://ehr.example.org@evil.example/jwks"}),
    "P5-jku-case": lambda: token(head={"jku": JKU.upper()}),
    "P5-jku-query": lambda: token(head={"jku": f"{JKU}?x=1"}),
    "P5-jku-loopback": lambda: token(head={"jku": "http://127.0.0.1:5005/jwks"}),
    "P5-jku-metadata": lambda: token(head={"jku": "http://169.254.169.254/latest"}),
    "P5-jku-file": lambda: token(head={"jku": "file:///etc/passwd"}),
    "P5-jku-empty": lambda: token(head={"jku": ""}),
    "P5-jku-list": lambda: token(head={"jku": [JKU]}),
    "P5-jku-of-another-client": lambda: token(head={"jku": f"{REMOTE}/jwks"}),
    "P5-jwk-embedded": lambda: signed(
        header("ec-384-next", jwk=public("ec-384-next")["keys"][0]), claims(), "ec-384-next"
    ),
    "P5-x5u": lambda: token(head={"x5u": "https://evil.example/chain"}),
    "crit": lambda: token(head={"crit": ["exp"]}),
    "crit-empty": lambda: token(head={"crit": []}),
    "b64": lambda: token(head={"b64": False, "crit": ["b64"]}),
    "header-duplicate": lambda: signed(raw_header(', "alg": "ES384"'), claims()),
    "header-list": lambda: signed([header()], claims()),
    "header-not-json": lambda: signed(b"{", claims()),
    "header-not-utf8": lambda: signed(b'{"alg":"\xff"}', claims()),
    # claims
    "P6-iss-missing": lambda: token(iss=None),
    "P6-iss-unknown": lambda: token(iss="https://evil.example"),
    "P6-iss-slash": lambda: token(iss=f"{ISSUER}/"),
    "P6-iss-case": lambda: token(iss=ISSUER.upper()),
    "P6-iss-list": lambda: token(iss=[ISSUER]),
    "P6-iss-half-character": lambda: token(iss="\ud800"),
    "P8-aud-missing": lambda: token(aud=None),
    "P8-aud-empty": lambda: token(aud=""),
    "P8-aud-empty-list": lambda: token(aud=[]),
    "P8-aud-object": lambda: token(aud={"url": REVIEW}),
    "P8-aud-list-with-number": lambda: token(aud=[REVIEW, 1]),
    "P14-aud-other-service": lambda: token(aud=f"{DISCOVERY}/other"),
    "P14-aud-discovery": lambda: token(aud=DISCOVERY),
    "P14-aud-feedback": lambda: token(aud=f"{REVIEW}/feedback"),
    "P14-aud-base": lambda: token(aud=PUBLIC),
    "P14-aud-other-host": lambda: token(aud="https://localhost/base/cds-services/review"),
    "P14-aud-prefix": lambda: token(aud=f"{REVIEW}x"),
    "P14-aud-http": lambda: token(aud=REVIEW.replace("https", "http")),
    "P14-aud-port": lambda: token(aud=REVIEW.replace(".org", ".org:8443")),
    "P14-aud-user-info": lambda: token(aud=REVIEW.replace("//", "//x@")),
    "P14-aud-query": lambda: token(aud=f"{REVIEW}?x"),
    "P14-aud-path": lambda: token(aud=f"{DISCOVERY}/other/../review"),
    "P9-exp-missing": lambda: token(exp=None),
    "P9-exp-past": lambda: token(exp=TIME - 60),
    "P9-exp-text": lambda: token(exp=str(TIME + 300)),
    "P9-exp-true": lambda: token(exp=True),
    "P9-exp-infinite": lambda: signed(header(), raw_claims(', "exp": 1e999')),
    "P9-exp-infinity": lambda: signed(header(), json.dumps(claims(exp=float("inf"))).encode()),
    "P9-exp-nan": lambda: signed(header(), json.dumps(claims(exp=float("nan"))).encode()),
    "P10-iat-missing": lambda: token(iat=None),
    "P10-iat-future": lambda: token(iat=TIME + 61, exp=TIME + 361),
    "P10-iat-text": lambda: token(iat="now"),
    "P10-iat-long-ago": lambda: token(iat=TIME - 3661, exp=TIME + YEAR),
    "P10-iat-negative": lambda: token(iat=-(10**30), exp=10**30),
    "nbf-future": lambda: token(nbf=TIME + 61),
    "nbf-text": lambda: token(nbf="now"),
    "P11-jti-missing": lambda: token(jti=None),
    "P11-jti-empty": lambda: token(jti=""),
    "P11-jti-number": lambda: token(jti=7),
    "P11-jti-half-character": lambda: token(jti="\ud800"),
    "P12-tenant-number": lambda: token(tenant=7),
    "P12-tenant-not-listed": lambda: token(iss=REMOTE, tenant="x"),
    "sub-object": lambda: token(sub={}),
    "claims-duplicate": lambda: signed(header(), raw_claims(f', "aud": "{REVIEW}"')),
    "claims-duplicate-nested": lambda: signed(header(), raw_claims(', "x": {"a": 1, "a": 2}')),
    "claims-list": lambda: signed(header(), [claims()]),
    "claims-text": lambda: signed(header(), "claims"),
    "claims-deep": lambda: signed(header(), b'{"a":' + b"[" * 2500 + b"]" * 2500 + b"}"),
    "claims-long-number": lambda: signed(header(), raw_claims(f', "x": {"9" * 4400}')),
    # shape
    "empty": lambda: "",
    "no-dots": lambda: "token",
    "two-parts": lambda: token().rpartition(".")[0],
    "four-parts": lambda: token() + ".x",
    "five-parts-jwe": lambda: token() + ".x.y",
    "padding": lambda: token() + "==",
    "other-alphabet": lambda: token()[:-3] + "+/A",
    "space-inside": lambda: token().replace(".", ". ", 1),
    "not-ascii": lambda: token() + "\u00e9",
    "oversized": lambda: token(x="y" * 8000),
    "two-tokens-in-one": lambda: f"{token()}, Bearer {token()}",
    "two-tokens-with-a-space": lambda: f"{token()} {token()}",
}

HEADERS: dict[str, Any] = {
    "O6-no-header": lambda: [],
    "O6-empty": lambda: [("Authorization", "")],
    "O6-bearer-alone": lambda: [("Authorization", "Bearer")],
    "O6-basic": lambda: [("Authorization", "Basic dXNlcjpwYXNz")],
    "O6-scheme-of-ours": lambda: [("Authorization", f"JWT {token()}")],
    "O6-no-scheme": lambda: [("Authorization", token())],
    "O6-two-headers": lambda: [
        ("Authorization", f"Bearer {token()}"),
        ("Authorization", f"Bearer {token()}"),
    ],
    "O6-other-header": lambda: [("X-Authorization", f"Bearer {token()}")],
    "O6-line-break": lambda: [("Authorization", f"Bearer\t{token()}")],
}


WITHOUT = ("O6-no-header", "O6-empty", "O6-other-header")


@pytest.fixture
def service(tmp_path: Path) -> Secured:
    remote = client_entry(
        name="remote", issuer=REMOTE, keys={"jku": [f"{REMOTE}/jwks"]}, tenants=["north"]
    )
    write_clients(tmp_path, client_entry(), remote)
    return Secured(tmp_path)


@pytest.fixture(autouse=True)
def no_calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to look a name up or to connect; there must be none."""
    attempts: list[Any] = []

    def attempt(*args: Any, **_more: Any) -> Any:
        attempts.append(args)
        raise OSError

    monkeypatch.setattr(connections, "getaddrinfo", attempt)
    monkeypatch.setattr(socket, "getaddrinfo", attempt)
    monkeypatch.setattr(socket.socket, "connect", attempt)
    return attempts


def refused(response: Any, *, without: bool = False) -> None:
    """The one answer of every refusal; a call `without` credentials is told so (RFC 6750)."""
    assert response.status_code == 401
    told = b"" if without else b" that is accepted"
    assert response.data == (
        b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login",'
        b'"details":{"coding":[{"system":"urn:leg-cramps-cds:error","code":"unauthorized"}]},'
        b'"diagnostics":"The call carries no token%s."}]}' % told
    )
    error = "" if without else ', error="invalid_token"'
    assert dict(response.headers) == {
        "Content-Type": "application/json",
        "Content-Length": str(len(response.data)),
        "WWW-Authenticate": f'Bearer realm="cds-services"{error}',
        "Access-Control-Allow-Origin": "*",
    }


@row("O6", "O8", "P1", "P2", "P4", "P5", "P6", "P8", "P9", "P10", "P11", "P12", "P14")
@row("P18", "P19", "P21")
@pytest.mark.parametrize("name", SENT)
def test_a_hostile_token_gets_the_bare_401(
    service: Secured, no_calls: list[Any], name: str
) -> None:
    sent = SENT[name]()
    refused(
        service.call("", headers={"Authorization": f"Bearer {sent}".encode().decode("latin-1")})
    )
    assert no_calls == []
    assert service.runtime.calls == []
    assert _spent(service) == 0


@row("O6")
@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize(
    "path", ["/cds-services", "/cds-services/review", "/cds-services/review/feedback"]
)
def test_no_usable_header_gets_the_bare_401(service: Secured, path: str, name: str) -> None:
    method = "GET" if path == "/cds-services" else "POST"
    response = service.web.open(path, method=method, headers=HEADERS[name]())
    refused(response, without=name in WITHOUT)
    assert service.runtime.stored == []


@row("P14")
@pytest.mark.parametrize(
    ("path", "aud"),
    [
        ("/cds-services", REVIEW),
        ("/cds-services/other", REVIEW),
        ("/cds-services/none", REVIEW),
        ("/cds-services/other/feedback", REVIEW),
        ("/cds-services/review/feedback", DISCOVERY),
        ("/cds-services/review/feedback", f"{DISCOVERY}/other/feedback"),
    ],
)
def test_a_token_is_good_for_one_address(service: Secured, path: str, aud: str) -> None:
    refused(service.call(token(aud=aud), path))


@row("P11")
def test_a_replay_gets_the_bare_401(service: Secured) -> None:
    sent = token()
    assert service.call(sent).status_code == 200
    refused(service.call(sent))
    head, body, signature = sent.split(".")
    refused(service.call(f"{head}.{body}.{signature}"))
    # The same jti in another token of the issuer, for another address.
    again = token(jti="again")
    assert service.call(again).status_code == 200
    refused(service.call(token(jti="again", aud=DISCOVERY), "/cds-services"))


def test_a_token_that_lives_for_a_year_is_not_remembered_for_a_year(service: Secured) -> None:
    assert service.call(token(exp=TIME + YEAR)).status_code == 200
    with service.runtime.store._engine.connect() as connection:
        until = connection.exec_driver_sql("SELECT max(expires) FROM spent_tokens").scalar()
    assert TIME + LONGEST_TOKEN_AGE <= until <= TIME + LONGEST_TOKEN_AGE + 300


def test_the_log_has_the_reason_and_nothing_of_the_token(
    service: Secured, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("DEBUG")
    try:
        sent = token(tenant="secret-tenant", sub="secret-sub", jti="secret-jti", exp=TIME - 100)
        service.call(sent)
        service.call(token(iss="https://secret.example"))
        service.call("secret-token")
    finally:
        logs.configure("CRITICAL")
    text = capsys.readouterr().err
    expired, unknown, garbage = [json.loads(line) for line in text.splitlines()]
    assert (expired["reason"], expired["client"]) == ("expired", "general")
    assert len(expired["jti_hash"]) == len(expired["kid_hash"]) == 12
    assert (unknown["reason"], unknown.get("client")) == ("issuer", None)
    assert garbage["reason"] == "not-a-bearer-token"
    assert "secret" not in text
    assert not [part for part in sent.split(".") if part in text]
    assert "withheld" not in text


def test_refusals_are_counted_by_reason(service: Secured) -> None:
    service.call(token(exp=TIME - 100))
    assert 'cds_tokens_refused_total{reason="expired"}' in service.web.get("/metrics").text


def _spent(service: Secured) -> Any:
    with service.runtime.store._engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM spent_tokens").scalar()
