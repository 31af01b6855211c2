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


START = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(CALL)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ONE_CHUNK = b"%x\r\n%s\r\n" % (len(CALL), CALL)


def to(target: bytes, method: bytes = b"POST", version: bytes = b"HTTP/1.1") -> bytes:
    """A call of another target, method or version."""
    return b"%s %s %s\r\nHost: x\r\n%s\r\n%s" % (method, target, version, LENGTH, CALL)


def with_header(*lines: bytes, sized: bytes = LENGTH) -> bytes:
    return START + b"".join(line + b"\r\n" for line in lines) + sized + b"\r\n" + CALL


def chunked(end: bytes, extension: bytes = b"") -> bytes:
    chunk = b"%x%s\r\n%s\r\n" % (len(CALL), extension, CALL)
    return START + CHUNKED + b"\r\n" + chunk + end


# What clients, scanners and proxies send: the status of the answer.
REQUESTS: dict[str, tuple[bytes, int]] = {
    "a chunk's extension": (chunked(b"0\r\n\r\n", b';a="b;c"'), 200),
    "an extension of 100 kB": (chunked(b"0\r\n\r\n", b";a=" + b"x" * 100_000), 400),
    "a trailer": (chunked(b"0\r\nX-Sum: 1\r\n\r\n"), 200),
    "20,000 trailers": (chunked(b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"), 400),
    "a length in a trailer": (chunked(b"0\r\nContent-Length: 4\r\n\r\n"), 400),
    "chunked and a length": (START + CHUNKED + LENGTH + b"\r\n" + ONE_CHUNK + b"0\r\n\r\n", 400),
    "chunked twice": (with_header(b"Transfer-Encoding: chunked, chunked", sized=b""), 400),
    "an unknown coding": (with_header(b"Transfer-Encoding: xchunked", sized=b""), 400),
    "two lengths": (with_header(LENGTH.strip()), 400),
    "a length that is too short": (with_header(sized=b"Content-Length: 10\r\n"), 400),
    "HTTP/1.0": (to(PATH.encode(), version=b"HTTP/1.0"), 200),
    "HTTP/9.9": (to(PATH.encode(), version=b"HTTP/9.9"), 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a PROXY line": (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + to(PATH.encode()), 400),
    "an expectation": (with_header(b"Expect: 100-continue"), 100),
    "an unknown expectation": (with_header(b"Expect: 200-ok"), 400),
    "an upgrade": (with_header(b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"), 200),
    "another host's address": (to(b"https://evil.example.org:99" + PATH.encode()), 200),
    "an address that is none": (to(b"http://[::1" + PATH.encode()), 400),
    "%00": (to(PATH.encode() + b"%00"), 404),
    "%zz": (to(PATH.encode() + b"%zz"), 404),
    "bytes that are no UTF-8": (to(PATH.encode() + b"%ff%c0%af"), 404),
    "a line break": (to(PATH.encode() + b"%0d%0aX-A:%20b"), 404),
    "a step up": (to(b"/x/%2e%2e" + PATH.encode()), 404),
    "a query that is none": (to(PATH.encode() + b"?%zz=%ff&&=&;"), 200),
    "TRACE": (to(PATH.encode(), b"TRACE"), 405),
    "QUERY": (to(PATH.encode(), b"QUERY"), 405),
    "a method in small letters": (to(PATH.encode(), b"post"), 400),
    "another method in a header": (with_header(b"X-HTTP-Method-Override: DELETE"), 200),
    "a header of 64 kB": (with_header(b"X: " + b"a" * 65_536), 400),
    "a token of 64 kB": (with_header(b"Authorization: Bearer " + b"a" * 65_536), 400),
    "5,000 headers": (with_header(*[b"X-%d: a" % n for n in range(5_000)]), 400),
    "a header without a name": (with_header(b": a"), 400),
    "a folded header": (with_header(b"X: a\r\n b"), 400),
    "a header with a NUL": (with_header(b"X: a\x00b"), 400),
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


@pytest.mark.parametrize("name", REQUESTS)
def test_what_scanners_and_proxies_send(server: Launched, name: str) -> None:
    sent, status = REQUESTS[name]
    answer = exchange(server, sent)
    assert answer.startswith(b"HTTP/1.") and int(answer.split()[1]) == status
    assert b" 500 " not in answer
    assert status < 400 or b'"resourceType":"OperationOutcome"' in answer
    assert b"evil.example.org" not in answer


def test_requests_that_do_not_wait_for_answers(server: Launched) -> None:
    answer = exchange(server, with_header() * 3 + b"NONSENSE\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.count(b"HTTP/1.1 400 ") == 1


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
