"""A FHIR server that this project did not write (sekmet-fhir), in an environment of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.support.server import free_port

ROOT = Path(__file__).parent.parent.parent
TOKEN = "token-of-the-fhir-server"
PATIENCE = 60.0  # seconds until it must answer
Json = Any


@dataclass(frozen=True)
class FhirServer:
    """A running server. `base` has no slash at its end."""

    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def put(self, resources: Iterable[Json]) -> None:
        """Store resources under their own ids."""
        entries = [
            {
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
                "resource": one,
            }
            for one in resources
        ]
        answer = self._send({"resourceType": "Bundle", "type": "batch", "entry": entries})
        states = [entry["response"]["status"][:1] for entry in answer["entry"]]
        assert states == ["2"] * len(entries), answer

    def _send(self, bundle: Json) -> Json:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
            connection.request("POST", "/fhir", json.dumps(bundle), headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def running(folder: Path) -> Iterator[FhirServer]:
    """A server with an empty database in `folder`. It takes TOKEN and no other."""
    program = _program()
    port = free_port()
    settings = {
        "base_url": f"http://127.0.0.1:{port}/fhir",
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder / "data"),
        "log_inbound": False,
        "simulator": {"enabled": False},  # it would answer orders
        "validation": {"inbound": "off"},
        "server_auth": {"types": ["bearer"], "tokens": [TOKEN]},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", "-c", "settings.yaml"],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(port, process, folder / "output.txt")
            yield FhirServer(port)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@lru_cache(maxsize=1)
def _program() -> str:
    """The installed program; installed now where it is not there yet."""
    done = subprocess.run(
        [ROOT / ".ci" / "install-fhir-server"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(
            "The FHIR server for these tests could not be installed; they need the package index "
            f"once. `.ci/install-fhir-server` says:\n{done.stderr[-2000:]}"
        )
    return done.stdout.strip().splitlines()[-1]


def _wait(port: int, process: "subprocess.Popen[bytes]", output: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/fhir/metadata")
            connection.getresponse().read()
            return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError(f"The FHIR server did not start:\n{output.read_text()[-2000:]}")


def as_patient(call: Json, name: str) -> Json:
    """The call with ids of its own, so that several charts fit into one server."""
    resources = list(resources_of(call))
    text = json.dumps(call)
    for one in resources:
        kind, identifier = one["resourceType"], one["id"]
        text = text.replace(f'"{kind}/{identifier}"', f'"{kind}/{name}-{identifier}"')
    renamed: Json = json.loads(text)
    for one in resources_of(renamed):
        one["id"] = f"{name}-{one['id']}"
    context = renamed["context"]
    context["patientId"] = f"{name}-{context['patientId']}"
    if "encounterId" in context:
        context["encounterId"] = f"{name}-{context['encounterId']}"
    return renamed


def resources_of(call: Json) -> Iterator[Json]:
    """All resources of a call's prefetch."""
    for value in call["prefetch"].values():
        if value and value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value.get("entry", []))
        elif value:
            yield value


def from_server(call: Json, base: str, *without: str, token: str = TOKEN) -> Json:
    """The call as an EHR sends it that leaves the keys `without` (default: all) to be read."""
    asked = deepcopy(call)
    keys = without or tuple(asked["prefetch"])
    asked["prefetch"] = {k: v for k, v in asked["prefetch"].items() if k not in keys}
    asked["fhirServer"] = base
    asked["fhirAuthorization"] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "leg-cramps",
    }
    return asked
