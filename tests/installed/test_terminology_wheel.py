"""The terminology wheel beside the program's, in the bare environment (make installed)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.packs.data_wheel import MODULE, digest
from tests.installed.test_wheel import cds, run

__all__ = ["cds"]  # the fixture
pytestmark = pytest.mark.installed
VERSION = "2099.1.2"


def install(cds: str, folder: Path) -> Path:
    """A wheel of another version with one brand more, installed into a folder of its own."""
    project, built, place = folder / "project", folder / "built", folder / "installed"
    run(cds, folder, "terminology", "package", str(project), "--version", VERSION)
    data = project / MODULE
    drugs = json.loads((data / "data" / "drugs.json").read_text("utf-8"))
    drugs["brands"]["Zykloforte"] = ["furosemide"]
    content = json.dumps(drugs).encode()
    (data / "data" / "drugs.json").write_bytes(content)
    manifest = json.loads((data / "manifest.json").read_text("utf-8"))
    manifest["files"]["drugs.json"] = digest(content)
    (data / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(built)]
    subprocess.run([*build, str(project)], check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    pip = [str(Path(cds).with_name("python")), "-m", "pip", "--disable-pip-version-check"]
    options = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([*pip, *options, str(wheel)], check=True, capture_output=True)
    return place


def test_the_dictionary_in_force_is_the_wheels(cds: str, tmp_path: Path) -> None:
    place = install(cds, tmp_path)
    assert ", as shipped" in run(cds, tmp_path, "config", "show")
    there = {"PYTHONPATH": str(place)}
    shown = run(cds, tmp_path, "config", "show", **there)
    assert f"Terminology {VERSION}, from the installed wheel" in shown
    assert "furosemide" in run(cds, tmp_path, "terminology", "find", "Zykloforte", **there)
    told = run(cds, tmp_path, "rules", "diff", "bundled", "current", **there)
    assert "drug dictionary: +1 name ('zykloforte': furosemide)" in told

    (place / MODULE / "data" / "valuesets" / "drug-quinine.json").write_text("{}")
    with pytest.raises(AssertionError, match="V024.*damaged"):
        run(cds, tmp_path, "rules", "check", **there)
