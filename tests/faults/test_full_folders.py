"""Temporary folders that are full, gone or planted: what is shared there is a convenience.

Small file systems are mounted for the server alone, so the tests need root.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import fixtures
from tests.support.server import Launched, launched
from tests.support.sites import Site
from tests.support.wire import get, post, until

PATH = "/cds-services/leg-cramps-order-select"
CALL = json.dumps(fixtures.request("order-select/quinine")).encode()

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@contextmanager
def cramped(tmp_path: Path, site: Site, *mounts: str) -> Iterator[Launched]:
    """A server with a site, and a view of its own on folders of which each is mounted as told."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    script = "; ".join([*(f"mount -t tmpfs {mount}" for mount in mounts), 'exec "$@"'])
    with launched(
        tmp_path,
        wrap=("unshare", "--mount", "sh", "-ec", script, "sh"),
        CDS_SITE_DIR=str(site.root),
        TMPDIR=str(temporary),
    ) as server:
        yield server


def inside(server: Launched, path: str | Path) -> Path:
    """A path as the server sees it."""
    return Path(f"/proc/{server.process.pid}/root{path}")


def fill(folder: Path) -> None:
    """Until not a byte more fits."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def kill_one(server: Launched) -> None:
    until(lambda: len(server.workers) == 2)
    [victim, _] = server.workers
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in server.workers and len(server.workers) == 2)


def answers(server: Launched) -> None:
    assert {post(server.port, PATH, CALL).status for _ in range(20)} == {200}
    assert get(server.port, "/metrics").status == 200
    assert get(server.port, "/readyz").status == 200


@needs_root
@pytest.mark.parametrize("full", ["tmp", "/dev/shm", "both"])
def test_a_full_folder_and_dead_workers(tmp_path: Path, site: Site, full: str) -> None:
    memory, temporary = "-o size=1m tmpfs /dev/shm", f"-o size=64k tmpfs {tmp_path}/tmp"
    mounts = {"tmp": [temporary], "/dev/shm": [memory], "both": [memory, temporary]}[full]
    with cramped(tmp_path, site, *mounts) as server:
        for mount in mounts:
            fill(inside(server, mount.split()[-1]))
        answers(server)
        kill_one(server)
        kill_one(server)
        answers(server)


@needs_root
@pytest.mark.parametrize("folder", ["tmp", "/dev/shm"])
def test_full_from_the_start(tmp_path: Path, site: Site, folder: str) -> None:
    place = "/dev/shm" if folder == "/dev/shm" else f"{tmp_path}/tmp"
    with cramped(tmp_path, site, f"-o nr_inodes=1,size=4k tmpfs {place}") as server:
        answers(server)
        kill_one(server)
        answers(server)


@needs_root
def test_a_change_that_finds_no_room_is_told_and_judged_when_there_is_some(
    tmp_path: Path, site: Site
) -> None:
    mounts = ["-o size=1m tmpfs /dev/shm", f"-o size=64k tmpfs {tmp_path}/tmp"]
    with cramped(tmp_path, site, *mounts) as server:
        for mount in mounts:
            fill(inside(server, mount.split()[-1]))
        before = get(server.port, "/readyz").json["pack"]["revision"]
        site.add_b12()
        until(lambda: "L002" in json.dumps(get(server.port, "/readyz").json["rejectedPack"]))
        answers(server)
        assert get(server.port, "/readyz").json["pack"]["revision"] == before
        (inside(server, f"{tmp_path}/tmp") / "filler").unlink()
        (inside(server, "/dev/shm") / "filler").unlink()
        until(lambda: get(server.port, "/readyz").json["pack"]["revision"] != before)
        assert site.root.is_dir()


def test_folders_that_somebody_tidied_up(tmp_path: Path, site: Site) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {"CDS_SITE_DIR": str(site.root), "TMPDIR": str(temporary)}
    with launched(tmp_path, **environ) as server:
        answers(server)
        before = get(server.port, "/readyz").json["pack"]["revision"]
        for folder in temporary.iterdir():
            shutil.rmtree(folder)
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        shutil.rmtree(
            next(part for part in maps.split() if "cds-metrics-" in part).rpartition("/")[0]
        )
        answers(server)
        kill_one(server)
        answers(server)
        site.add_b12()
        until(lambda: get(server.port, "/readyz").json["pack"]["revision"] != before)


def test_names_that_somebody_planted(tmp_path: Path, site: Site) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {"CDS_SITE_DIR": str(site.root), "TMPDIR": str(temporary)}
    with launched(tmp_path, **environ) as server:
        answers(server)
        [shared] = [path for path in temporary.iterdir() if path.name.startswith("cds-live-")]
        shutil.rmtree(shared)
        shared.write_text("planted")
        kill_one(server)
        kill_one(server)
        answers(server)
        before = get(server.port, "/readyz").json["pack"]["revision"]
        site.add_b12()
        until(lambda: get(server.port, "/readyz").json["pack"]["revision"] != before)
        until(lambda: get(server.port, "/readyz").json["workersAgree"] is True)
        assert shared.read_text() == "planted"
