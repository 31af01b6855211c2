"""Bodies that break HTTP's own rules: 400 with a reason, never a 500."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.wire import post

PATH = "/cds-services/leg-cramps-order-select"
REQUEST = fixtures.request("order-select/quinine")
CALL = json.dumps(REQUEST).encode()
HUGE = "9" * 400

CHUNKS = {
    "no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "signed": b"+2\r\n{}\r\n0\r\n\r\n",
    "a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "underscores": b"1_0\r\n{}\r\n0\r\n\r\n",
    "400 digits": HUGE.encode() + b"\r\n{}\r\n0\r\n\r\n",
    "5000 digits": b"f" * 5000 + b"\r\n{}\r\n0\r\n\r\n",
    "too short": b"1\r\n{}\r\n0\r\n\r\n",
    "no end of a chunk": b"2\r\n{}0\r\n\r\n",
    "no last chunk": b"2\r\n{}\r\n",
    "empty size": b"\r\n{}\r\n0\r\n\r\n",
    "bad trailer": b"2\r\n{}\r\n0\r\nno colon here\r\n\r\n",
    "trailer with a control character": b"2\r\n{}\r\n0\r\nA: \x00\r\n\r\n",
    "bad extension": b"2;\x00=\r\n{}\r\n0\r\n\r\n",
    "not UTF-8": b"\xff\xfe\r\n{}\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    folder = tmp_path_factory.mktemp("server")
    with launched(folder, "--workers", "1", CDS_READ_SECONDS="3") as started:
        yield started


def exchange(server: Launched, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/feedback"])
def test_a_malformed_chunked_body(server: Launched, path: str, body: bytes) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    answer = exchange(server, head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"resourceType":"OperationOutcome"' in answer
    assert b" 500 " not in answer


def test_a_large_body_that_nobody_read_closes_the_connection_and_says_so(
    server: Launched,
) -> None:
    """Or the client would send its next call on a connection that is being closed."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for size, closes in ((60_000, False), (200_000, True)):
        connection.request("POST", PATH, b" " * size, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 415
        assert (answer.headers.get("Connection") == "close") is closes
    connection.request("POST", PATH, CALL, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("length", [HUGE, "9" * 5000, "-1", "1e3", "0x10", "1_0", "²"])
def test_a_malformed_length(server: Launched, length: str) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    answer = exchange(server, head + CALL)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
    assert b'"resourceType":"OperationOutcome"' in answer


@pytest.mark.parametrize("number", [HUGE, f"-{HUGE}", "9" * 5000, "1e400", "-1e400", f"0.{HUGE}"])
@pytest.mark.parametrize("place", ["expires_in", "total", "value", "dose", "unknown"])
def test_huge_numbers(server: Launched, number: str, place: str) -> None:
    """Wherever they stand, they are refused or read past, and never a fault of ours."""
    request = json.loads(CALL)
    mark = 424242
    if place == "expires_in":
        request["fhirServer"] = "http://127.0.0.1:9/fhir"
        request["fhirAuthorization"] = {
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": mark,
            "scope": "patient/*.read",
            "subject": "cds",
        }
    elif place == "total":
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": mark, "entry": []}
        request["prefetch"]["procedures"] = bundle
    elif place == "value":
        ferritin = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
            "effectiveDateTime": "2026-11-01",
            "valueQuantity": {"value": mark, "unit": "ng/mL"},
        }
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ferritin}]}
        request["prefetch"]["observations"] = bundle
    elif place == "dose":
        order = request["context"]["draftOrders"]["entry"][0]["resource"]
        order["dosageInstruction"] = [{"doseAndRate": [{"doseQuantity": {"value": mark}}]}]
        order["dispenseRequest"] = {"expectedSupplyDuration": {"value": mark}}
    else:
        request["context"]["unknown"] = [mark]
    body = json.dumps(request).replace(str(mark), number).encode()
    answer = post(server.port, PATH, body)
    assert answer.status in (200, 400), answer.body
