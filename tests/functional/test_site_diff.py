"""`cds rules diff`: what changes for patients between two packs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from tests.support.calls import condition, observation, patient_view
from tests.support.sites import B12, NOW, RULE, Site

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", NOW)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """One patient with a low B12 and one without."""
    folder = tmp_path / "charts"
    folder.mkdir()
    for name, value in (("low", 150), ("normal", 400)):
        call = patient_view(
            conditions=[condition(ICD10, "G47.62")],
            observations=[observation(B12, value, "pg/mL")],
        )
        (folder / f"{name}.json").write_text(json.dumps(call))
    return folder


def cds(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["rules", "diff", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result


def diff(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(main, ["rules", "diff", *map(str, arguments), "--format", "json"])
    return json.loads(result.stdout)


def test_the_same_pack_gives_no_difference(charts: Path) -> None:
    found = diff("shipped", "shipped", "--on", charts)
    assert (found["rules"], found["cards"], found["files"]) == ([], [], 2)


def test_an_added_rule_names_who_gains_its_card(site: Site, charts: Path) -> None:
    site.add_b12()
    found = diff("shipped", site.root, "--on", charts)
    assert f"rule {RULE}: added, active: Low vitamin B12 with leg cramps" in found["rules"]
    assert any(one.startswith("fact lab.b12: added, {") for one in found["rules"])
    assert any(one.startswith(f"rule {RULE}: when in words: ") for one in found["rules"])
    assert any(one.startswith(f"rule {RULE}: card.summary ") for one in found["rules"])
    assert "value set obs-b12-here: added, +1 code (LOINC 2132-9)" in found["rules"]
    gained = [card for card in found["cards"] if card["change"] == "gains"]
    assert [(card["chart"], card["rules"]) for card in gained] == [("low.json", [RULE])]


def test_turned_round_the_card_is_lost(site: Site, charts: Path) -> None:
    site.add_b12()
    found = diff(site.root, "shipped", "--on", charts)
    lost = [card for card in found["cards"] if card["change"] == "loses"]
    assert [(card["chart"], card["rules"]) for card in lost] == [("low.json", [RULE])]


def test_a_shadow_rule_changes_no_card(site: Site, charts: Path) -> None:
    site.add_b12(status="shadow")
    found = diff("shipped", site.root, "--on", charts)
    assert f"rule {RULE}: added, shadow: Low vitamin B12 with leg cramps" in found["rules"]
    assert found["cards"] == []


def test_other_words_are_shown_with_those_before(site: Site, charts: Path, tmp_path: Path) -> None:
    site.add_b12()
    other = Site(tmp_path / "other")
    other.add_b12(word="very low")
    result = cds(site.root, other.root, "--on", charts)
    assert f"rule {RULE}: card.summary 'Leg cramps" in result.output
    assert (
        "~ low.json leg-cramps-patient-view: [warning] Leg cramps and a very low" in result.output
    )
    assert "before: [warning] Leg cramps and a low vitamin B12" in result.output


def test_changes_of_a_rule_are_named(site: Site, tmp_path: Path) -> None:
    site.add_b12()
    other = Site(tmp_path / "other", {"settings": {"ferritin.low": 40}})
    other.add_b12(threshold=250)
    rules = diff(site.root, other.root)["rules"]
    assert f"rule {RULE}: when.all[1].value 200 -> 250" in rules
    assert "setting ferritin.low: 50 -> 40 ng/mL" in rules


def test_profiles_can_be_compared() -> None:
    assert any(
        "rls.guideline-iv-band" in line for line in diff("seed-default", "aasm-2025")["rules"]
    )


def test_a_folder_that_is_neither(tmp_path: Path) -> None:
    result = cds("shipped", tmp_path)
    assert result.exit_code == 1
    assert "neither pack.json nor site.json" in result.output
