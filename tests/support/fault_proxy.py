"""A reverse proxy in front of a FHIR server that misbehaves as it is told.

What it says without a rule is what the server behind it says. `seen` has every request that came
in. Faults that wait do so until the other side hangs up or the proxy is closed.
"""

import gzip
import json
import re
import select
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds, far beyond every deadline of the service
Json = Any


@dataclass(frozen=True)
class Seen:
    """A request that came in; `target` is relative to the base."""

    target: str
    authorization: str
    headers: dict[str, str]


@dataclass
class Reply:
    """An answer, from the server behind or made up."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Json:
        return json.loads(self.body)


Fault = Callable[["Exchange"], Reply | None]


@dataclass
class Rule:
    pattern: re.Pattern[str]
    fault: Fault
    times: int  # how often it still applies


class Exchange:
    """One request, as a fault sees it."""

    def __init__(
        self, proxy: "FaultProxy", handler: BaseHTTPRequestHandler, target: str, form: str = ""
    ) -> None:
        self.proxy = proxy
        self.handler = handler
        self.target = target
        self.form = form  # of a search by POST

    def forward(self) -> Reply:
        """The answer of the server behind, with its address replaced by the proxy's."""
        target = self.target
        return self.proxy.forward(
            f"{target.removesuffix('/_search')}?{self.form}" if self.form else target
        )

    def send(self, content: bytes) -> None:
        """Bytes as they are."""
        self.handler.wfile.write(content)
        self.handler.wfile.flush()

    def wait(self) -> None:
        """Until the client hangs up or the proxy is closed."""
        self.proxy.waiting.set()
        for _ in range(int(PATIENCE / 0.05)):
            readable, _, _ = select.select([self.handler.connection], [], [], 0.05)
            if readable and not self._peek():
                self.proxy.hung_up.set()
                return
            if self.proxy.closing.is_set():
                return

    def _peek(self) -> bytes:
        try:
            return self.handler.connection.recv(1)
        except OSError:
            return b""


class FaultProxy:
    """See the module. `upstream` is the base address of the real server, without a slash."""

    def __init__(self, upstream: str, token: str, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._token = token
        self._rules: list[Rule] = []
        self.seen: list[Seen] = []
        self.at_once = self.most_at_once = 0
        self._count = Lock()
        self.waiting, self.hung_up, self.closing = Event(), Event(), Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.base = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/fhir"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def rule(self, pattern: str, fault: Fault, times: int = 1_000_000) -> None:
        """Apply a fault to targets that match; later rules go first."""
        self._rules.insert(0, Rule(re.compile(pattern), fault, times))

    def reset(self) -> None:
        """No rules and nothing seen, as after the start."""
        self._rules.clear()
        self.seen.clear()
        self.most_at_once = self.at_once
        self.waiting.clear()
        self.hung_up.clear()

    def targets(self, pattern: str = "") -> list[str]:
        """The targets seen that match."""
        return [one.target for one in self.seen if re.match(pattern, one.target)]

    def forward(self, target: str) -> Reply:
        parts = urlsplit(self._upstream)
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {self._token}"}
            connection.request("GET", f"{parts.path}/{target}".replace("/?", "?"), headers=headers)
            answer = connection.getresponse()
            body = answer.read().replace(self._upstream.encode(), self.base.encode())
            return Reply(answer.status, body, {"Content-Type": "application/fhir+json"})
        finally:
            connection.close()

    def answer(self, exchange: Exchange) -> Reply | None:
        with self._count:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._answer(exchange)
        finally:
            with self._count:
                self.at_once -= 1

    def _answer(self, exchange: Exchange) -> Reply | None:
        for rule in self._rules:
            if rule.times > 0 and rule.pattern.match(exchange.target):
                rule.times -= 1
                return rule.fault(exchange)
        return exchange.forward()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._answer(self.rfile.read(length).decode())

        def do_GET(self) -> None:
            self._answer()

        def _answer(self, form: str = "") -> None:
            target = self.path.removeprefix("/fhir").lstrip("/")
            headers = {name.lower(): value for name, value in self.headers.items()}
            proxy.seen.append(Seen(target, headers.get("authorization", ""), headers))
            exchange = Exchange(proxy, self, target, form)
            try:
                reply = proxy.answer(exchange)
                if reply is None:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                exchange.send(reply.body)
                if reply.headers.get("Content-Length", str(len(reply.body))) != str(
                    len(reply.body)
                ):
                    self.close_connection = True
            except OSError:
                self.close_connection = True  # the client hung up

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def proxied(upstream: str, token: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A proxy for as long as the context lasts."""
    proxy = FaultProxy(upstream, token, tls)
    try:
        yield proxy
    finally:
        proxy.close()


# Faults. Each is a function of the exchange; None means that it has sent what there is.


def status(code: int, **headers: str) -> Fault:
    """Only a status, with an OperationOutcome; underscores in header names are hyphens."""
    issue = {"severity": "error", "code": "exception"}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _exchange: Reply(code, body, named)


def says(body: Json, code: int = 200, **headers: str) -> Fault:
    """A made-up body: JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _exchange: Reply(code, content, named)


def html(_exchange: Exchange) -> Reply:
    return Reply(200, b"<html><body>Sign in</body></html>", {"Content-Type": "text/html"})


def iis(exchange: Exchange) -> Reply:
    """The request filter of IIS as it is installed: 404 with a page of its own, as for an address
    that there is not, to a query of more than 2,048 bytes or an address of more than 4,096."""
    query = exchange.target.partition("?")[2]
    if len(query) > 2_048 or len(exchange.target) > 4_096:
        page = b"<!DOCTYPE html><title>404.15 - Not Found</title>"
        return Reply(404, page, {"Content-Type": "text/html"})
    return exchange.forward()


def truncated(exchange: Exchange) -> Reply:
    """Half of the body under the length of the whole."""
    reply = exchange.forward()
    return Reply(200, reply.body[: len(reply.body) // 2], {"Content-Length": str(len(reply.body))})


def chunks_that_break_off(exchange: Exchange) -> None:
    """A chunk of the body, the length of a second one, and no more."""
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n5000\r\n")


def half_of_the_json(exchange: Exchange) -> Reply:
    """Half of the body as if it were all."""
    body = exchange.forward().body
    return Reply(200, body[: len(body) // 2])


def zipped(exchange: Exchange) -> Reply:
    reply = exchange.forward()
    return Reply(reply.status, gzip.compress(reply.body), {"Content-Encoding": "gzip"})


_BOMB = gzip.compress(b'{"resourceType":"Bundle","x":"' + b" " * 11_000_000 + b'"}', 1)


def bomb(_exchange: Exchange) -> Reply:
    """A small body that unpacks to 11 MB."""
    return Reply(200, _BOMB, {"Content-Encoding": "gzip"})


def hangs(exchange: Exchange) -> None:
    """Takes the request and says nothing."""
    exchange.wait()


def hangs_in_the_body(exchange: Exchange) -> None:
    """Sends the head and the beginning of the body, then nothing."""
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"resourceType"')
    exchange.wait()


def drips(exchange: Exchange) -> None:
    """Sends a byte now and then, so that no single wait is long."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    exchange.proxy.waiting.set()
    for _ in range(int(PATIENCE / 0.05)):
        if exchange.proxy.closing.wait(0.05):
            return
        try:
            exchange.send(b"x")
        except OSError:
            exchange.proxy.hung_up.set()
            raise


def closes(_exchange: Exchange) -> None:
    """Closes the connection without an answer."""


def changed(change: Callable[[Json], Json]) -> Fault:
    """The real answer with its JSON changed."""

    def fault(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        if reply.status == 200:
            reply.body = json.dumps(change(reply.json)).encode()
        return reply

    return fault


def next_is(url: str) -> Fault:
    """The real answer with another link to the next page."""

    def change(bundle: Json) -> Json:
        links = [link for link in bundle.get("link", []) if link["relation"] != "next"]
        return bundle | {"link": [*links, {"relation": "next", "url": url}]}

    return changed(change)


def endless_pages(exchange: Exchange) -> Reply:
    """Every page has one more after it."""
    number = re.search(r"page=(\d+)", exchange.target)
    page = int(number[1]) + 1 if number else 2
    link = {"relation": "next", "url": f"{exchange.proxy.base}/Observation?page={page}"}
    return Reply(200, json.dumps({"resourceType": "Bundle", "link": [link]}).encode())
