"""Key sets over TLS: the certificate must be the host's and vouched for; ports are kept."""

import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from cryptography import x509

from cds_service.callers.key_sets import fetch
from cds_service.protocol import connections
from tests.support.certificates import certificate
from tests.support.tokens import public

LOOPBACK = ("127.0.0.0/8",)
NAME = "keys.example.org"
BODY = json.dumps(public("ec-384")).encode()
Serve = Callable[[Path], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a key server with the certificate of a file; gives its port. Notes the Host asked."""
    servers: list[ThreadingHTTPServer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = BODY if self.headers["Host"].endswith(f":{self.server.server_port}") else b"{}"  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None: ...

    def start(path: Path) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every name is this machine's; the names and ports that were looked up."""
    asked: list[Any] = []

    def look_up(host: str, port: int, *_: Any, **_named: Any) -> list[Any]:
        asked.append((host, port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(connections, "getaddrinfo", look_up)
    connections.tls.cache_clear()
    return asked


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """A certificate for these names that is among the trusted ones."""

    def make(*names: str) -> Path:
        path = certificate(tmp_path, *map(x509.DNSName, names))
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        return path

    return make


def test_a_trusted_certificate_and_a_port_of_its_own(
    serve: Serve, trusted: Callable[..., Path], resolved: list[Any]
) -> None:
    port = serve(trusted(NAME))
    assert fetch(f"https://{NAME}:{port}/jwks", LOOPBACK) == BODY
    assert resolved == [(NAME, port)]


def test_a_certificate_for_another_name(serve: Serve, trusted: Callable[..., Path]) -> None:
    port = serve(trusted("other.example.org"))
    with pytest.raises(urllib3.exceptions.SSLError, match="match"):
        fetch(f"https://{NAME}:{port}/jwks", LOOPBACK)


def test_a_certificate_for_the_address_alone_is_not_the_names(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(urllib3.exceptions.SSLError, match="match"):
        fetch(f"https://{NAME}:{serve(path)}/jwks", LOOPBACK)


def test_a_certificate_that_nobody_vouches_for(serve: Serve, tmp_path: Path) -> None:
    port = serve(certificate(tmp_path, x509.DNSName(NAME)))
    with pytest.raises(urllib3.exceptions.SSLError, match="self-signed|self signed"):
        fetch(f"https://{NAME}:{port}/jwks", LOOPBACK)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        (f"https://{NAME}/jwks", 443),
        (f"http://{NAME}/jwks", 80),
        (f"https://{NAME}:8443/jwks", 8443),
        (f"http://{NAME}:8080/jwks", 8080),
    ],
)
def test_the_port_of_the_scheme_or_the_listed_one(url: str, port: int, resolved: list[Any]) -> None:
    with pytest.raises(OSError, match="an address"):
        fetch(url, ())  # nothing inside is allowed, so nothing is connected to
    assert resolved == [(NAME, port)]
