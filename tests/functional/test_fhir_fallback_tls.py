"""https: the certificate must be the server's, and be vouched for by somebody who is trusted."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cds_service.errors import PreconditionFailed
from cds_service.protocol import connections
from tests.support import fixtures
from tests.support.calls import Caller
from tests.support.certificates import certificate
from tests.support.fault_proxy import FaultProxy, proxied
from tests.support.fhir_calls import QUICK, chart_of
from tests.support.fhir_server import TOKEN, FhirServer, as_patient, from_server, resources_of

Trust = Callable[[Path], None]


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trust]:
    """Trusts the certificates of one file, as SSL_CERT_FILE of an operator does."""

    def set_file(path: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        connections.tls.cache_clear()

    yield set_file
    connections.tls.cache_clear()


def secured(fhir: FhirServer, path: Path) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return proxied(fhir.base, TOKEN, context)


def asked(fhir: FhirServer, ehr: FaultProxy) -> Any:
    call = as_patient(fixtures.request("patient-view/cramps-and-restless-legs"), "tls")
    fhir.put(resources_of(call))
    return from_server(call, ehr.base, "conditions", "observations")


def test_a_trusted_certificate(
    caller: Caller, fhir: FhirServer, tmp_path: Path, trust: Trust
) -> None:
    path = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    trust(path)
    with secured(fhir, path) as ehr:
        chart = chart_of(caller.client, asked(fhir, ehr))
    assert len(chart.slot("conditions").resources) == 2


def test_a_certificate_that_nobody_vouches_for(
    caller: Caller, fhir: FhirServer, tmp_path: Path
) -> None:
    path = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    with secured(fhir, path) as ehr, pytest.raises(PreconditionFailed, match=r"\(tls\)"):
        chart_of(caller.client, asked(fhir, ehr))
    assert not ehr.seen


def test_a_certificate_of_another_server(
    caller: Caller, fhir: FhirServer, tmp_path: Path, trust: Trust
) -> None:
    path = certificate(tmp_path, x509.DNSName("fhir.example.org"))
    trust(path)
    with secured(fhir, path) as ehr, pytest.raises(PreconditionFailed, match=r"\(tls\)"):
        chart_of(caller.client, asked(fhir, ehr))
    assert not ehr.seen


def test_a_server_that_never_finishes_the_handshake(caller: Caller) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        call = fixtures.request("patient-view/cramps-and-restless-legs")
        base = f"https://127.0.0.1:{silent.getsockname()[1]}/fhir"
        with pytest.raises(PreconditionFailed, match=r"\(timeout\)"):
            chart_of(caller.client, from_server(call, base, "conditions"), limits=QUICK)
