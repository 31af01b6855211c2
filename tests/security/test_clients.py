"""clients.json: checked like the pack, with places; reloaded without a restart."""

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.callers.book import HANGS, LOOK_EVERY, ClientBook
from cds_service.callers.file import Strictness, check_clients
from cds_service.cli.main import main as cli
from cds_service.errors import ConfigurationError, Problem
from tests.support.rows import row
from tests.support.tokens import (
    PRIVATE,
    Secured,
    client_entry,
    public,
    token,
    write_clients,
)


def problems(folder: Path, *entries: Any, **strictness: bool) -> list[Problem]:
    write_clients(folder, *entries)
    return check_clients(folder, Strictness(**strictness))


def test_a_full_entry_is_fine(tmp_path: Path) -> None:
    entry = client_entry(
        keys={"jku": ["https://ehr.example.org/jwks?tenant=1"]},
        networks=["10.0.0.0/8"],
        algorithms=["ES384", "RS384", "PS256"],
        typ="optional",
        audiences=["urn:cds"],
        tenants=["a"],
        subject="s",
        maxTokenAge=600,
        leeway=0,
        fhirServers=["https://ehr.example.org/fhir/R4"],
        dialect={
            "preset": "epic",
            "specificationVersion": "1.1",
            "selectionBehavior": "any",
            "oneActionPerSuggestion": True,
            "actionCodeSystems": {"http://loinc.org": "urn:oid:2.16.840.1.113883.6.1"},
            "actionCodes": {"http://loinc.org|2276-4": {"system": "urn:x", "code": "1"}},
            "inputCodeSystems": {"urn:local": "http://loinc.org"},
            "linkHosts": ["doi.org"],
            "systemActions": False,
            "feedback": True,
            "note": "x",
        },
        note="x",
    )
    assert problems(tmp_path, entry) == []
    assert check_clients(None, Strictness()) == []
    assert check_clients(tmp_path / "none", Strictness()) == []


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"issuer": None}, "S102", "$.clients[0]"),
        ({"isuer": "x"}, "S101", "$.clients[0].isuer"),
        ({"name": "two words"}, "S105", "$.clients[0].name"),
        ({"algorithms": ["HS384"]}, "S104", "$.clients[0].algorithms[0]"),
        ({"algorithms": ["none"]}, "S104", "$.clients[0].algorithms[0]"),
        ({"algorithms": []}, "S106", "$.clients[0].algorithms"),
        (
            {"algorithms": ["ES512"], "keys": {"set": public("ec-384")}},
            "K008",
            "$.clients[0].keys.set",
        ),
        ({"leeway": 301}, "S106", "$.clients[0].leeway"),
        ({"maxTokenAge": 0}, "S106", "$.clients[0].maxTokenAge"),
        ({"maxTokenAge": 86_401}, "S106", "$.clients[0].maxTokenAge"),
        ({"tenants": []}, "S106", "$.clients[0].tenants"),
        ({"keys": {}}, "S106", "$.clients[0].keys"),
        ({"keys": {"note": "later"}}, "K004", "$.clients[0].keys"),
        ({"keys": {"set": {"keys": []}}}, "S106", "$.clients[0].keys.set.keys"),
        ({"keys": {"set": {"keys": [PRIVATE["ec-384"]]}}}, "K004", "$.clients[0].keys.set"),
        ({"keys": {"set": public("rsa-1024")}}, "K004", "$.clients[0].keys.set"),
        ({"keys": {"set": public("ec-384", "ec-384")}}, "K004", "$.clients[0].keys.set"),
        ({"keys": {"jku": ["http://ehr.example.org/k"]}}, "K005", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["http://127.0.0.1/k"]}}, "K005", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["https://[::1/k"]}}, "K005", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["https://h:99999/k"]}}, "K005", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["https://a@b.example/k"]}}, "S105", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["file:///etc/passwd"]}}, "S105", "$.clients[0].keys.jku[0]"),
        ({"keys": {"jku": ["https://h.example/k#x"]}}, "S105", "$.clients[0].keys.jku[0]"),
        ({"networks": ["10.0.0.1/8"]}, "K006", "$.clients[0].networks[0]"),
        ({"issuer": "https://sandbox.cds-hooks.org"}, "K007", "$.clients[0].issuer"),
        (
            {"keys": {"jku": ["https://sandbox.cds-hooks.org/.well-known/jwks.json"]}},
            "K007",
            "$.clients[0].keys.jku[0]",
        ),
        ({"fhirServers": ["http://ehr.example.org/fhir"]}, "K005", "$.clients[0].fhirServers[0]"),
        ({"fhirServers": ["https://h/fhir?x=1"]}, "S105", "$.clients[0].fhirServers[0]"),
        ({"dialect": {"preset": "cerner"}}, "S104", "$.clients[0].dialect.preset"),
        ({"dialect": {"systemActions": True}}, "S104", "$.clients[0].dialect.systemActions"),
        ({"dialect": {"linkHosts": ["https://x"]}}, "S105", "$.clients[0].dialect.linkHosts[0]"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, change: dict[str, Any], code: str, path: str
) -> None:
    found = problems(tmp_path, client_entry(**change))
    assert [(problem.code, problem.path) for problem in found] == [(code, path)]
    assert found[0].line == 1 and found[0].column > 1
    with pytest.raises(ConfigurationError, match=code):
        ClientBook(tmp_path / "clients.json", Strictness())


def test_two_clients_are_told_apart_by_issuer_and_name(tmp_path: Path) -> None:
    found = problems(tmp_path, client_entry(), client_entry())
    assert [problem.code for problem in found] == ["K003", "K002"]


def test_what_is_allowed_on_a_developers_machine_only(tmp_path: Path) -> None:
    sandbox = client_entry(issuer="https://sandbox.cds-hooks.org")
    assert problems(tmp_path, sandbox, required=False) == []
    local = client_entry(keys={"jku": ["http://localhost:8080/jwks"]})
    assert problems(tmp_path, local, development=True) == []
    remote = client_entry(keys={"jku": ["http://ehr.example.org/jwks"]})
    assert problems(tmp_path, remote, development=True)


def test_a_secret_key_is_not_quoted(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, client_entry(keys={"set": {"keys": [PRIVATE["ec-384"]]}}))
    assert PRIVATE["ec-384"]["d"] not in found.message + found.hint


def test_rules_check_looks_at_clients_too(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text("{}")
    write_clients(tmp_path, client_entry(leeway=301))
    environ = {"CDS_SITE_DIR": str(tmp_path)}
    result = CliRunner().invoke(cli, ["rules", "check"], env=environ)
    assert result.exit_code == 1
    assert "$.clients[0].leeway  S106" in result.output


class Time:
    """Seconds, as the test wants them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A book of clients whose file the test changes."""

    def __init__(self, folder: Path) -> None:
        self.path = write_clients(folder)
        self.time = Time()
        self.book = ClientBook(self.path, Strictness(), self.time)

    def later(self) -> "Watched":
        self.time.now += LOOK_EVERY
        return self

    @property
    def names(self) -> list[str]:
        return [client.name for client in self.book.clients.values()]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@row("P13")
def test_a_change_is_taken_within_seconds(watched: Watched, tmp_path: Path) -> None:
    write_clients(tmp_path, client_entry(name="renamed"))
    assert watched.names == ["general"]
    assert watched.later().names == ["renamed"]


def test_a_file_that_is_put_in_place_whole_is_taken(watched: Watched, tmp_path: Path) -> None:
    before = watched.path.stat()
    other = tmp_path / "new.json"
    other.write_text(watched.path.read_text().replace("general", "renamed"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(watched.path)
    assert watched.later().names == ["renamed"]


@pytest.mark.parametrize("content", ["", "{", '{"clients": []}', '{"clients": [{}]}', "\udcff"])
def test_a_bad_file_never_replaces_a_good_one(watched: Watched, content: str) -> None:
    good = watched.path.read_bytes()
    watched.path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert watched.later().names == ["general"]
    report = watched.book.health()
    assert report["count"] == 1
    assert report["rejected"]["problems"] >= 1
    watched.path.write_bytes(good)
    assert watched.later().names == ["general"]
    assert watched.book.health()["rejected"] == "none"


def test_a_half_written_file_is_never_loaded(watched: Watched) -> None:
    whole = json.dumps({"clients": [client_entry(name="renamed")]}).encode()
    for end in range(0, len(whole), 97):
        watched.path.write_bytes(whole[:end])
        assert watched.later().names == ["general"]
    watched.path.write_bytes(whole)
    assert watched.later().names == ["renamed"]


def test_a_file_that_is_gone_leaves_the_clients(watched: Watched) -> None:
    watched.path.unlink()
    assert watched.later().names == ["general"]
    assert watched.book.health()["rejected"]["first"].endswith("K001")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket", "too large"])
def test_what_is_no_file_is_refused_at_once_and_looked_at_again(
    watched: Watched, kind: str, tmp_path: Path
) -> None:
    good = watched.path.read_bytes()
    watched.path.unlink()
    if kind == "pipe":
        os.mkfifo(watched.path)
    elif kind == "device":
        watched.path.symlink_to("/dev/zero")
    elif kind == "folder":
        watched.path.mkdir()
    elif kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(watched.path))
        listener.close()
    else:
        with watched.path.open("wb") as file:
            file.truncate(17_000_000)
    assert watched.later().names == ["general"]
    assert watched.book.health()["rejected"]["first"].endswith("K001")
    other = tmp_path / "new.json"
    other.write_bytes(good.replace(b"general", b"renamed"))
    if kind == "folder":
        watched.path.rmdir()
    other.replace(watched.path)
    assert watched.later().names == ["renamed"]


def test_a_look_that_hangs_is_told_and_holds_up_no_other_call(tmp_path: Path) -> None:
    entered, leave, time = threading.Event(), threading.Event(), Time()
    path = write_clients(tmp_path)

    def read(file: Path) -> bytes:
        if threading.current_thread().name == "clients":
            entered.set()
            assert leave.wait(60)
        return file.read_bytes()

    book = ClientBook(path, Strictness(), time, read)
    write_clients(tmp_path, client_entry(name="renamed"))
    time.now += LOOK_EVERY
    assert [client.name for client in book.clients.values()] == ["general"]
    assert entered.is_set()
    assert book.health()["look"] == "ok"
    time.now += HANGS + 1
    assert book.health()["look"].startswith("hangs")
    assert [client.name for client in book.clients.values()] == ["general"]
    leave.set()
    for thread in threading.enumerate():
        if thread.name == "clients":
            thread.join(60)
    assert book.health()["look"] == "ok"
    assert [client.name for client in book.clients.values()] == ["renamed"]


def test_a_client_taken_out_gets_no_answer(tmp_path: Path, monkeypatch: Any) -> None:
    second = client_entry(name="second", issuer="https://second.example.org")
    write_clients(tmp_path, client_entry(), second)
    service = Secured(tmp_path)
    assert service.runtime.book
    monkeypatch.setattr(service.runtime.book, "_looked", float("-inf"))
    assert service.call(token(iss="https://second.example.org")).status_code == 200
    write_clients(tmp_path, client_entry())
    monkeypatch.setattr(service.runtime.book, "_looked", float("-inf"))
    assert service.call(token(iss="https://second.example.org")).status_code == 401
    assert service.call(token()).status_code == 200
