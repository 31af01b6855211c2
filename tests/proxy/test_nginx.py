"""The service behind a real nginx with TLS, with the configuration of deploy/ (make proxy)."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import fixtures
from tests.support.server import Launched, free_port, launched
from tests.support.wire import PATIENCE, metric, until

pytestmark = pytest.mark.proxy

CONFIGURATION = Path("deploy/nginx.conf")
PUBLIC = "https://cds.example.org/leg-cramps"
ORDER = "/leg-cramps/cds-services/leg-cramps-order-select"
QUININE = json.dumps(fixtures.request("order-select/quinine")).encode()
MARK = "sekret"
SLOW_CLIENTS = 8


@dataclass(frozen=True)
class Site:
    """nginx and the service behind it."""

    port: int
    folder: Path
    service: Launched

    def tls(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """What a client uses; with `version`, that one alone, however weak."""
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
        return context

    def connect(self, source: str = "127.0.0.1", **tls: Any) -> http.client.HTTPSConnection:
        """A connection to nginx; the certificate's name is checked."""
        connection = http.client.HTTPSConnection(
            "localhost",
            self.port,
            timeout=PATIENCE,
            context=self.tls(**tls),
            source_address=(source, 0),
        )
        return connection

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        source: str = "127.0.0.1",
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        connection = self.connect(source)
        sent = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            content = response.read()
            told = dict(response.getheaders())
            is_json = told.get("Content-Type") == "application/json"
            return response.status, told, json.loads(content) if is_json else content
        finally:
            connection.close()


def certificate(folder: Path) -> None:
    """A key and a certificate for localhost that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def configure(folder: Path, port: int, service: int) -> Path:
    """The shipped configuration with this test's paths and ports, inside an nginx of its own."""
    site = CONFIGURATION.read_text("utf-8")
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:5005": f"127.0.0.1:{service}",
        "/etc/ssl/certs/cds.example.org.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/cds.example.org.key": f"{folder}/key.pem",
        "/var/log/nginx/": f"{folder}/",
        "server_name cds.example.org": "server_name localhost",
    }.items():
        assert old in site
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log crit;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}include {folder}/site.conf;\n}}\n"
    )
    return main


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    folder = tmp_path_factory.mktemp("nginx")
    certificate(folder)
    environ = {"CDS_PUBLIC_URL": PUBLIC, "CDS_MAX_IN_FLIGHT": "4"}
    with launched(folder, "--workers", "1", "--threads", "2", **environ) as service:
        port = free_port()
        main = configure(folder, port, service.port)
        command = [program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(main)]
        nginx = subprocess.Popen(command)
        found = Site(port, folder, service)
        try:
            wait(found, nginx)
            yield found
        finally:
            nginx.terminate()
            nginx.wait(PATIENCE)


def wait(site: Site, nginx: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert nginx.poll() is None, "nginx stopped"
        try:
            if site.call("GET", "/leg-cramps/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nginx did not answer in time")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls(site: Site, version: ssl.TLSVersion) -> None:
    connection = site.connect(version=version)
    connection.request("GET", "/leg-cramps/healthz")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(site: Site, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError):
        site.connect(version=version).connect()


@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/", ORDER.replace("/cds", "//cds", 1)])
def test_a_call_under_the_prefix(site: Site, path: str) -> None:
    status, _, answer = site.call("POST", path, QUININE)
    assert status == 200
    assert answer["cards"][0]["source"]["url"].startswith(f"{PUBLIC}/sources/")


def test_discovery_and_what_is_outside_the_prefix(site: Site) -> None:
    assert site.call("GET", "/leg-cramps/cds-services")[0] == 200
    status, _, answer = site.call("GET", "/cds-services")
    assert (status, answer["resourceType"]) == (404, "OperationOutcome")


def test_forwarded_headers_change_nothing(site: Site) -> None:
    hostile = {
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "gopher",
        "X_Forwarded_Prefix": "/evil",
        "X_Forwarded_For": "203.0.113.9",
        "X_Script_Name": "/evil",
        "Forwarded": "host=evil.example;proto=gopher",
    }
    assert site.call("GET", "/leg-cramps/openapi.json", **hostile)[2]["servers"] == [
        {"url": PUBLIC}
    ]
    status, _, answer = site.call("POST", ORDER, QUININE, **hostile)
    assert status == 200
    assert "evil" not in json.dumps(answer)


@pytest.mark.parametrize("header", ["SCRIPT_NAME", "PATH_INFO", "X-Forwarded-Proto", "Forwarded"])
def test_nor_do_they_without_nginx(site: Site, header: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.service.port, timeout=PATIENCE)
    connection.request("GET", "/openapi.json", headers={header: "/evil"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status in (200, 400)
    assert b"evil" not in content


@pytest.mark.parametrize(("size", "coded"), [(10_200_000, True), (11_000_000, False)])
def test_a_body_that_is_too_large(site: Site, size: int, coded: bool) -> None:
    """The service's own answer has a code; nginx answers what it does not even pass on."""
    status, _, answer = site.call("POST", ORDER, b" " * size)
    assert (status, answer["resourceType"]) == (413, "OperationOutcome")
    assert ("details" in answer["issue"][0]) is coded


def test_slow_clients_wait_in_nginx(site: Site) -> None:
    slow = [site.connect() for _ in range(SLOW_CLIENTS)]
    for connection in slow:
        connection.putrequest("POST", ORDER)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(QUININE)))
        connection.endheaders(QUININE[:10])
    assert site.call("POST", ORDER, QUININE)[0] == 200
    until(lambda: metric(site.service.port, "cds_requests_in_flight") == 1)  # that of /metrics
    for connection in slow:
        connection.send(QUININE[10:])
        assert connection.getresponse().status in (200, 503)
        connection.close()


def test_metrics_are_for_the_monitoring_alone(site: Site) -> None:
    for path in ("metrics", "readyz", "/metrics", "metrics/"):
        assert site.call("GET", f"/leg-cramps/{path}")[0] == 200
        assert site.call("GET", f"/leg-cramps/{path}", source="127.0.0.2")[0] == 403


def test_when_the_service_is_gone_and_what_was_logged(site: Site) -> None:
    site.call("POST", f"{ORDER}?patient={MARK}", QUININE)
    site.call("GET", f"/leg-cramps/{MARK}?{MARK}")
    site.service.process.terminate()
    site.service.process.wait(PATIENCE)
    status, headers, answer = site.call("POST", f"{ORDER}?{MARK}", QUININE)
    assert (status, answer["resourceType"]) == (503, "OperationOutcome")
    assert int(headers["Retry-After"]) > 0
    until(lambda: "POST 503" in logged(site))  # nginx writes the line after the answer
    assert MARK not in logged(site)


def logged(site: Site) -> str:
    """Both of nginx's logs."""
    return "".join((site.folder / name).read_text() for name in ("cds.log", "cds-error.log"))
