"""A FHIR server that hangs, and the real service process: other clients' calls are answered."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import fault_proxy as faults
from tests.support import fixtures, wire
from tests.support.fault_proxy import PATIENCE, Fault, FaultProxy
from tests.support.fhir_server import TOKEN, from_server
from tests.support.server import Launched, launched

PATH = "/cds-services/leg-cramps-patient-view"
PREFETCHED = fixtures.request("patient-view/cramps-and-restless-legs")
HANGING_CALLS = 6  # more than the worker has threads


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """One worker with the four threads that it has by default."""
    folder = tmp_path_factory.mktemp("service")
    with launched(folder, "--workers", "1", CDS_LOG_LEVEL="DEBUG") as server:
        yield server


def post(service: Launched, call: Any) -> wire.Answer:
    return wire.call(service.port, "POST", PATH, json.dumps(call).encode())


@pytest.mark.parametrize(
    "fault", [faults.hangs, faults.hangs_in_the_body, faults.drips], ids=["head", "body", "drip"]
)
def test_other_calls_are_answered_while_a_server_hangs(
    service: Launched, ehr: FaultProxy, fault: Fault
) -> None:
    ehr.rule("", fault)
    slow = from_server(PREFETCHED, ehr.base)
    with ThreadPoolExecutor(HANGING_CALLS) as pool:
        hanging: list[Future[wire.Answer]] = [
            pool.submit(post, service, slow) for _ in range(HANGING_CALLS)
        ]
        assert ehr.waiting.wait(PATIENCE)
        answer = post(service, PREFETCHED)
        assert not all(future.done() for future in hanging)
        assert (answer.status, bool(answer.json["cards"])) == (200, True)
        refused = [future.result(PATIENCE) for future in hanging]
    assert {one.status for one in refused} == {412}
    said = " ".join(one.json["issue"][0]["diagnostics"] for one in refused)
    assert "(timeout)" in said
    assert "(busy)" in said
    assert ehr.hung_up.wait(PATIENCE)  # the connections are closed, while the server still hangs


def test_what_a_healthy_server_gives_afterwards(service: Launched, ehr: FaultProxy) -> None:
    """No place and no thread is lost to the calls that hung."""
    for _ in range(3):
        answer = post(service, from_server(PREFETCHED, ehr.base, "procedures"))
        assert answer.status == 200
    assert len(ehr.targets("Procedure")) == 3
    log = service.log.read_text()
    assert '"event":"call"' in log.replace(" ", "")
    assert TOKEN not in log
    assert "marta-lind" not in log
