"""Keys of EHRs: fetched with care, kept, renewed, and used on when the key server is down.

The key server is a real one on the loopback; time is a number that the test sets.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cds_service.callers import key_sets
from cds_service.callers.key_sets import FRESH, PAUSE, STALE, KeySets, fetch
from cds_service.callers.model import Client
from cds_service.protocol import connections
from cds_service.protocol.addresses import may_connect
from tests.support.rows import row
from tests.support.tokens import (
    PRIVATE,
    Secured,
    claims,
    client_entry,
    header,
    public,
    signed,
    token,
    write_clients,
)

LOOPBACK = ("127.0.0.0/8",)


class KeyServer:
    """Answers every GET with `body`, or as `status` and `headers` say; counts what it is asked."""

    def __init__(self) -> None:
        self.body: bytes = json.dumps(public("ec-384")).encode()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys.asked.append(self.path)
                self.send_response(keys.status)
                for name, value in keys.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(keys.body)))
                self.end_headers()
                self.wfile.write(keys.body)

            def log_message(self, *_args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def publish(self, *kids: str) -> None:
        self.body = json.dumps(public(*kids)).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    running = KeyServer()
    yield running
    running.stop()


class Time:
    """Seconds, as the test wants them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sets(time: Time) -> KeySets:
    return KeySets(monotonic=time, start=lambda work: work())


@pytest.fixture
def client(server: KeyServer) -> Client:
    return Client("general", "https://ehr.example.org", jku=(server.url,), networks=LOOPBACK)


def has_key(sets: KeySets, client: Client, kid: str = "ec-384", jku: str = "") -> bool:
    return sets.find(client, jku, kid) is not None


@row("P15")
def test_a_set_is_fetched_once_and_kept(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    assert has_key(sets, client) and has_key(sets, client, jku=server.url)
    time.now += FRESH
    assert has_key(sets, client)
    assert server.asked == ["/jwks"]
    time.now += 1
    assert has_key(sets, client)
    assert len(server.asked) == 2


@row("P2", "P16")
def test_rotation_without_a_restart(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    assert has_key(sets, client)
    server.publish("ec-384", "ec-384-next")
    assert has_key(sets, client, "ec-384-next")
    server.publish("ec-384-next")
    assert has_key(sets, client)  # not asked again: it is still fresh
    time.now += FRESH + 1
    assert not has_key(sets, client)


@row("P2")
def test_unknown_kids_cost_one_fetch_a_minute(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    assert has_key(sets, client)
    for number in range(20):
        assert not has_key(sets, client, f"unknown-{number}")
    assert len(server.asked) == 2
    time.now += PAUSE
    assert not has_key(sets, client, "unknown")
    assert not has_key(sets, client, "unknown")
    assert len(server.asked) == 3


def test_an_unknown_kid_on_an_empty_shelf_costs_one_fetch(
    sets: KeySets, client: Client, server: KeyServer
) -> None:
    assert not has_key(sets, client, "unknown")
    assert len(server.asked) == 1


def test_keys_are_used_on_for_a_day_when_the_server_is_down(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    assert has_key(sets, client)
    server.status = 503
    time.now += FRESH + 1
    assert has_key(sets, client)
    assert has_key(sets, client)
    assert len(server.asked) == 2  # not at every call
    assert sets.health() == {"held": 1, "failing": 1}
    time.now += STALE - FRESH - 1
    assert has_key(sets, client)
    time.now += 1
    assert not has_key(sets, client)
    server.status = 200
    time.now += PAUSE
    assert has_key(sets, client)
    assert sets.health() == {"held": 1, "failing": 0}


def test_no_caller_waits_for_a_server_that_is_down(client: Client, time: Time) -> None:
    waiting: list[Callable[[], None]] = []
    answers = [json.dumps(public("ec-384")).encode()]

    def once(_url: str, _networks: tuple[str, ...]) -> bytes:
        if not answers:
            raise TimeoutError
        return answers.pop()

    sets = KeySets(once, time, waiting.append)
    assert has_key(sets, client)
    time.now += FRESH + 1
    assert has_key(sets, client) and not waiting  # the first to meet the failure waits for it
    time.now += PAUSE
    assert has_key(sets, client) and len(waiting) == 1  # the others do not
    answers.append(json.dumps(public("ec-384-next")).encode())
    waiting[0]()
    assert has_key(sets, client, "ec-384-next") and not has_key(sets, client)


def test_without_any_keys_it_is_tried_again_soon(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    server.status = 500
    assert not has_key(sets, client)
    assert not has_key(sets, client)
    assert len(server.asked) == 1
    server.status = 200
    time.now += 10
    assert has_key(sets, client)


@row("P3")
def test_a_set_with_a_kid_twice_is_refused(
    sets: KeySets, client: Client, server: KeyServer, time: Time
) -> None:
    assert has_key(sets, client)
    twice = {
        "keys": public("ec-384")["keys"] + [{**public("ec-384-next")["keys"][0], "kid": "ec-384"}]
    }
    server.body = json.dumps(twice).encode()
    time.now += FRESH + 1
    assert has_key(sets, client)
    assert sets.health()["failing"] == 1
    assert not has_key(KeySets(), client)


def key(source: str = "ec-384", /, **changes: Any) -> dict[str, Any]:
    changed = {**public(source)["keys"][0], "kid": "it", **changes}
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "it", "alg": "HS384"},
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "it",
        },
        {**PRIVATE["ec-384"], "kid": "it"},
        {**PRIVATE["rsa+2048/epic=="], "kid": "it"},
        key("rsa-1024"),
        key("rsa+2048/epic==", e="Aw"),
        key("rsa+2048/epic==", n="A" * 3000),
        key(crv="secp256k1"),
        key(crv="P-256"),
        key(crv=["P-384"]),
        key(alg="ES256"),
        key(alg="RS384"),
        key(alg="none"),
        key(alg=["ES384"]),
        key(use="enc"),
        key(key_ops=["sign"]),
        key(key_ops="verify"),
        key(x=key()["y"], y=key()["x"]),
        key(x=None),
        key(x=7),
        key("rsa+2048/epic==", n=None),
        key(kid=""),
        key(kid=None),
        key(kid=7),
        "key",
        None,
    ],
    ids=lambda entry: "",
)
def test_keys_that_are_not_for_signatures_or_too_weak_are_left_out(
    client: Client, server: KeyServer, entry: Any
) -> None:
    server.body = json.dumps({"keys": [entry, *public("ec-384")["keys"]]}).encode()
    sets = KeySets()
    assert not has_key(sets, client, "it")
    assert has_key(sets, client, "ec-384")


def test_a_key_that_names_no_algorithm_may_use_those_of_its_kind(
    client: Client, server: KeyServer
) -> None:
    server.body = json.dumps({"keys": [key(alg=None, use=None)]}).encode()
    found_key = KeySets().find(client, "", "it")
    assert found_key and found_key.algorithms == {"ES384"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"<html>", b"[]", b"null", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1]}',
        b'{"keys":' + b"[" * 5000, b"\xff\xfe", json.dumps({"keys": [key()] * 101}).encode(),
        b'{"x":"' + b"a" * 300_000 + b'", "keys": []}',
    ],
)  # fmt: skip
def test_what_is_no_set_is_refused(client: Client, server: KeyServer, body: bytes) -> None:
    server.body = body
    sets = KeySets()
    assert not has_key(sets, client)
    assert sets.health() == {"held": 0, "failing": 1}


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 401, 404, 500])
def test_redirects_and_other_answers_are_not_followed(
    client: Client, server: KeyServer, status: int
) -> None:
    server.status = status
    server.headers = {"Location": server.url.replace("/jwks", "/elsewhere")}
    assert not has_key(KeySets(), client)
    assert server.asked == ["/jwks"]


def test_an_answer_that_is_too_large_or_too_slow_is_cut_off(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.body = b" " * (key_sets.MOST_BYTES + 1)
    with pytest.raises(ValueError, match="too large"):
        fetch(server.url, LOOPBACK)
    server.body = b" " * key_sets.MOST_BYTES
    assert len(fetch(server.url, LOOPBACK)) == key_sets.MOST_BYTES
    monkeypatch.setattr(key_sets, "DEADLINE", -1.0)
    with pytest.raises(ValueError, match="too slow"):
        fetch(server.url, LOOPBACK)


def test_compression_is_not_asked_for_and_not_unpacked(server: KeyServer) -> None:
    server.headers = {"Content-Encoding": "gzip"}
    assert fetch(server.url, LOOPBACK) == server.body


def test_the_environments_proxy_is_not_used(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert fetch(server.url, LOOPBACK) == server.body


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"],
)
def test_inner_addresses_are_not_connected_to(server: KeyServer, host: str) -> None:
    with pytest.raises(OSError):
        fetch(server.url.replace("127.0.0.1", host), ())
    assert server.asked == []


def test_a_name_that_points_inside_is_refused_after_it_is_resolved(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    answers = iter(["127.0.0.1", "127.0.0.1"])

    def resolve(_host: str, *_more: Any, **_named: Any) -> list[Any]:
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(connections, "getaddrinfo", resolve)
    with pytest.raises(OSError):
        fetch(f"http://keys.example.org:{port}/jwks", ())
    assert server.asked == []
    # Once resolved, the address is kept: a second answer of the name server changes nothing.
    assert fetch(f"http://keys.example.org:{port}/jwks", LOOPBACK) == server.body
    assert next(answers, "asked once each time") == "asked once each time"


@pytest.mark.parametrize("inner", ["10.1.2.3", "169.254.169.254", "::1", "100.64.0.1"])
def test_a_name_with_one_inner_address_is_refused(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    """As for FHIR servers: one policy for both."""
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    addresses = [(2, 1, 6, "", ("127.0.0.1", port)), (2, 1, 6, "", (inner, port))]
    monkeypatch.setattr(connections, "getaddrinfo", lambda *_, **__: addresses)
    with pytest.raises(connections.AddressRefused):
        fetch(f"http://keys.example.org:{port}/jwks", ("127.0.0.0/8",))
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),
    ],
)
def test_public_addresses_only(address: str, allowed: bool) -> None:
    assert may_connect(address) is allowed


def test_ranges_that_are_listed_are_allowed() -> None:
    assert may_connect("10.1.2.3", ("10.1.0.0/16", "fd00::/8"))
    assert may_connect("::ffff:10.1.2.3", ("10.1.0.0/16",))
    assert not may_connect("10.2.2.3", ("10.1.0.0/16", "fd00::/8"))


@row("P5", "P15")
def test_a_whole_call_with_a_key_server(tmp_path: Path, server: KeyServer) -> None:
    other = KeyServer()
    keys = {"jku": [server.url, f"{server.url}/second"]}
    write_clients(tmp_path, client_entry(keys=keys, networks=list(LOOPBACK)))
    public_url = "http://localhost:5005"
    review = f"{public_url}/cds-services/review"
    service = Secured(tmp_path, public_url=public_url)
    try:
        refused = service.call(token(head={"jku": other.url}, aud=review))
        assert (refused.status_code, server.asked, other.asked) == (401, [], [])
        assert service.call(token(head={"jku": server.url}, aud=review)).status_code == 200
        server.publish("ec-384-next")
        assert service.call(token("ec-384-next", aud=review)).status_code == 200
    finally:
        other.stop()
    assert service.web.get("/readyz").json["keys"] == {"held": 1, "failing": 0}


def test_a_set_at_one_address_does_not_answer_for_another(server: KeyServer, sets: KeySets) -> None:
    second = f"{server.url}/second"
    client = Client("general", "iss", jku=(server.url, second), networks=LOOPBACK)
    assert has_key(sets, client, jku=second)
    assert server.asked == ["/jwks/second"]


def test_the_signature_is_checked_with_the_key_found(tmp_path: Path, server: KeyServer) -> None:
    write_clients(tmp_path, client_entry(keys={"jku": [server.url]}, networks=list(LOOPBACK)))
    service = Secured(tmp_path, public_url="http://localhost:5005")
    body = claims(aud="http://localhost:5005/cds-services/review")
    assert service.call(signed(header(), body, "ec-384-next")).status_code == 401
    assert service.call(signed(header(), body, "ec-384")).status_code == 200
