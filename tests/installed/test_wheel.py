"""The wheel in a bare environment, used outside the checkout as a site would (make installed)."""

import json
import os
import re
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.support import fixtures
from tests.support.calls import condition, observation, patient_view
from tests.support.server import Launched, launched
from tests.support.sites import B12, Site
from tests.support.wire import get, post, until

pytestmark = pytest.mark.installed

JUDGED = 120.0  # seconds within which a changed site folder is checked, tested and taken live
PATIENT_VIEW = "/cds-services/leg-cramps-patient-view"
LOW_B12 = patient_view(
    conditions=[condition("http://hl7.org/fhir/sid/icd-10-cm", "G47.62")],
    observations=[observation(B12, 150, "pg/mL")],
)


@pytest.fixture(scope="module")
def cds() -> str:
    """The program `cds` of the environment that .ci/install-wheel made."""
    program = os.environ.get("CDS_INSTALLED")
    if not program:
        pytest.skip("CDS_INSTALLED names no installed program (make installed)")
    return program


def run(cds: str, folder: Path, *arguments: str, **environ: str) -> str:
    """What a command prints. Raises AssertionError where it fails."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [cds, *arguments],
        cwd=folder,
        env={**bare, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def serve(
    cds: str, folder: Path, *arguments: str, **environ: str
) -> AbstractContextManager[Launched]:
    """The installed server, started in a folder."""
    there = ("env", "-C", str(folder))
    return launched(folder, *arguments, command=(cds, "serve"), wrap=there, **environ)


def summaries(server: Launched, request: Any) -> list[str]:
    answer = post(server.port, PATIENT_VIEW, json.dumps(request).encode())
    assert answer.status == 200, answer.body
    return [card["summary"] for card in answer.json["cards"]]


def test_it_is_not_the_checkout_that_runs(cds: str, tmp_path: Path) -> None:
    python = str(Path(cds).with_name("python"))
    home = run(python, tmp_path, "-c", "import cds_service; print(cds_service.__file__)")
    assert Path(cds).parent.parent in Path(home).parents


def test_the_pack_passes_its_checks(cds: str, tmp_path: Path) -> None:
    assert "0 error(s)" in run(cds, tmp_path, "rules", "check")


def test_every_shipped_case_passes(cds: str, tmp_path: Path) -> None:
    told = run(cds, tmp_path, "rules", "test")
    counted = re.search(r"(\d+) cases in \d+ files: 0 failed", told)
    assert counted and int(counted[1]) > 1000


def test_a_new_site_folder_checks_and_tests(cds: str, tmp_path: Path) -> None:
    run(cds, tmp_path, "init", "site")
    assert (tmp_path / "site" / "schemas" / "rule.schema.json").is_file()
    site = {"CDS_SITE_DIR": str(tmp_path / "site")}
    assert "0 error(s)" in run(cds, tmp_path, "rules", "check", **site)
    assert " 0 failed" in run(cds, tmp_path, "rules", "test", **site)


def test_calls_sources_and_samples(cds: str, tmp_path: Path) -> None:
    with serve(cds, tmp_path, "--sample") as server:
        request = fixtures.request("patient-view/cramps-and-restless-legs")
        assert any("ferritin" in summary for summary in summaries(server, request))
        page = get(server.port, "/sources/rls.low-ferritin")
        assert page.status == 200 and b"ferritin" in page.body
        assert get(server.port, "/schemas/rule.schema.json").status == 200
        assert get(server.port, "/Questionnaire/leg-symptoms").status == 200
        assert get(server.port, "/").status == 200
        until(lambda: "uinine" in server.log.read_text("utf-8"), JUDGED)


def test_a_changed_site_folder_goes_live(cds: str, tmp_path: Path) -> None:
    run(cds, tmp_path, "init", "site")
    site = Site(tmp_path / "site")
    environ = {"CDS_SITE_DIR": str(site.root)}
    with serve(cds, tmp_path, **environ) as server:
        assert not any("B12" in summary for summary in summaries(server, LOW_B12))
        site.add_b12()
        until(lambda: any("B12" in summary for summary in summaries(server, LOW_B12)), JUDGED)
