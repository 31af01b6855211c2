"""What the log says of a refused call: which one it was, and what its token should have named."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.tokens import DISCOVERY, PUBLIC, write_clients
from tests.support.wire import post, until

INSTANCE = "5f0a2b6e-1c3d-4e5f-8a9b-000000000001"
PATH = "/cds-services/leg-cramps-patient-view"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("refused")
    write_clients(folder)
    (folder / "site.json").write_text("{}")
    environ = {"CDS_AUTH": "required", "CDS_NOW": "", "CDS_SITE_DIR": str(folder)}
    with launched(folder, "--workers", "1", CDS_PUBLIC_URL=PUBLIC, **environ) as found:
        yield found


def lines(server: Launched, event: str) -> list[Json]:
    text = server.log.read_text("utf-8")
    entries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [entry for entry in entries if entry["event"] == event]


def refusal(server: Launched, path: str, body: bytes) -> Json:
    before = len(lines(server, "token refused"))
    answer = post(server.port, path, body)
    assert answer.status == 401
    until(lambda: len(lines(server, "token refused")) > before)
    return lines(server, "token refused")[-1]


def test_a_refused_token_is_told_with_route_hook_instance_and_audience(server: Launched) -> None:
    body = json.dumps(fixtures.request("patient-view/cramps-and-restless-legs")).encode()
    line = refusal(server, PATH, body)
    assert line["reason"] == "no-token"
    assert line["route"] == "/cds-services/<service_id>"
    assert line["service"] == "leg-cramps-patient-view"
    assert line["hook_instance"] == INSTANCE
    assert line["audience"] == f"{DISCOVERY}/leg-cramps-patient-view"


@pytest.mark.parametrize(
    ("body", "instance"),
    [
        (b'{"hookInstance": "Marta Lind"}', "not a UUID"),
        (b'{"hookInstance": 7}', None),
        (b"[[[[", None),
        (b"", None),
        (b" " * 70_000 + b'{"hookInstance": "%s"}' % INSTANCE.encode(), None),
    ],
    ids=["text", "number", "no-json", "empty", "large"],
)
def test_of_other_bodies_nothing_is_told(
    server: Launched, body: bytes, instance: str | None
) -> None:
    line = refusal(server, "/cds-services/Marta-Lind", body)
    assert line.get("hook_instance") == instance
    assert line["audience"] == f"{DISCOVERY}/{{id}}"
    assert "service" not in line and "Marta" not in json.dumps(line)


def test_a_body_that_never_comes_holds_nobody_up(server: Launched) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(f"{head}Content-Length: 5000\r\n\r\n{{".encode())
        assert client.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_another_refusal_names_the_hook_instance_too(tmp_path: Path) -> None:
    call = fixtures.request("patient-view/conditions-not-sent")
    with launched(tmp_path, "--workers", "1") as open_server:
        answer = post(open_server.port, PATH, json.dumps(call).encode())
        assert answer.status == 412
        until(lambda: bool(lines(open_server, "refused")))
        [line] = lines(open_server, "refused")
    assert line["hook_instance"] == call["hookInstance"]
    assert (line["route"], line["key"]) == ("/cds-services/<service_id>", "conditions")
