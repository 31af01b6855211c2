"""The one module of `gather` that opens sockets: reads from one FHIR server, under watch.

urllib3 without requests on top: the address is parsed once (`urls`), and neither a proxy nor a
password file of the environment can come between. A name is resolved here, its addresses are
checked, and the connection goes to the address that was checked. The caller of a `Lane` may end
what it does at any moment from another thread; the token is sent only on a checked connection.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from cds_service import clock
from cds_service.gather.limits import Limits
from cds_service.gather.trouble import Trouble
from cds_service.gather.urls import Base
from cds_service.protocol import connections
from cds_service.protocol.connections import Permits

_CHUNK = 65_536
_NOT_LAST_ADDRESS = 0.5  # seconds for an address while there is another one to try
_HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "gzip",
    "User-Agent": "leg-cramps-cds",
}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ENCODINGS = ("", "identity", "gzip")


class ReadFailed(Exception):
    """A read that came to nothing. Carries no address, no token and nothing of the answer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server, whatever its status. `retry_after` is as sent."""

    status: int
    body: bytes
    retry_after: str = ""


class Allowance:
    """The bytes that a call may still read, over all of its lanes."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = Lock()

    def take(self, count: int) -> None:
        """Raises ReadFailed when there are fewer left."""
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise ReadFailed(Trouble.TOO_LARGE)


class Lane:
    """One connection to one server, used by one thread at a time and closed by another.

    `deadline` is a moment of `clock.monotonic`; nothing is begun after it. `permits` says of an
    address whether it may be connected to.
    """

    def __init__(
        self, base: Base, permits: Permits, allowance: Allowance, limits: Limits, deadline: float
    ) -> None:
        self._base = base
        self._permits = permits
        self._allowance = allowance
        self._limits = limits
        self._deadline = deadline
        self._lock = Lock()
        self._handle: socket.socket | None = None
        self._aborted = self._closed = False
        self._pool = self._make_pool()
        self.until = deadline  # when the present request is late

    def ask(self, target: str, token: str, form: str = "") -> Answer:
        """The answer to one GET, or to a search that is sent as a form. Raises ReadFailed."""
        self._begin()
        try:
            return self._exchange(target, token, form)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ReadFailed(self._late() or _trouble(error)) from None
        except ReadFailed as failure:
            raise ReadFailed(self._late() or failure.trouble) from None

    def abort(self) -> None:
        """End the request under way. The lane can be used again."""
        with self._lock:
            self._aborted = True
            self._hang_up()

    def close(self) -> None:
        """End the request under way and begin no other."""
        with self._lock:
            self._closed = True
            self._hang_up()
        self._pool.close()

    def _begin(self) -> None:
        now = clock.monotonic()
        with self._lock:
            self._aborted = False
            self.until = min(now + self._limits.request, self._deadline)
        self._left()

    def _exchange(self, target: str, token: str, form: str) -> Answer:
        response = self._pool.urlopen(
            "POST" if form else "GET",
            target,
            body=form.encode() if form else None,
            headers={**_HEADERS, **(_FORM if form else {}), "Authorization": f"Bearer {token}"},
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=self._left(), read=self._left()),
            preload_content=False,
        )
        try:
            answer = self._read(response)
        finally:
            response.release_conn()
        if self._aborted or self._closed:  # a cut connection can look like a short answer
            raise ReadFailed(Trouble.TIMEOUT)
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse) -> Answer:
        if response.headers.get("Content-Encoding", "").lower() not in _ENCODINGS:
            response.close()
            raise ReadFailed(Trouble.NOT_FHIR)
        parts: list[bytes] = []
        try:
            for part in response.stream(_CHUNK, decode_content=True):
                self._allowance.take(len(part))
                parts.append(part)
                self._left()
        except ReadFailed:
            response.close()
            raise
        except urllib3.exceptions.ProtocolError:
            raise ReadFailed(Trouble.TRUNCATED) from None
        return Answer(response.status, b"".join(parts), response.headers.get("Retry-After", ""))

    def _left(self) -> float:
        """Seconds left for the present request. Raises ReadFailed when there are none."""
        left = self.until - clock.monotonic()
        if self._aborted or self._closed or left <= 0:
            raise ReadFailed(Trouble.TIMEOUT)
        return left

    def _late(self) -> Trouble | None:
        ended = self._aborted or self._closed or clock.monotonic() >= self.until
        return Trouble.TIMEOUT if ended else None

    def _make_pool(self) -> urllib3.HTTPConnectionPool:
        base, dial = self._base, self._dial
        if base.scheme == "http":
            return _pinned(urllib3.HTTPConnectionPool(base.host, base.port), HTTPConnection, dial)
        secure = urllib3.HTTPSConnectionPool(base.host, base.port, ssl_context=connections.tls())
        return _pinned(secure, HTTPSConnection, dial)

    def _dial(self) -> socket.socket:
        """A connection to an address of the server that may be connected to."""
        addresses = self._addresses()
        failure: OSError | None = None
        for number, address in enumerate(addresses, 1):
            left = self._left()
            patience = left if number == len(addresses) else min(left, _NOT_LAST_ADDRESS)
            try:
                return self._watched(socket.create_connection((address, self._base.port), patience))
            except OSError as error:
                failure = error
        late = isinstance(failure, TimeoutError)
        raise ReadFailed(Trouble.TIMEOUT if late else Trouble.UNREACHABLE)

    def _addresses(self) -> list[str]:
        """All addresses of the host. Raises ReadFailed."""
        try:
            return connections.addresses(self._base.host, self._base.port, self._permits)
        except connections.AddressRefused:
            raise ReadFailed(Trouble.ADDRESS) from None
        except OSError:
            raise ReadFailed(Trouble.UNREACHABLE) from None

    def _watched(self, connection: socket.socket) -> socket.socket:
        """Keep a second handle: it ends the connection also when TLS has taken over the first."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(self._left())
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = connection.dup()
            if self._aborted or self._closed:
                self._hang_up()
        return connection

    def _hang_up(self) -> None:
        if self._handle is None:
            return
        with suppress(OSError):  # the server was first
            self._handle.shutdown(socket.SHUT_RDWR)
        self._handle.close()
        self._handle = None


def _pinned(
    pool: urllib3.HTTPConnectionPool,
    kind: type[HTTPConnection],
    dial: Callable[[], socket.socket],
) -> urllib3.HTTPConnectionPool:
    """The pool, with connections that `dial` opens instead of urllib3."""

    def _new_conn(_self: HTTPConnection) -> socket.socket:
        return dial()

    members: Mapping[str, Any] = {"_new_conn": _new_conn}
    pool.ConnectionCls = type("PinnedConnection", (kind,), dict(members))
    return pool


def _trouble(error: Exception) -> Trouble:
    exceptions = urllib3.exceptions
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return Trouble.TIMEOUT
    if isinstance(error, exceptions.SSLError | ssl.SSLError):
        return Trouble.TLS
    if isinstance(error, exceptions.DecodeError):
        return Trouble.NOT_FHIR
    return Trouble.UNREACHABLE
