"""`cds add`: what it writes holds, and it leaves nothing behind that does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.packs.load import check_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.ruletests.testing import run_tests
from tests.support.sites import Site

Json = Any
DRUG = ("drug", "imaginarthiazide", "--set", "drug-diuretics", "--code", "99990001")
LAB = ("lab", "25-OH vitamin D", "--name", "vitamin-d", "--code", "1989-3", "--unit", "ng/mL")
RULE = ("rule", "labs.low-vitamin-d", "--fact", "lab.vitamin-d", "--op", "lt", "--value", "20")
SOURCE = ("--source", "Local guideline")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("CDS_SITE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", "2026-11-21T09:00:00Z")
    return Site(tmp_path / "site")


def add(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(main, ["add", *arguments], input=answers, catch_exceptions=False)


def contents(site: Site) -> dict[str, str]:
    return {str(f.relative_to(site.root)): f.read_text() for f in site.root.rglob("*.json")}


def passing(site: Site) -> int:
    assert check_pack(CHECKOUT, site.root) == []
    report = run_tests(CHECKOUT, site.root, [site.root], None)
    assert report.passed, report
    return report.cases


def test_a_new_drug_is_seen_on_every_hook_by_name_and_by_code(site: Site) -> None:
    result = add(*DRUG, "--brand", "Imaginol")
    assert result.exit_code == 0, result.output
    assert passing(site) > 5
    cases = json.loads((site.root / "tests/drug-imaginarthiazide.test.json").read_text())["cases"]
    services = {case["service"] for case in cases}
    assert {"leg-cramps-patient-view", "leg-cramps-order-select", "leg-cramps-order-sign"} <= (
        services
    )
    for form in ("text:imaginarthiazide", "rxnorm:99990001"):
        assert {c["service"] for c in cases if form in json.dumps(c["chart"])} == services


def test_a_second_drug_joins_the_same_set(site: Site) -> None:
    assert add(*DRUG).exit_code == 0
    assert add("drug", "inventamide", "--set", "drug-diuretics").exit_code == 0
    joined = json.loads((site.root / "valuesets/drug-diuretics.json").read_text())
    assert len(joined["compose"]["include"]) == 2
    passing(site)


def test_a_test_and_a_rule_on_it(site: Site) -> None:
    lab = add(*LAB, "--also", "nmol/L=/2.496", "--order-name", "vitamin d")
    assert lab.exit_code == 0, lab.output
    assert check_pack(CHECKOUT, site.root) == []
    result = add(*RULE, "--within", "365", "--unless", "drug.statin", *SOURCE)
    assert result.exit_code == 0, result.output
    assert "shadow" in result.output
    assert passing(site) == 10
    site.write("site.json", {"rules": {"labs.low-vitamin-d": {"status": "active"}}})
    assert passing(site) == 10


@pytest.mark.parametrize(
    "arguments",
    [
        ("drug", "hydroclorothiazide", "--set", "drug-diuretics"),  # misspelt
        ("drug", "imaginarthiazide", "--set", "drug-diuretic"),  # no such set
        ("drug", "hydrochlorothiazide", "--set", "drug-diuretics"),  # in it
        ("drug", "imaginarthiazide", "--set", "drug-diuretics", "--code", "XY1"),  # no system
        ("lab", "Potassium", "--code", "2823-3", "--unit", "mmol/L"),  # lab.potassium is shipped
        (*LAB, "--also", "nmol/L"),
        (*RULE, *SOURCE),  # no such fact
        ("rule", "labs.x", "--fact", "lab.potassium", *SOURCE),  # no threshold
        ("rule", "lab.x", "--fact", "problem.diabetes", *SOURCE),  # no such group
        ("rule", "labs.low-electrolyte", "--fact", "problem.diabetes", *SOURCE),  # shipped
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    site: Site, arguments: tuple[str, ...]
) -> None:
    before = contents(site)
    result = add(*arguments)
    assert result.exit_code == 1, result.output
    assert contents(site) == before


def test_nothing_is_overwritten(site: Site) -> None:
    assert add(*LAB).exit_code == 0
    before = contents(site)
    assert add(*LAB).exit_code == 1
    site.write("rules/low-vitamin-d.json", "mine")
    assert add(*RULE, *SOURCE).exit_code == 1
    assert (site.root / "rules/low-vitamin-d.json").read_text() == "mine"
    site.remove("rules/low-vitamin-d.json")
    assert contents(site) == before


def test_without_a_terminal_a_missing_answer_names_its_flag(site: Site) -> None:
    result = add("lab", "25-OH vitamin D")
    assert result.exit_code == 2
    assert "--code" in result.output


def test_questions_on_a_terminal(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.cli.add._at_terminal", lambda: True)
    answers = "inventamide\ndrug-diuretics, drug-loop-diuretics\n99990002\nInventol\n"
    result = add("drug", answers=answers)
    assert result.exit_code == 0, result.output
    assert "Loop diuretics" in result.output, "the sets are shown with their titles"
    passing(site)
