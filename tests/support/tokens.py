"""Tokens, clients and a service that checks them, for tests of authentication.

The runtime has no clinical content; clients.json, database, clock and keys are the real ones.
"""

import base64
import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jwt
from flask.testing import FlaskClient

from cds_service.callers.book import open_clients
from cds_service.config import Settings
from cds_service.store.store import Store
from cds_service.web import auth
from cds_service.web.app import create_app
from tests.support.calls import NOW
from tests.support.fake_runtime import FakeRuntime, service
from tests.support.fixtures import ROOT, request

Json = dict[str, Any]

PUBLIC = "https://cds.example.org/base"
DISCOVERY = f"{PUBLIC}/cds-services"
REVIEW = f"{PUBLIC}/cds-services/review"
ISSUER = "https://ehr.example.org"
JKU = "https://ehr.example.org/jwks"
TIME = int(NOW.timestamp())
CALL = request("patient-view/no-leg-complaint")
FEEDBACK = request("feedback/dismissed")
PRIVATE = {
    key["kid"]: key
    for key in json.loads((ROOT / "jwt/private-keys.json").read_text("utf-8"))["keys"]
}
EXAMPLE = json.loads((ROOT / "jwt/specification-example.json").read_text("utf-8"))

_counter = itertools.count()


def public(*kids: str) -> Json:
    """A JWK Set of the fixture's keys without their private parts."""
    private = {"d", "p", "q", "dp", "dq", "qi"}
    return {"keys": [{k: v for k, v in PRIVATE[kid].items() if k not in private} for kid in kids]}


def client_entry(**changes: Any) -> Json:
    """A client of clients.json; a change of None takes a property away."""
    entry = {
        "name": "general",
        "issuer": ISSUER,
        "keys": {"jku": [JKU], "set": public("ec-384", "rsa+2048/epic==")},
    }
    entry |= changes
    return {name: value for name, value in entry.items() if value is not None}


def write_clients(folder: Path, *entries: Json) -> Path:
    path = folder / "clients.json"
    path.write_text(json.dumps({"clients": list(entries or (client_entry(),))}))
    return path


def claims(**changes: Any) -> Json:
    """Good claims for a call of the service; a change of None takes a claim away."""
    good = {"iss": ISSUER, "aud": REVIEW, "exp": TIME + 300, "iat": TIME}
    good |= {"jti": f"jti-{next(_counter)}"} | changes
    return {name: value for name, value in good.items() if value is not None}


def header(kid: str = "ec-384", **changes: Any) -> Json:
    good = {"alg": PRIVATE[kid]["alg"] if kid in PRIVATE else "ES384", "typ": "JWT", "kid": kid}
    good |= changes
    return {name: value for name, value in good.items() if value is not None}


def b64(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(head: Any, body: Any, key: str = "ec-384") -> str:
    """A token with this header and body (JSON or bytes), signed by a key of the fixture."""
    signing_input = f"{b64(head)}.{b64(body)}"
    algorithm = PRIVATE[key]["alg"]
    signer = jwt.get_algorithm_by_name(algorithm)
    return (
        f"{signing_input}.{b64(signer.sign(signing_input.encode(), signer.from_jwk(PRIVATE[key])))}"
    )


def token(kid: str = "ec-384", head: Json | None = None, **changes: Any) -> str:
    """A good token but for `changes` of its claims and of its header."""
    return signed(header(kid, **(head or {})), claims(**changes), kid)


class SecuredRuntime(FakeRuntime):
    """The fake runtime with real clients and a real record of used tokens."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(service(), service("other"), service("some-service"))
        self.store = Store(settings.database_url)
        self.book = open_clients(settings)

    def client(self, issuer: str) -> Any:
        return self.book.client(issuer) if self.book else None

    def spend_token(self, digest: str, until: int, now: int) -> bool:
        return self.store.spend_token(digest, until, now)


class Secured:
    """One worker process of a service that requires tokens."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        values: Json = {
            "public_url": PUBLIC,
            "site_dir": folder,
            "database_url": f"sqlite:///{folder}/tokens.sqlite3",
            "now": NOW,
            "cors_origins": ("*",),
        }
        self.settings = Settings(**values | settings)
        self.runtime = SecuredRuntime(self.settings)
        self.app = create_app(self.settings, self.runtime)
        self.web: FlaskClient = self.app.test_client()

    def use_keys(self, keys: Any) -> None:
        """Other key sets than those made at start."""
        self.app.extensions[auth.EXTENSION].keys = keys

    def call(self, bearer: str = "", path: str = "/cds-services/review", **more: Any) -> Any:
        """POST a call, or GET discovery; `bearer` is a token."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= more.pop("headers", {})
        if path == "/cds-services":
            return self.web.get(path, headers=headers, **more)
        body = FEEDBACK if path.endswith("/feedback") else deepcopy(CALL)
        return self.web.post(path, json=body, headers=headers, **more)
