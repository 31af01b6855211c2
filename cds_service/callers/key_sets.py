"""JWK Sets from the key servers of EHRs (spec rows P15, P16): fetched with care, kept, used on.

Only addresses that `clients.json` lists come here; what a token says is never fetched. No proxy of
the environment is used, because the address that was checked must be the one that is connected to:
a site that can reach no key server lists the keys themselves.
"""

import json
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3

from cds_service import clock, logs
from cds_service.callers.jwk import KeyRefused, SigningKey, read_set
from cds_service.callers.model import Client
from cds_service.protocol import connections
from cds_service.protocol.addresses import may_connect

TIMEOUT = urllib3.Timeout(connect=2.0, read=2.0)  # seconds
DEADLINE = 4.0  # seconds for a whole fetch
MOST_BYTES = 256_000
MOST_ADDRESSES = 2  # of those a name resolves to
FRESH = 900.0  # seconds for which a set is used without asking again
STALE = 86_400.0  # seconds for which it is used on when the key server is down
PAUSE = 60.0  # seconds between fetches for an unknown kid, and after a failure
FIRST_PAUSE = 10.0  # after a failure, while there is no set at all

Keys = Mapping[str, SigningKey]
Fetch = Callable[[str, tuple[str, ...]], bytes]
Start = Callable[[Callable[[], None]], None]

_FAILURES = (KeyRefused, urllib3.exceptions.HTTPError, OSError, ValueError)


def fetch(url: str, networks: tuple[str, ...]) -> bytes:
    """The body at `url`. `networks` are ranges that are not public and yet allowed.

    Raises OSError, ValueError or urllib3's HTTPError. No redirect is followed.
    """
    deadline = clock.monotonic() + DEADLINE
    parts = urlsplit(url)
    failure: Exception = OSError("no address that may be connected to")
    for address in _addresses(parts, networks):
        try:
            return _read(parts, address, deadline)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            failure = error
    raise failure


def in_background(work: Callable[[], None]) -> None:
    """Run `work` in a thread that does not keep the process alive."""
    Thread(target=work, name="jwks", daemon=True).start()


class KeySets:
    """The key sets of all clients in this process."""

    def __init__(
        self,
        fetch: Fetch = fetch,
        monotonic: Callable[[], float] = clock.monotonic,
        start: Start = in_background,
    ) -> None:
        self._tools = (fetch, monotonic, start)
        self._sets: dict[tuple[str, str], _KeySet] = {}
        self._lock = Lock()

    def find(self, client: Client, jku: str, kid: str) -> SigningKey | None:
        """The key `kid` of a client, of the set at `jku` or, without one, of any listed set.

        `jku` must be one of the client's.
        """
        if client.keys is not None:
            return client.keys.get(kid)
        for url in (jku,) if jku else client.jku:
            key = self._set(client, url).find(kid)
            if key:
                return key
        return None

    def health(self) -> Mapping[str, int]:
        """How many sets are held, and of how many the last fetch failed."""
        sets = list(self._sets.values())
        return {
            "held": sum(key_set.held for key_set in sets),
            "failing": sum(key_set.failing for key_set in sets),
        }

    def _set(self, client: Client, url: str) -> "_KeySet":
        with self._lock:
            held = self._sets.get((client.issuer, url))
            if held is None or held.client.networks != client.networks:
                held = _KeySet(client, url, *self._tools)
                self._sets[client.issuer, url] = held
            return held


class _KeySet:
    """One JWK Set. Old keys are used on while the server is down, for a day at most."""

    def __init__(
        self, client: Client, url: str, fetch: Fetch, monotonic: Callable[[], float], start: Start
    ) -> None:
        self.client = client
        self.failing = False
        self._url = url
        self._fetch, self._now, self._start = fetch, monotonic, start
        self._keys: Keys = {}
        self._fetched = self._tried = self._asked = float("-inf")
        self._lock = Lock()

    @property
    def held(self) -> bool:
        return self._now() - self._fetched <= STALE

    def find(self, kid: str) -> SigningKey | None:
        due = self._is_due()
        if due:
            self._refresh(self._is_due)
        if not due and kid not in self._keys and self._may_ask():
            self._refresh(self._may_ask, asked=True)
        return self._keys.get(kid) if self.held else None

    def _is_due(self) -> bool:
        pause = 0.0 if not self.failing else PAUSE if self.held else FIRST_PAUSE
        now = self._now()
        return now - self._fetched > FRESH and now - self._tried >= pause

    def _may_ask(self) -> bool:
        """For an unknown kid: the client may have a new key."""
        return self.held and self._now() - self._asked >= PAUSE

    def _refresh(self, due: Callable[[], bool], *, asked: bool = False) -> None:
        """Fetch, unless another thread just did. No caller waits for a server that was down
        the last time, as long as there are keys to go on with."""
        if self.failing and self.held:
            self._start(lambda: self._load(due, asked))
        else:
            self._load(due, asked)

    def _load(self, due: Callable[[], bool], asked: bool) -> None:
        with self._lock:
            if not due():
                return
            self._tried = self._now()
            if asked:
                self._asked = self._tried
            try:
                self._keys = read_set(_json(self._fetch(self._url, self.client.networks)))
            except _FAILURES as error:
                self.failing = True
                reason = str(error) if isinstance(error, KeyRefused) else type(error).__name__
                logs.logger().warning("keys not read", client=self.client.name, reason=reason)
            else:
                self._fetched, self.failing = self._now(), False


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _addresses(parts: SplitResult, networks: tuple[str, ...]) -> list[str]:
    """The addresses that are tried. Raises OSError."""
    addresses = connections.addresses(
        parts.hostname or "", _port(parts), lambda address: may_connect(address, networks)
    )
    return addresses[:MOST_ADDRESSES]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _read(parts: SplitResult, address: str, deadline: float) -> bytes:
    """The body from exactly this address; the certificate must be the host's."""
    with _pool(parts, address) as pool:
        response = pool.urlopen(
            "GET",
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            headers={
                "Host": parts.netloc,
                "Accept": "application/json, application/jwk-set+json",
                "Accept-Encoding": "identity",
            },
            redirect=False,
            retries=False,
            timeout=TIMEOUT,
            preload_content=False,
            decode_content=False,
        )
        try:
            return _body(response, deadline)
        finally:
            response.close()


def _pool(parts: SplitResult, address: str) -> urllib3.HTTPConnectionPool:
    if parts.scheme != "https":
        return urllib3.HTTPConnectionPool(address, _port(parts))
    return urllib3.HTTPSConnectionPool(
        address,
        _port(parts),
        ssl_context=connections.tls(),
        server_hostname=parts.hostname,
        assert_hostname=parts.hostname,
    )


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    if response.status != 200:
        raise ValueError("the status is not 200")
    content = b""
    while chunk := response.read1(MOST_BYTES):
        content += chunk
        if len(content) > MOST_BYTES or clock.monotonic() > deadline:
            raise ValueError("the answer is too large or too slow")
    return content
