"""Who may call: a token from a client of `clients.json`, on every address that is not listed open.

Whatever is wrong with a token, the answer is the same bare 401 (best practices of CDS Hooks); only
a call without any is told so. The order is theirs, too: issuer, audience, times, tenant, signature,
and only then the jti is spent.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, current_app, g, request

from cds_service import logs
from cds_service.callers.model import STANDARD, Client, Dialect
from cds_service.clock import Clock
from cds_service.config import Settings
from cds_service.errors import ConfigurationError, ServiceError
from cds_service.service.runtime import Runtime
from cds_service.web import metrics, refusal_log

if TYPE_CHECKING:  # PyJWT and cryptography are loaded only where tokens are checked
    from cds_service.callers.key_sets import KeySets
    from cds_service.callers.tokens import Token

EXTENSION = "cds-guard"
# Blueprints without data of patients; everything else needs a token, also what is added later.
OPEN = frozenset({"front", "health", "documents", "sources"})


def install(app: Flask, settings: Settings, runtime: Runtime) -> None:
    """Check every call before its body is parsed; nothing where `CDS_AUTH=off`."""
    if settings.auth == "off":
        return
    if not settings.public_url:
        raise ConfigurationError(
            "CDS_PUBLIC_URL is not set, and the audience of a token cannot be checked without it."
        )
    from cds_service.callers.key_sets import KeySets

    guard = Guard(settings, runtime, KeySets())
    app.extensions[EXTENSION] = guard
    app.before_request(guard.admit)


def caller() -> Client | None:
    """The client of the present call; None where calls are not authenticated."""
    client: Client | None = g.get("client")
    return client


def dialect() -> Dialect:
    """What the caller understands."""
    client = caller()
    return client.dialect if client else STANDARD


def health() -> Mapping[str, int] | None:
    """The state of the keys for /readyz; None where no tokens are checked."""
    guard: Guard | None = current_app.extensions.get(EXTENSION)
    return guard.keys.health() if guard else None


class Guard:
    """Lets a call in, or raises ServiceError 401."""

    def __init__(self, settings: Settings, runtime: Runtime, keys: "KeySets") -> None:
        self.keys = keys
        self._runtime = runtime
        self._clock = Clock(settings.now)
        self._public_url = settings.public_url

    def admit(self) -> None:
        """Before a request: `g.client` is set, or the call is refused."""
        from cds_service.callers import tokens

        if request.url_rule is None or request.blueprint in OPEN:
            return  # an unknown address is told by its 404
        token: Token | None = None
        try:
            token = tokens.read(request.headers.get("Authorization", ""))
            g.client = self._accept(token)
        except tokens.Refused as refusal:
            self._report(refusal.reason, token)
            raise _unauthorized(refusal.reason) from None

    def _accept(self, token: "Token") -> Client:
        from cds_service.callers import tokens

        now = self._clock.now().timestamp()
        client = self._runtime.client(token.issuer)
        if client is None:
            raise tokens.Refused("issuer")
        tokens.check(token, client, self._endpoints(), now)
        key = self.keys.find(client, token.jku, token.kid)
        if key is None:
            raise tokens.Refused("kid")
        tokens.verify(token, key)
        until = tokens.remember_until(token)
        if not self._runtime.spend_token(tokens.identity(token), until, int(now)):
            raise tokens.Refused("replay")
        return client

    def _endpoints(self) -> tuple[str, ...]:
        """What `aud` may be: never read from the Host header. For feedback also the service's
        address, because the specification can be read either way (row N16)."""
        own = self._public_url + request.path
        if request.blueprint == "feedback":
            return own, own.removesuffix("/feedback")
        return (own,)

    def _report(self, reason: str, token: "Token | None") -> None:
        from cds_service.callers import tokens

        metrics.count_refused_token(reason)
        client = self._runtime.client(token.issuer) if token else None
        named = {"client": client.name} if client else {}
        prints = tokens.fingerprints(token) if token else {}
        refusal_log.peek()
        place = {"route": refusal_log.route(), "audience": self._audience(), **refusal_log.named()}
        logs.logger().warning("token refused", reason=reason, **place, **named, **prints)

    def _audience(self) -> str:
        """What `aud` should have been, as far as it is ours to write."""
        service = metrics.named_service()
        path = refusal_log.route().replace("<service_id>", service or "{id}")
        return f"{self._public_url}{path}"


def _unauthorized(reason: str) -> ServiceError:
    """Whatever is wrong with a token is told alike; that there is none may be said."""
    told = "no token" if reason == "no-token" else "no token that is accepted"
    return ServiceError(401, "unauthorized", f"The call carries {told}.", "login")
