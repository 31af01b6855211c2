"""The service behind a real nginx with TLS, with the configuration of deploy/ (make proxy)."""

import http.client
import json
import ssl
from collections.abc import Iterator

import pytest

from tests.support import fixtures
from tests.support.nginx import Site, in_front_of
from tests.support.server import free_port, launched
from tests.support.wire import PATIENCE, metric, until

pytestmark = pytest.mark.proxy

PUBLIC = "https://cds.example.org/leg-cramps"
ORDER = "/leg-cramps/cds-services/leg-cramps-order-select"
QUININE = json.dumps(fixtures.request("order-select/quinine")).encode()
MARK = "sekret"
SLOW_CLIENTS = 8


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    environ = {"CDS_PUBLIC_URL": PUBLIC, "CDS_MAX_IN_FLIGHT": "4"}
    with (
        launched(folder, "--workers", "1", "--threads", "2", **environ) as service,
        in_front_of(service, folder, free_port()) as found,
    ):
        yield found


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
