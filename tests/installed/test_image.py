"""deploy/Containerfile, built and run without a daemon (make image), as deploy/ runs it: no rights,
a root that cannot be written to, an unprivileged user.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support import fixtures
from tests.support.podman import IMAGE, Podman, usable
from tests.support.server import free_port
from tests.support.sites import RULE, Site
from tests.support.wire import get, post, until

pytestmark = pytest.mark.installed

QUININE = json.dumps(fixtures.request("order-select/quinine")).encode()
USER = 10001


@pytest.fixture(scope="module")
def podman() -> Podman:
    return usable()


def environment(**more: str) -> dict[str, str]:
    """Of a container in the machine's network, where only this machine reaches it."""
    port = str(free_port())
    return {"CDS_AUTH": "off", "CDS_HOST": "127.0.0.1", "CDS_PORT": port, **more}


def answers(environ: dict[str, str]) -> bool:
    try:
        return get(int(environ["CDS_PORT"]), "/readyz").status == 200
    except OSError:
        return False


def of_image(podman: Podman) -> Any:
    [told] = json.loads(podman("image", "inspect", IMAGE).stdout)
    return told


def test_it_answers_unprivileged_and_stops(podman: Podman) -> None:
    environ = environment()
    with podman.started(**environ) as name:
        until(lambda: answers(environ))
        answer = post(int(environ["CDS_PORT"]), "/cds-services/leg-cramps-order-select", QUININE)
        assert [card["indicator"] for card in answer.json["cards"]] == ["critical"]

        status = podman("exec", name, "cat", "/proc/1/status").stdout
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert {int(user) for user in told["Uid"].split()} == {USER}
        assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0
        assert told["NoNewPrivs"] == "1"
        for place in ("/opt/cds/x", "/x", "/etc/x"):
            assert podman("exec", name, "touch", place, check=False).returncode

        logged = podman("logs", name)
        assert '"event": "call"' in logged.stdout + logged.stderr

        kind, *command = of_image(podman)["Healthcheck"]["Test"]
        assert kind == "CMD"
        podman("exec", name, *command)

        podman("stop", "--time=45", name)
        assert podman("inspect", "--format={{.State.ExitCode}}", name).stdout.strip() == "0"


def test_a_health_check_fails_where_nobody_answers(podman: Podman) -> None:
    command = of_image(podman)["Healthcheck"]["Test"][1:]
    with podman.started(**environment()) as name:
        failing = podman("exec", "--env=CDS_PORT=9", name, *command, check=False)
        assert "refused" in failing.stderr


def test_a_site_and_a_database_of_its_own(podman: Podman, tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.add_b12()
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, USER, USER)
    mounts = (f"--volume={site.root}:/site:ro", f"--volume={data}:/data")
    environ = environment(CDS_SITE_DIR="/site", CDS_DATABASE_URL="sqlite:////data/cds.sqlite3")
    with podman.started(*mounts, **environ) as name:
        until(lambda: answers(environ))
        listed = podman("exec", name, "cds", "rules", "list").stdout
        assert RULE in listed
        podman("exec", name, "cds", "db", "upgrade")
        assert "pack" in podman("exec", name, "cds", "audit").stdout
    assert (data / "cds.sqlite3").stat().st_uid == USER
