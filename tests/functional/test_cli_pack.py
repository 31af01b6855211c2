"""The command line on the shipped pack: what a person sees of the two sample calls."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main

PATIENT_VIEW = Path("fixtures/requests/patient-view/cramps-and-restless-legs.json")
QUININE = Path("fixtures/requests/order-select/quinine.json")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", "2026-11-21T09:00:00Z")


def cds(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def test_the_sample_call_shows_a_diuretic_and_a_low_ferritin() -> None:
    result = cds("call", PATIENT_VIEW)
    assert result.exit_code == 0
    summaries = [line for line in result.output.splitlines() if line.startswith("[")]
    assert any(line.startswith("[WARNING] RLS with ferritin 32 ng/mL") for line in summaries)
    assert any("hydrochlorothiazide" in line for line in summaries)


def test_the_quinine_order_is_critical_and_can_be_removed() -> None:
    result = cds("call", QUININE)
    assert result.exit_code == 0
    assert "[CRITICAL] Quinine" in result.output
    assert "(recommended)" in result.output
    assert "delete MedicationRequest/draft-1" in result.output


def test_json_is_what_an_ehr_would_get() -> None:
    answers = json.loads(cds("call", QUININE, "--format", "json").output)
    [card] = answers["leg-cramps-order-select"]
    assert card["extension"]["com.legcramps.cds"]["draft"] == "MedicationRequest/draft-1"


def test_one_service_can_be_asked() -> None:
    result = cds("call", PATIENT_VIEW, "--service", "leg-symptoms-screen")
    assert result.output == "leg-symptoms-screen: no cards.\n"


def test_a_service_that_refuses_is_told_and_the_other_still_answers() -> None:
    result = cds("call", "fixtures/requests/patient-view/conditions-not-sent.json")
    assert result.exit_code == 1
    assert "leg-cramps-patient-view: 412" in result.output
    assert "leg-symptoms-screen: " in result.output


def test_explain_says_why() -> None:
    result = cds("rules", "explain", QUININE, "--rule", "order.quinine")
    assert result.exit_code == 0
    assert "order.quinine" in result.output
    assert "FIRES" in result.output


def test_explain_refuses_a_rule_that_is_not_there() -> None:
    result = cds("rules", "explain", QUININE, "--rule", "order.quinin")
    assert result.exit_code == 1
    assert "There is no rule order.quinin." in result.output


def test_the_rules_are_listed_with_their_status() -> None:
    rows = json.loads(cds("rules", "list", "--format", "json").output)
    by_id = {row["rule"]: row for row in rows}
    assert by_id["rls.low-ferritin"]["status"] == "active"
    assert by_id["rls.low-ferritin"]["indicator"] == "warning"


def test_the_configuration_names_value_unit_and_origin() -> None:
    shown = json.loads(cds("config", "show", "--format", "json").output)
    [ferritin] = [row for row in shown["settings"] if row["setting"] == "ferritin.low"]
    assert (ferritin["value"], ferritin["unit"], ferritin["default"]) == ("50", "ng/mL", "50")
    assert "pack.json" in ferritin["origin"]


def test_a_profile_changes_values_and_rules() -> None:
    shown = json.loads(
        cds("config", "show", "--profile", "acc-aha-2024", "--format", "json").output
    )
    [abi] = [row for row in shown["settings"] if row["setting"] == "abi.high"]
    assert abi["value"] != abi["default"]
    changed = json.loads(cds("config", "show", "--profile", "aasm-2025", "--format", "json").output)
    assert "rls.guideline-band" in changed["rulesOverridden"]


def test_a_rules_tests_run() -> None:
    result = cds("rules", "test", "hooks/patient-view/rls/low-ferritin.test.json")
    assert result.exit_code == 0
    assert ": 0 failed" in result.output


def test_a_failing_test_shows_its_trace(tmp_path: Path) -> None:
    tests = json.loads(Path("hooks/patient-view/rls/low-ferritin.test.json").read_text())
    case = next(c for c in tests["cases"] if c["expect"].get("rls.low-ferritin") == "fires")
    tests["cases"] = [case | {"expect": {"rls.low-ferritin": "no"}}]
    file = tmp_path / "low-ferritin.test.json"
    file.write_text(json.dumps(tests))
    result = cds("rules", "test", file)
    assert result.exit_code == 1
    assert "FAILED" in result.output
    assert "rls.low-ferritin" in result.output


def test_no_tests_is_no_success(tmp_path: Path) -> None:
    result = cds("rules", "test", tmp_path)
    assert result.exit_code == 1
    assert "shows nothing" in result.output
