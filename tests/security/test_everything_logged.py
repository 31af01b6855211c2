"""What a real server writes during a varied run, searched for all that must not be in it.

The sample calls are sent with every id, name, text, date of birth and laboratory value replaced by
a mark; marks also stand in addresses, headers, broken bodies and bad tokens. Standard output and
error of the server, its metrics and its database are searched, byte by byte.
"""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support import fixtures
from tests.support.server import launched
from tests.support.tokens import b64, signed, token, write_clients
from tests.support.wire import PATIENCE, get

MARK, NUMBER, BORN = "sekret", 7654.321, "1931-07-13"
MARKED = {
    "id", "family", "given", "text", "display", "patientId", "userId", "encounterId", "fullUrl",
    "access_token", "subject", "scope", "userComment", "name", "comment", "note", "value",
}  # fmt: skip
PUBLIC = "https://cds.example.org"
ORDER = "/cds-services/leg-cramps-order-select"
REVIEW = "/cds-services/leg-cramps-patient-view"


def marked(value: Any, key: str = "") -> Any:
    """A request with marks where patients' data stand; codes, systems and dates stay."""
    if isinstance(value, dict):
        return {name: marked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [marked(inner, key) for inner in value]
    if key == "birthDate":
        return BORN
    if key == "value" and isinstance(value, int | float) and not isinstance(value, bool):
        return NUMBER
    if key == "reference" and isinstance(value, str):
        kind, _, identifier = value.rpartition("/")
        return f"{kind}/{MARK}-{identifier}" if kind else f"{MARK}-{identifier}"
    if key in MARKED and isinstance(value, str):
        return f"{MARK}-{value}" if "/" not in value else value.replace("/", f"/{MARK}-")
    return value


def samples() -> Iterator[tuple[str, Any]]:
    """Every sample call with the address it belongs to."""
    for path in sorted((fixtures.ROOT / "requests").rglob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        folder = path.parent.name
        if folder == "feedback":
            yield f"{ORDER}/feedback", content
        elif folder == "patient-view":
            yield REVIEW, content
            yield "/cds-services/leg-symptoms-screen", content
        else:
            yield f"/cds-services/leg-cramps-{folder}", content


class Sender:
    """Sends anything to the server and remembers the tokens it used."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.tokens: list[str] = []
        self.statuses: set[int] = set()

    def send(self, path: str, body: Any, **headers: str) -> None:
        """POST with a good token, unless another Authorization is given."""
        authorization = headers.pop("Authorization", "") or f"Bearer {self.good(path)}"
        self.tokens.append(authorization.removeprefix("Bearer "))
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Authorization": authorization, **headers}
        self.request("POST", path, raw, sent)

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        connection.request(method, path, body, headers)
        self.statuses.add(connection.getresponse().status)
        connection.close()

    def good(self, path: str) -> str:
        return token(**claims(path))


def claims(path: str) -> dict[str, Any]:
    now = int(time.time())  # noqa: TID251 - the server under test runs by the clock
    jti = f"{MARK}-{time.perf_counter_ns()}"
    return {"aud": PUBLIC + path.partition("?")[0], "iat": now, "exp": now + 300, "jti": jti}


def bad_tokens(path: str) -> Iterator[str]:
    good = token(**claims(path))
    yield f"Bearer {MARK}"
    yield f"Basic {MARK}"
    yield f"Bearer {good[:-8]}AAAAAAAA"
    yield f"Bearer {token(**claims(path) | {'iss': f'https://{MARK}.example.org'})}"
    yield f"Bearer {token(**claims(path) | {'aud': f'https://{MARK}.example.org'})}"
    yield f"Bearer {token(**claims(path) | {'exp': 1})}"
    yield f"Bearer {signed({'alg': 'none', 'kid': MARK}, claims(path))}"
    yield f"Bearer {b64({'alg': MARK})}.{b64(MARK)}.{b64(MARK)}"
    yield f"Bearer {signed({'alg': 'ES384', 'kid': MARK}, claims(path))}"
    yield f"Bearer {token(**claims(path) | {'sub': MARK, 'tenant': MARK})}"


def varied_run(sender: Sender) -> None:
    for path, content in samples():
        sender.send(path, content)
        sender.send(path, marked(content))
        sender.send(path, json.dumps(marked(content)).encode()[:-20])
        sender.send(f"{path}?patient={MARK}", marked(content))
    call = marked(fixtures.request("patient-view/cramps-and-restless-legs"))
    for authorization in bad_tokens(REVIEW):
        sender.send(REVIEW, call, Authorization=authorization)
    sender.send(f"/cds-services/{MARK}", call)
    sender.send(f"/{MARK}/{MARK}", call)
    sender.send(REVIEW, call | {"hook": MARK})
    sender.send(REVIEW, call | {"hookInstance": MARK})
    sender.send(REVIEW, call | {"context": MARK})
    sender.send(REVIEW, call | {"prefetch": {MARK: {"resourceType": MARK}}})
    sender.send(REVIEW, call | {"prefetch": {"patient": call["prefetch"]["patient"] | {MARK: 1}}})
    server = {"fhirServer": f"https://{MARK}.example.org/fhir", "fhirAuthorization": {
        "access_token": MARK, "token_type": "Bearer", "expires_in": 300, "scope": MARK,
        "subject": MARK}}  # fmt: skip
    sender.send(REVIEW, call | server | {"prefetch": {}})
    sender.send(REVIEW, b'{"a":1,"a":"sekret"}')
    sender.send(REVIEW, b'"' + MARK.encode(), **{"Content-Type": f"application/{MARK}"})
    for method in ("GET", "PUT", "SEKRET"):
        sender.request(method, f"{REVIEW}?x={MARK}", None, {"X-Patient": MARK})
    sender.request("GET", f"/sources/{MARK}", None, {"Cookie": MARK, "User-Agent": MARK})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sender, dict[str, str]]:
    """What was sent, and all that the server wrote, by where."""
    folder = tmp_path_factory.mktemp("logged")
    write_clients(folder)
    (folder / "site.json").write_text("{}")
    environ = {"CDS_AUTH": "required", "CDS_NOW": "", "CDS_SITE_DIR": str(folder)}
    environ |= {"CDS_PUBLIC_URL": PUBLIC, "CDS_LOG_LEVEL": "DEBUG"}
    with launched(folder, "--workers", "1", **environ) as server:
        sender = Sender(server.port)
        varied_run(sender)
        metrics = get(server.port, "/metrics").body.decode()
        ready = get(server.port, "/readyz").body.decode()
    return sender, {
        "log": server.log.read_text(),
        "metrics": metrics,
        "readyz": ready,
        "database": read_all(folder),
    }


def read_all(folder: Path) -> str:
    return "".join(path.read_text("latin-1") for path in folder.glob("cds.sqlite3*"))


def secrets(sender: Sender) -> set[str]:
    own = {"Marta", "Lind", "marta-lind", "1957-03-14", "ng/mL"}
    return {MARK, MARK.upper(), str(NUMBER), BORN} | own | set(sender.tokens) - {""}


def test_nothing_of_patients_and_no_token_is_written(run: tuple[Sender, dict[str, str]]) -> None:
    sender, written = run
    assert {200, 400, 401, 404, 405, 412, 415} <= sender.statuses
    assert 500 not in sender.statuses
    found = {
        (where, secret)
        for where, text in written.items()
        for secret in secrets(sender)
        if secret in text
    }
    assert not found
    assert "cds_tokens_refused_total" in written["metrics"]
    assert "order.quinine" in written["database"]  # it was the right file


def test_the_log_is_json_and_tells_what_happened(run: tuple[Sender, dict[str, str]]) -> None:
    _, written = run
    lines = [line for line in written["log"].splitlines() if not line.startswith("Listening on")]
    entries = [json.loads(line) for line in lines]
    events = {entry["event"] for entry in entries}
    assert {"call", "feedback", "refused", "token refused"} <= events
    assert not [entry["withheld"] for entry in entries if "withheld" in entry]
    refused = [entry for entry in entries if entry["event"] == "refused"]
    assert {"route", "status", "code"} <= set(refused[0])
