"""Whether the FHIR server of a call may be asked, and with what (rows F1, F2, F7, F10).

What the caller may have read is said by `Grant`: the base addresses of its entry in clients.json,
or, where calls are not authenticated, servers on this machine only. The scopes of a token are not
weighed: what they do not cover the server refuses, and that is said as any other refusal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cds_service.gather.urls import Base, UrlRefused, listed, parse_base
from cds_service.protocol.addresses import may_connect
from cds_service.protocol.model import HookRequest

REFUSALS = {
    "no-token": "fhirAuthorization was not sent",
    "token-unusable": "the access token has characters that a bearer token cannot have",
    "token-expired": "the access token is no longer valid",
    "other-patient": "the access token is for another patient than context.patientId",
    "server-not-listed": "fhirServer is none of the addresses listed for this client",
    "server-not-local": "without authentication only a FHIR server on this machine is read",
    "not-https": "fhirServer is not https",
}

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:|-]{1,16000}")  # RFC 6750, and what some EHRs add to it


@dataclass(frozen=True, slots=True)
class Grant:
    """Which servers may be read. `servers` None: those on this machine, without a list.

    `networks` are address ranges that are not public and yet allowed.
    """

    servers: Sequence[str] | None = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Leave to read one server for one call."""

    base: Base
    token: str = field(repr=False)
    seconds: float  # for which the token lives
    networks: tuple[str, ...] = ()

    def permits(self, address: str) -> bool:
        """Whether an address of the server's name may be connected to.

        One that is not public must be listed: as a network, as the number in the base address, or
        as the name `localhost`.
        """
        if self.base.literal:
            return address == self.base.literal
        if self.base.host == "localhost":
            return may_connect(address, ("127.0.0.0/8", "::1/128"))
        return may_connect(address, self.networks)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is read: a key of REFUSALS, or "" where nothing was offered."""

    reason: str

    @property
    def words(self) -> str:
        """The reason as a clause; "" where the call offered no FHIR server."""
        return REFUSALS.get(self.reason, "")


def decide(request: HookRequest, grant: Grant) -> Access | Refusal:
    """Whether the server that the request names may be read with the token that it brings."""
    if not request.fhir_server:
        return Refusal("")
    authorization = request.fhir_authorization
    if authorization is None:
        return Refusal("no-token")
    base = _base(request.fhir_server, grant)
    if base is None:
        return Refusal("server-not-local" if grant.servers is None else "server-not-listed")
    if base.scheme != "https" and not base.loopback:
        return Refusal("not-https")
    if authorization.patient and authorization.patient != request.patient_id:
        return Refusal("other-patient")
    if authorization.expires_in <= 0:
        return Refusal("token-expired")
    if not _TOKEN.fullmatch(authorization.access_token):
        return Refusal("token-unusable")
    return Access(base, authorization.access_token, authorization.expires_in, grant.networks)


def _base(text: str, grant: Grant) -> Base | None:
    if grant.servers is not None:
        return listed(text, grant.servers)
    try:
        base = parse_base(text)
    except UrlRefused:
        return None
    return base if base.loopback else None
