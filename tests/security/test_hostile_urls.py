"""Addresses that must reach nothing: fhirServer, next links and references of the FHIR server.

A listener on the loopback counts connections. Every name resolves to it, so that an address that
slips through any check is seen.
"""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from threading import Thread
from typing import Any

import pytest

from cds_service.errors import PreconditionFailed
from cds_service.facts.chart import Chart, Supply
from cds_service.gather.access import Grant
from cds_service.gather.chart import gather
from cds_service.gather.fallback import FhirFallback
from cds_service.protocol import connections
from cds_service.protocol.model import FhirAuthorization, HookRequest
from tests.support.fake_runtime import service
from tests.support.fault_proxy import proxied, says
from tests.support.tokens import Secured, client_entry, token, write_clients

TOKEN = "token-that-must-not-leave"
LISTED = "https://fhir.example.org/r4"
TEMPLATES = {"patient": "Patient/{{context.patientId}}"}


class Listener:
    """Counts connections to a port of the loopback and hangs up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.calls = 0
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """The listener, and a name service that knows only its address."""
    found = Listener()
    real = socket.getaddrinfo

    def to_the_loopback(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        try:
            ip_address(host)
        except ValueError:
            host = "127.0.0.1"
        return real(host, port, *args, **more)

    monkeypatch.setattr(connections, "getaddrinfo", to_the_loopback)
    yield found
    found.close()


def read(
    fhir_server: str, grant: Grant, patient_id: str = "p", templates: Any = TEMPLATES
) -> Chart:
    authorization = FhirAuthorization(TOKEN, expires_in=300)
    request = HookRequest(
        "patient-view",
        "i",
        patient_id,
        "P/1",
        fhir_server=fhir_server,
        fhir_authorization=authorization,
    )
    required = frozenset({"patient"}) & templates.keys()
    asking = service(prefetch=templates, required=required)
    return gather(request, asking, FhirFallback(grant))


def refused(fhir_server: str, grant: Grant, patient_id: str = "p") -> str:
    with pytest.raises(PreconditionFailed) as caught:
        read(fhir_server, grant, patient_id)
    assert TOKEN not in str(caught.value)
    return caught.value.message


HOSTILE = [
    "http://127.0.0.1:{port}/r4",
    "https://127.0.0.1:{port}/r4",
    "https://localhost:{port}/r4",
    "https://fhir.example.org:{port}/r4",
    "https://fhir.example.org/",
    "https://fhir.example.org/r4/../admin",
    "https://fhir.example.org/r4/%2e%2e/admin",
    "https://fhir.example.org/r4/..%2fadmin",
    "https://fhir.example.org/r4x",
    "https://fhir.example.org/R4",
    "https://fhir.example.org/r4?x=https://127.0.0.1:{port}/",
    "https://fhir.example.org/r4#@127.0.0.1:{port}/",
    "https://fhir.example.org@127.0.0.1:{port}/r4",
    "https://fhir.example.org:443@127.0.0.1:{port}/r4",
    "https://fhir.example.org%40127.0.0.1:{port}/r4",
    "https://user:password@fhir.example.org/r4",
    "https://fhir.example.org\\@127.0.0.1:{port}/r4",
    "https://127.0.0.1:{port}\\.fhir.example.org/r4",
    "https://fhir.example.org.evil.example:{port}/r4",
    "https://evil.example:{port}/https://fhir.example.org/r4",
    "https://fhir.example.org./r4",
    "https://fhir。example。org/r4",
    "https://ｆhir.example.org/r4",
    "https://fhır.example.org/r4",
    "https://xn--fhr-eza.example.org:{port}/r4",
    "https://2130706433:{port}/r4",
    "https://0x7f000001:{port}/r4",
    "https://0x7f.0.0.1:{port}/r4",
    "https://0177.0.0.1:{port}/r4",
    "https://127.1:{port}/r4",
    "https://127.0.0.1.:{port}/r4",
    "https://[::1]:{port}/r4",
    "https://[::ffff:127.0.0.1]:{port}/r4",
    "https://[::ffff:7f00:1%25lo]:{port}/r4",
    "https://[64:ff9b::7f00:1]:{port}/r4",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1:{port}/r4",
    "http://fhir.example.org/r4",
    "ftp://fhir.example.org/r4",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "//127.0.0.1:{port}/r4",
    "127.0.0.1:{port}/r4",
    "https:127.0.0.1:{port}/r4",
    "https:///127.0.0.1:{port}/r4",
    "https://fhir.example.org/r4\r\nHost: 127.0.0.1:{port}",
    "https://fhir.example.org\t/r4",
    " https://fhir.example.org/r4",
    "https://fhir.example.org/r4\x00",
    "https://fhir.example.org:0/r4",
    "https://fhir.example.org:99999999/r4",
    "https://fhir.example.org:٤٤٣/r4",
    "https://" + "a" * 20_000,
]

THIS_MACHINE = [
    "http://127.0.0.1:{port}/r4",
    "https://127.0.0.1:{port}/r4",
    "https://localhost:{port}/r4",
    "https://[::1]:{port}/r4",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_servers_that_are_not_listed(listener: Listener, url: str) -> None:
    said = refused(url.format(port=listener.port), Grant((LISTED,)))
    assert "none of the addresses listed" in said
    assert listener.calls == 0


@pytest.mark.parametrize("url", [url for url in HOSTILE if url not in THIS_MACHINE])
def test_without_authentication_only_plain_loopback_addresses_are_read(
    listener: Listener, url: str
) -> None:
    assert "only a FHIR server on this machine" in refused(
        url.format(port=listener.port), Grant(servers=None)
    )
    assert listener.calls == 0


@pytest.mark.parametrize(
    "url",
    [LISTED, f"{LISTED}/", "https://FHIR.example.org/r4", "HTTPS://fhir.example.org:443/r4"],
)
def test_a_listed_name_that_leads_inside(listener: Listener, url: str) -> None:
    """The name service says 127.0.0.1: the server is listed, the address is not."""
    assert "(address-refused)" in refused(url, Grant((LISTED,)))
    assert listener.calls == 0


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "::"],
)  # fmt: skip
def test_addresses_that_are_not_public(monkeypatch: Any, address: str) -> None:
    tried: list[Any] = []
    entry = (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, 443))
    public = (socket.AF_INET, 1, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "create_connection", lambda *args: tried.append(args))
    for answer in ([entry], [public, entry], [entry, public]):
        monkeypatch.setattr(connections, "getaddrinfo", lambda *_, a=answer, **__: a)
        assert "(address-refused)" in refused(LISTED, Grant((LISTED,)))
    assert not tried


def test_a_name_is_resolved_once_and_the_checked_address_is_used(monkeypatch: Any) -> None:
    """A name that leads elsewhere the second time (rebinding) gains nothing."""
    answers = iter([("93.184.216.34", 443), ("127.0.0.1", 443)])
    tried: list[Any] = []

    def connect(address: Any, _timeout: float) -> Any:
        tried.append(address)
        raise OSError

    monkeypatch.setattr(connections, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", next(answers))])
    monkeypatch.setattr(socket, "create_connection", connect)
    assert "(unreachable)" in refused(LISTED, Grant((LISTED,)))
    assert tried == [("93.184.216.34", 443)]


def test_a_listed_network_is_reached(listener: Listener) -> None:
    """The listener does see what is allowed: the tests above would notice."""
    base = f"https://fhir.example.org:{listener.port}/r4"
    refused(base, Grant((base,), networks=("127.0.0.0/8",)))
    assert listener.calls == 1


@pytest.mark.parametrize(
    "base",
    ["http://127.0.0.1:{port}/r4", "https://127.0.0.1:{port}/r4", "http://localhost:{port}/r4"],
)
def test_a_listed_number_and_this_machine_are_reached(listener: Listener, base: str) -> None:
    url = base.format(port=listener.port)
    refused(url, Grant(("what nobody can read", url)))
    refused(url, Grant(servers=None))
    assert listener.calls == 2


def test_a_name_that_nobody_knows(monkeypatch: Any) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(connections, "getaddrinfo", unknown)
    assert "(unreachable)" in refused(LISTED, Grant((LISTED,)))


def test_a_list_that_nobody_can_read(listener: Listener) -> None:
    assert "none of the addresses" in refused("https://:x/", Grant(("https://:x/",)))
    assert listener.calls == 0


@pytest.mark.parametrize("base", ["http://fhir.example.org:{port}/r4", "http://10.0.0.1:{port}/r4"])
def test_http_is_for_this_machine_even_when_listed(listener: Listener, base: str) -> None:
    url = base.format(port=listener.port)
    assert "not https" in refused(url, Grant((url,), networks=("127.0.0.0/8",)))
    assert listener.calls == 0


ELSEWHERE = [
    "http://127.0.0.1:{port}/fhir/{path}",
    "http://localhost:{port}/fhir/{path}",
    "http://ehr.example.org:{port}/fhir/{path}",
    "https://127.0.0.1:{port}/fhir/{path}",
    "//127.0.0.1:{port}/fhir/{path}",
    "http://127.0.0.1:{own}@127.0.0.1:{port}/fhir/{path}",
    "http://127.0.0.1:{own}\\@127.0.0.1:{port}/fhir/{path}",
    "http://127.0.0.1:{own}#@127.0.0.1:{port}/fhir/{path}",
    "http://0x7f.1:{port}/fhir/{path}",
]


@pytest.mark.parametrize("link", ELSEWHERE)
def test_links_and_references_to_elsewhere(listener: Listener, link: str) -> None:
    """The server that is read sends the service on: to a next page, and to a Medication."""
    with proxied("http://127.0.0.1:1/fhir", TOKEN) as ehr:
        own = ehr.base.partition("127.0.0.1:")[2].partition("/")[0]
        page, medication = (
            link.format(port=listener.port, own=own, path=path)
            for path in ("Condition?page=2", "Medication/1")
        )
        order = {"resourceType": "MedicationRequest"}
        order |= {"medicationReference": {"reference": medication}}
        next_page = [{"relation": "next", "url": page}]
        ehr.rule(
            "", says({"resourceType": "Bundle", "entry": [{"resource": order}], "link": next_page})
        )
        asked = {"medicationRequests": "MedicationRequest?patient={{context.patientId}}"}
        chart = read(ehr.base, Grant(servers=None), templates=asked)
        assert chart.slot("medicationRequests").supply is Supply.INCOMPLETE
        assert len(chart.slot("medicationRequests").resources) == 1
        assert ehr.targets() == ["MedicationRequest?patient=p"]
    assert listener.calls == 0


@pytest.mark.parametrize(
    "patient", ["..", ".", "../x", "a/../../b", "x\\y", "a%2fb", "a\r\nb", " "]
)
def test_a_patient_id_that_is_a_path(listener: Listener, patient: str) -> None:
    base = f"http://127.0.0.1:{listener.port}/r4"
    assert "(query-refused)" in refused(base, Grant((base,)), patient)
    assert listener.calls == 0


def test_proxies_of_the_environment_are_not_used(listener: Listener, monkeypatch: Any) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    refused("http://127.0.0.1:1/r4", Grant(("http://127.0.0.1:1/r4",)))
    assert listener.calls == 0


def test_the_list_of_the_client_counts(tmp_path: Any, listener: Listener) -> None:
    """The whole way: a token of a client, and the servers of its entry in clients.json."""
    base = f"https://fhir.example.org:{listener.port}/r4"
    write_clients(tmp_path, client_entry(fhirServers=[base], networks=["127.0.0.0/8"]))
    secured = Secured(tmp_path)
    for server, calls in ((f"{base}/other", 0), (LISTED, 0), (base, 1)):
        answer = secured.web.post(
            "/cds-services/review",
            json=call_of_an_ehr(server),
            headers={"Authorization": f"Bearer {token()}"},
        )
        assert answer.status_code == 412, answer.text
        assert TOKEN not in answer.text
        assert listener.calls == calls


def call_of_an_ehr(fhir_server: str) -> Any:
    authorization = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}
    return {
        "hook": "patient-view",
        "hookInstance": "0e3a1c6e-58a3-4a0e-8f3e-0a2b6c1d4e5f",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "fhirServer": fhir_server,
        "fhirAuthorization": authorization | {"scope": "s", "subject": "cds"},
    }
