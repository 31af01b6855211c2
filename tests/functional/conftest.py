"""The FHIR server of the tests, and the proxy in front of it."""

from collections.abc import Iterator

import pytest

from tests.support import fhir_server
from tests.support.fault_proxy import FaultProxy, proxied
from tests.support.fhir_server import TOKEN, FhirServer


@pytest.fixture(scope="session")
def fhir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    """A real FHIR server, for the whole run; tests add patients of their own."""
    with fhir_server.running(tmp_path_factory.mktemp("fhir-server")) as server:
        yield server


@pytest.fixture(scope="session")
def _proxy(fhir: FhirServer) -> Iterator[FaultProxy]:
    with proxied(fhir.base, TOKEN) as proxy:
        yield proxy


@pytest.fixture
def ehr(_proxy: FaultProxy) -> FaultProxy:
    """The proxy in front of the server, without any fault."""
    _proxy.reset()
    return _proxy
