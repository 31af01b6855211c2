"""A real nginx with TLS before a service, with the configuration of deploy/."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.support.certificates import certificate
from tests.support.server import Launched
from tests.support.wire import PATIENCE

CONFIGURATION = Path("deploy/nginx.conf")


@dataclass(frozen=True)
class Site:
    """nginx and the service behind it."""

    port: int
    folder: Path
    service: Launched

    def tls(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """What a client uses; with `version`, that one alone, however weak."""
        context = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
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


def configure(folder: Path, port: int, service: int) -> Path:
    """The shipped configuration with this test's paths and ports, inside an nginx of its own."""
    site = CONFIGURATION.read_text("utf-8")
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:5005": f"127.0.0.1:{service}",
        "/etc/ssl/certs/cds.example.org.pem": f"{folder}/certificate.pem",
        "/etc/ssl/private/cds.example.org.key": f"{folder}/certificate.pem",
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


@contextmanager
def in_front_of(service: Launched, folder: Path, port: int) -> Iterator[Site]:
    """An nginx that listens on `port` and answers for the service."""
    certificate(folder, x509.DNSName("localhost"))
    main = configure(folder, port, service.port)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(main)]
    nginx = subprocess.Popen(command)
    site = Site(port, folder, service)
    try:
        wait(site, nginx)
        yield site
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
