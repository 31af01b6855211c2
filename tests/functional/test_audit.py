"""cds audit: who put which pack in force, when, from where, and what it changed."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cds_service
from cds_service import logs
from cds_service.authoring.pack_changes import pack_changes
from cds_service.cli import main
from cds_service.clock import Clock
from cds_service.config import Settings
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack
from cds_service.service.audit import Audit
from cds_service.service.runtime import build_runtime
from cds_service.store.store import Store
from tests.support.calls import NOW
from tests.support.server import launched

HOOKS = Path("hooks")


def change(site: Path, low: int) -> None:
    beside = site.parent / "site.json.new"
    beside.write_text(json.dumps({"settings": {"ferritin.low": low}}))
    beside.replace(site / "site.json")


def told(database: str, *options: str) -> Any:
    environ = {"CDS_DATABASE_URL": database}
    done = CliRunner().invoke(main, ["audit", *options], env=environ)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "json" in options else done.stdout


def shipped() -> Pack:
    return load_pack(HOOKS, thorough=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    change(folder, 60)
    return folder


def test_changes_of_a_running_service_and_the_way_back(
    tmp_path: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO")
    database = f"sqlite:///{tmp_path}/cds.sqlite3"
    settings = Settings(auth="off", site_dir=site, database_url=database, now=NOW)
    runtime = build_runtime(settings, pack_changes)
    for low in (75, 60):
        change(site, low)
        runtime.take(load_pack(HOOKS, site, thorough=False))  # as the watcher does, once judged
    runtime.close()
    first, second, third = told(database, "--format", "json")
    assert [row["how"] for row in (first, second, third)] == ["start", "live", "live"]
    assert first["changes"][0] == "setting ferritin.low: 50 -> 60 ng/mL"
    assert (first["compared"], first["backTo"]) == ("shipped", "")
    assert second["changes"] == ["setting ferritin.low: 60 -> 75 ng/mL"]
    assert third["changes"] == ["setting ferritin.low: 75 -> 60 ng/mL"]
    assert third["revision"] == first["revision"] and third["backTo"] == first["since"]
    assert second["who"].startswith(f"{getpass.getuser()} (wrote site.json at ")
    assert second["server"].endswith(f":{site.resolve()}")
    text = told(database)
    assert f"back to what was in force since {first['since']}" in text
    assert "  - setting ferritin.low: 60 -> 75 ng/mL" in text
    assert told(database, "--format", "csv").count("\n") == 4
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    lines = [line for line in written if line["event"] == "pack put in force"]
    assert [line["changes"] for line in lines][1:] == [second["changes"], third["changes"]]
    assert not any("withheld" in line for line in lines)


def test_a_server_that_starts_is_on_record(tmp_path: Path, site: Path) -> None:
    with launched(tmp_path, CDS_SITE_DIR=str(site)):
        [row] = told(f"sqlite:///{tmp_path}/cds.sqlite3", "--format", "json")
    assert (row["how"], row["program"]) == ("start", cds_service.version())


def test_of_several_workers_one_writes(tmp_path: Path, site: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/cds.sqlite3")
    workers = [Audit(store, Clock(NOW), site, pack_changes) for _ in range(3)]
    before, after = shipped(), load_pack(HOOKS, site, thorough=False)
    for worker in workers:
        worker.started(before, shipped)
    for worker in workers:
        worker.changed(before, after)
    workers[0].started(after, shipped)  # a restart with what is in force
    assert [entry.revision for entry in store.history()] == [before.revision, after.revision]
    store.close()


def test_what_could_not_be_written_is_written_later(tmp_path: Path, site: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/cds.sqlite3")
    audit = Audit(store, Clock(NOW), site, pack_changes)
    before, after = shipped(), load_pack(HOOKS, site, thorough=False)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE packs_in_force RENAME TO away")
    audit.changed(before, after)  # no fault, and no answer is lost
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO packs_in_force")
    audit.changed(after, before)
    assert [entry.revision for entry in store.history()] == [after.revision, before.revision]
    store.close()


def test_without_an_entry_it_says_so(tmp_path: Path) -> None:
    assert "No pack was put in force" in told(f"sqlite:///{tmp_path}/new.sqlite3")
