"""The terminology wheel: it counts whole, or says why not, and never for another pack."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service.authoring.terminology.data_wheel import write_project
from cds_service.errors import ConfigurationError
from cds_service.packs.data_wheel import MODULE, DataWheel, digest, read_wheel
from cds_service.packs.folder import Folder, read_folder
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT

Json = Any
VERSION = "2099.1.2"
TINY = Path(__file__).resolve().parents[2] / "fixtures" / "rules" / "good" / "tiny" / "hooks"


@pytest.fixture(scope="module")
def hooks() -> Folder:
    return read_folder(CHECKOUT)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel's folder, as it is installed."""
    write_project(CHECKOUT, VERSION, tmp_path)
    return tmp_path / MODULE


def read(wheel: Path, hooks: Folder, **frame: str) -> DataWheel:
    pack = {"name": "leg-cramps", "terminology": "2026.11.27"} | frame
    return read_wheel(wheel, hooks, pack)


def edit(wheel: Path, change: Callable[[Json], object]) -> None:
    manifest = json.loads((wheel / "manifest.json").read_text("utf-8"))
    change(manifest)
    (wheel / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_a_whole_wheel_is_read(wheel: Path, hooks: Folder) -> None:
    data = read(wheel, hooks)
    assert (data.version, data.problems) == (VERSION, [])
    assert data.folder and len(data.folder.files) > 100


def forget_a_set(wheel: Path) -> None:
    (wheel / "data" / "valuesets" / "drug-quinine.json").unlink()
    edit(wheel, lambda manifest: manifest["files"].pop("valuesets/drug-quinine.json"))


@pytest.mark.parametrize(
    ("harm", "code", "told"),
    [
        (lambda w: (w / "manifest.json").write_text("{"), "V024", "damaged"),
        (lambda w: (w / "data/drugs.json").write_text("{}"), "V024", "drugs.json is not what"),
        (lambda w: (w / "data/drugs.json").unlink(), "V024", "drugs.json is missing"),
        (lambda w: (w / "data/valuesets/more.json").write_text("{}"), "V024", "more.json"),
        (lambda w: edit(w, lambda m: m.update(format=2)), "V025", "form 2"),
        (lambda w: edit(w, lambda m: m.update(pack="other")), "V025", "for the pack 'other'"),
        (forget_a_set, "V025", "lacks valuesets/drug-quinine.json"),
    ],
)
def test_another_wheel_is_refused(
    wheel: Path, hooks: Folder, harm: Callable[[Path], object], code: str, told: str
) -> None:
    harm(wheel)
    data = read(wheel, hooks)
    assert data.folder is None
    assert data.problems[0].code == code
    assert told in data.problems[0].message
    assert "leg-cramps-cds-terminology" in data.problems[0].hint


def test_an_older_wheel_counts_with_a_warning(wheel: Path, hooks: Folder) -> None:
    data = read(wheel, hooks, terminology="2099.10.1")
    assert data.folder
    assert [(problem.code, problem.severity) for problem in data.problems] == [("V026", "warning")]


def test_what_is_installed_counts_for_the_programs_own_pack(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drugs = json.loads((wheel / "data" / "drugs.json").read_text("utf-8"))
    drugs["brands"]["Zykloforte"] = ["furosemide"]
    content = json.dumps(drugs)
    (wheel / "data" / "drugs.json").write_text(content, "utf-8")
    edit(wheel, lambda manifest: manifest["files"].update({"drugs.json": digest(content.encode())}))
    monkeypatch.syspath_prepend(wheel.parent)
    pack = load_pack(CHECKOUT, thorough=False)
    assert pack.raw["terminology"] == {"version": VERSION, "from": "wheel"}
    assert pack.terminology.drugs.ingredients_in_text("Zykloforte 40 mg") == ("furosemide",)
    bundled = load_pack(CHECKOUT, thorough=False, wheel=False)
    assert bundled.raw["terminology"]["from"] == "program"
    assert not bundled.terminology.drugs.ingredients_in_text("Zykloforte 40 mg")
    assert pack.revision != bundled.revision
    assert load_pack(TINY, thorough=False).raw["terminology"]["from"] == "program"


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty"):
        write_project(CHECKOUT, VERSION, tmp_path)
