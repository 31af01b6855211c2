"""cds token, cds client add and cds call with a token: what an integrator does at a terminal."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cds_service.cli import main
from tests.support.fixtures import ROOT
from tests.support.server import serving
from tests.support.tokens import PRIVATE

ISSUER = "https://ehr.example.org"
ADDRESS = "https://cds.example.org/base/cds-services/leg-cramps-patient-view"
REQUEST = str(ROOT / "requests/patient-view/cramps-and-restless-legs.json")
KEYS: dict[str, Any] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RS384": lambda: rsa.generate_private_key(65_537, 2048),
}


def pem(folder: Path, key: Any) -> str:
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.json").write_text("{}")
    monkeypatch.setenv("CDS_SITE_DIR", str(folder))
    return folder


def cds(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


def made(key: str, *more: str, issuer: str = ISSUER, audience: str = ADDRESS) -> str:
    done = cds("token", "make", "--key", key, "--issuer", issuer, "--audience", audience, *more)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def added(key: str, *more: str) -> Result:
    return cds("client", "add", "--pem", key, "--issuer", ISSUER, *more)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_fits_the_client_that_was_added_with_its_key(
    site: Path, tmp_path: Path, algorithm: str
) -> None:
    key = pem(tmp_path, KEYS[algorithm]())
    assert added(key).exit_code == 0
    told = cds("token", "explain", made(key), "--url", ADDRESS)
    assert told.exit_code == 0, told.output
    assert "FAILS" not in told.output and "not checked" not in told.output
    assert cds("rules", "check", "--format", "json").exit_code in (0, 3)


def test_a_token_has_what_was_asked(tmp_path: Path) -> None:
    key = pem(tmp_path, KEYS["ES384"]())
    asked = {"kid": "k1", "jku": "https://e.example/jwks", "tenant": "t", "subject": "s"}
    text = made(key, *(word for name, value in asked.items() for word in (f"--{name}", value)))
    header = jwt.get_unverified_header(text)
    claims = jwt.decode(text, options={"verify_signature": False})
    assert header == {"alg": "ES384", "typ": "JWT", "kid": "k1", "jku": asked["jku"]}
    assert claims.pop("exp") - claims.pop("iat") == 300
    assert claims.pop("jti") != jwt.decode(made(key), options={"verify_signature": False})["jti"]
    assert claims == {"iss": ISSUER, "aud": ADDRESS, "tenant": "t", "sub": "s"}


def test_a_jwk_brings_its_kid(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(PRIVATE["ec-384"]))
    assert jwt.get_unverified_header(made(str(path)))["kid"] == "ec-384"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        b"{",
        b"{}",
        b"[]",
        b'{"kty": 1}',
        b'{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}',
        b"-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n",
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        json.dumps({k: v for k, v in PRIVATE["ec-384"].items() if k != "d"}).encode(),
        json.dumps({**PRIVATE["ec-384"], "alg": "HS256"}).encode(),
    ],
    ids=range(11),  # a new key is another one in each process that deals out the tests
)
def test_what_is_no_key_is_said_in_a_sentence(site: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    asked = ("--key", str(path), "--issuer", ISSUER, "--audience", ADDRESS)
    for done in (cds("token", "make", *asked), added(str(path))):
        assert done.exit_code == 1 and "key-unreadable" in done.output
        assert not done.stdout
    assert not (site / "clients.json").exists()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"issuer": "https://other.example"}, "issuer (iss)"),
        ({"audience": "https://cds.example.org/cds-services/x"}, "audience (aud)"),
        ({"more": ("--kid", "other")}, "key (kid)"),
        ({"more": ("--jku", "https://e.example/jwks")}, "key address (jku)"),
        ({"more": ("--tenant", "other")}, "tenant"),
    ],
)
def test_the_check_that_fails_is_named(
    site: Path, tmp_path: Path, change: dict[str, Any], check: str
) -> None:
    key = pem(tmp_path, KEYS["ES384"]())
    assert added(key, "--tenant", "north").exit_code == 0
    more = change.pop("more", ())
    more = more if "--tenant" in more else (*more, "--tenant", "north")
    told = cds("token", "explain", "-", "--url", ADDRESS, stdin=made(key, *more, **change))
    failed = [line.split(maxsplit=1)[1] for line in told.output.splitlines() if "FAILS" in line]
    assert told.exit_code == 1 and failed[0] == check


def test_another_key_of_the_same_kid_fails_at_the_signature(site: Path, tmp_path: Path) -> None:
    assert added(pem(tmp_path, KEYS["ES384"]()), "--kid", "k").exit_code == 0
    text = made(pem(tmp_path, KEYS["ES384"]()), "--kid", "k")
    told = cds("token", "explain", text, "--url", ADDRESS)
    assert told.exit_code == 1 and "FAILS        signature" in told.output


def test_only_the_public_part_is_written(site: Path, tmp_path: Path) -> None:
    key = KEYS["ES384"]()
    assert added(pem(tmp_path, key)).exit_code == 0
    from_private = (site / "clients.json").read_text()
    assert '"d"' not in from_private
    (site / "clients.json").unlink()
    public = tmp_path / "public.pem"
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(key.public_key().public_bytes(*form))
    assert added(str(public)).exit_code == 0
    assert (site / "clients.json").read_text() == from_private


def test_an_issuer_is_never_overwritten_and_others_stay(site: Path, tmp_path: Path) -> None:
    key = pem(tmp_path, KEYS["ES384"]())
    assert added(key).exit_code == 0
    before = (site / "clients.json").read_bytes()
    again = added(key, "--name", "another")
    assert again.exit_code == 1 and "already" in again.output
    same_name = cds("client", "add", "--pem", key, "--issuer", "b", "--name", "ehr.example.org")
    assert same_name.exit_code == 1 and "K003" in same_name.output
    assert (site / "clients.json").read_bytes() == before
    assert cds("client", "add", "--pem", key, "--issuer", "b", "--name", "b").exit_code == 0
    clients = json.loads((site / "clients.json").read_text())["clients"]
    assert [one["issuer"] for one in clients] == [ISSUER, "b"]
    assert sorted(path.name for path in site.iterdir()) == ["clients.json", "site.json"]


def test_a_file_with_a_fault_is_left_alone(site: Path, tmp_path: Path) -> None:
    (site / "clients.json").write_text('{"clients": [], "clints": []}')
    done = added(pem(tmp_path, KEYS["ES384"]()))
    assert done.exit_code == 1 and "clients.json" in done.output
    assert (site / "clients.json").read_text() == '{"clients": [], "clints": []}'


@pytest.mark.parametrize(
    "options",
    [
        ("--token", "t"),
        ("--token", "t", "--url", "http://127.0.0.1:1"),
        ("--token", "t", "--url", "http://127.0.0.1:1", "--service", "s", "--issuer", "i"),
        ("--url", "http://127.0.0.1:1", "--issuer", "i"),
        ("--url", "http://127.0.0.1:1", "--key", REQUEST),
    ],
)
def test_options_that_do_not_fit_are_wrong_use(options: tuple[str, ...]) -> None:
    assert cds("call", REQUEST, *options).exit_code == 2


def test_the_real_service_takes_these_tokens(site: Path, tmp_path: Path) -> None:
    key = pem(tmp_path, KEYS["ES384"]())
    assert added(key).exit_code == 0
    public, service = "https://cds.example.org/base", ADDRESS.rpartition("/")[2]
    required = {"CDS_AUTH": "required", "CDS_PUBLIC_URL": public, "CDS_NOW": ""}
    signing = ("--key", key, "--audience", public)
    with serving(tmp_path, **required) as url:
        call = ("call", REQUEST, "--url", url)
        assert "[" in cds(*call, *signing, "--issuer", ISSUER).output
        token = ("--service", service, "--token", made(key))
        first, replayed = cds(*call, *token), cds(*call, *token)
        unknown = cds(*call, *signing, "--issuer", "https://other.example")
        bare = cds(*call)
    assert first.exit_code == 0 and "restless legs" in first.output.lower()
    for refused in (replayed, unknown, bare):
        assert refused.exit_code == 1 and "401" in refused.output


def test_a_client_is_added_by_the_address_of_its_keys(site: Path) -> None:
    jku = "https://ehr.example.org/jwks"
    done = cds("client", "add", "--jku", jku, "--issuer", ISSUER)
    assert done.exit_code == 0 and "kid" not in done.output
    [client] = json.loads((site / "clients.json").read_text())["clients"]
    assert client["keys"] == {"jku": [jku]}


@pytest.mark.parametrize("jku", ["http://ehr.example.org/jwks", "ftp://ehr.example.org", "jwks"])
def test_an_address_that_is_none_is_refused(site: Path, jku: str) -> None:
    done = cds("client", "add", "--jku", jku, "--issuer", ISSUER)
    assert done.exit_code == 1 and not (site / "clients.json").exists()


def test_a_client_without_a_key_is_wrong_use(site: Path) -> None:
    done = cds("client", "add", "--issuer", ISSUER)
    assert done.exit_code == 2 and "--jku" in done.output
