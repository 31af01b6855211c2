"""The command line as a person uses it: output, exit codes, and never a traceback."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from cds_service.authoring.request_check import departures
from cds_service.cli import config, main, present, tables
from cds_service.cli.feedback import as_json
from cds_service.errors import Problem
from cds_service.packs import load
from cds_service.store.record import RuleFeedback

QUININE = Path("fixtures/requests/order-select/quinine.json")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", "2026-11-21T09:00:00Z")
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'cds.sqlite3'}")


def cds(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(result: Result) -> str:
    """The message of a command that failed as it should: exit code 1, nothing but words."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def test_help_names_every_command() -> None:
    result = cds("--help")
    assert result.exit_code == 0
    for command in ("call", "config", "feedback", "request", "rules", "serve", "terminology"):
        assert f"\n  {command} " in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["call"],
        ["config", "show"],
        ["feedback", "report"],
        ["request", "check"],
        ["rules", "check"],
        ["rules", "test"],
        ["rules", "explain"],
        ["rules", "list"],
        ["serve"],
        ["terminology", "build"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = cds(*command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_an_unknown_command_is_wrong_use() -> None:
    assert cds("frobnicate").exit_code == 2


class TestFaults:
    def test_a_request_that_is_not_json_is_located(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text('{"hook": \n ,}')
        assert f"{bad}:2:2 is not JSON" in refused(cds("request", "check", bad))

    def test_a_request_that_is_no_object(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text("[]")
        assert "no JSON object" in refused(cds("request", "check", bad))

    def test_a_wrong_environment_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CDS_PORT", "many")
        assert "CDS_PORT" in refused(cds("rules", "list"))

    def test_no_pack_is_told(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CDS_HOOKS_DIR", str(tmp_path))
        assert "pack.json" in refused(cds("rules", "list"))

    def test_an_unusable_database_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CDS_DATABASE_URL", "sqlite:////no/such/folder/x.sqlite3")
        assert "CDS_DATABASE_URL" in refused(cds("feedback", "report"))

    def test_a_service_that_is_not_there(self) -> None:
        # Port 9 (discard) on this machine: nothing listens there.
        told = refused(cds("call", QUININE, "--url", "http://127.0.0.1:9"))
        assert "does not answer" in told
        assert "cds serve" in told

    def test_an_address_that_is_none(self) -> None:
        assert "no http(s) address" in refused(cds("call", QUININE, "--url", "ftp://x"))


class TestRulesCheck:
    def problem(self, severity: Any) -> Problem:
        return Problem("rules/x.json", 3, 5, "$.stauts", "R014", "Unknown key.", "", severity)

    @pytest.mark.parametrize(
        ("severities", "code", "verdict"),
        [
            ([], 0, "0 error(s), 0 warning(s)"),
            (["warning"], 3, "0 error(s), 1 warning(s)"),
            (["warning", "error"], 1, "1 error(s), 1 warning(s)"),
        ],
    )
    def test_exit_codes(
        self, severities: list[str], code: int, verdict: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        problems = [self.problem(severity) for severity in severities]
        monkeypatch.setattr(load, "check_pack", lambda *_, **__: problems)
        result = cds("rules", "check")
        assert (result.exit_code, result.output.splitlines()[-1]) == (code, verdict)

    def test_json_has_the_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(load, "check_pack", lambda *_, **__: [self.problem("error")])
        [shown] = json.loads(cds("rules", "check", "--format", "json").output)
        assert (shown["file"], shown["line"], shown["code"]) == ("rules/x.json", 3, "R014")


class TestRequestCheck:
    def departures(self, **changes: Any) -> list[tuple[str, str]]:
        request = orjson.loads(QUININE.read_bytes())
        request |= changes
        found = departures(orjson.dumps(request), request)
        return [(departure.severity, departure.place) for departure in found]

    def test_a_good_request_has_none(self) -> None:
        assert self.departures() == []
        assert cds("request", "check", QUININE).exit_code == 0

    def test_what_is_refused_is_an_error(self, tmp_path: Path) -> None:
        assert ("error", "hookInstance") in self.departures(hookInstance=None)

    def test_a_hook_that_nothing_answers(self) -> None:
        assert self.departures(hook="encounter-start")[0] == ("error", "hook")

    def test_a_resource_that_is_not_r4_is_a_warning_with_its_place(self) -> None:
        condition = {"resourceType": "Condition", "id": "c1", "clinicalStatus": "active"}
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": condition}]}
        found = self.departures(prefetch={"conditions": bundle})
        assert found
        assert {severity for severity, _ in found} == {"warning"}
        assert all("prefetch.conditions.entry[0].resource" in place for _, place in found)

    def test_no_value_is_shown(self, tmp_path: Path) -> None:
        request = orjson.loads(QUININE.read_bytes())
        request["prefetch"] = {
            "patient": {"resourceType": "Patient", "birthDate": "SECRET", "gender": ["SECRET"]}
        }
        file = tmp_path / "request.json"
        file.write_bytes(orjson.dumps(request))
        result = cds("request", "check", file)
        assert result.exit_code == 3
        assert "SECRET" not in result.output

    def test_an_unknown_resource_type(self) -> None:
        for kind in ("MedicationOrder", "../os", ""):
            found = self.departures(prefetch={"x": {"resourceType": kind}})
            assert [severity for severity, _ in found] == ["warning"]


class TestPresent:
    card: dict[str, Any] = {
        "indicator": "critical",
        "summary": "Quinine is not recommended",
        "detail": "First.\n\n- Ferritin: &lt;5 ng/mL\n- a\\*b",
        "source": {"label": "FDA", "url": "https://cds.example.org/sources/x"},
        "selectionBehavior": "any",
        "suggestions": [
            {
                "label": "Remove this order",
                "isRecommended": True,
                "actions": [{"type": "delete", "resourceId": "MedicationRequest/d1"}],
            }
        ],
        "overrideReasons": [{"display": "Treating malaria"}],
    }

    def test_everything_on_the_card_is_printed_readably(self) -> None:
        text = present.cards_text("orders", [self.card])
        for part in (
            "orders: 1 card",
            "[CRITICAL] Quinine is not recommended",
            "  - Ferritin: <5 ng/mL",
            "  - a*b",
            "    - Remove this order (recommended)",
            "      delete MedicationRequest/d1",
            "Treating malaria",
            "Source: FDA",
            "https://cds.example.org/sources/x",
        ):
            assert part in text.splitlines() or part in text

    def test_no_card_is_said(self) -> None:
        assert present.cards_text("orders", []) == "orders: no cards."

    def test_lines_are_wrapped(self) -> None:
        long = self.card | {"detail": "word " * 100}
        assert max(map(len, present.cards_text("x", [long]).splitlines())) <= present.WIDTH


class TestFeedbackReport:
    rows = [RuleFeedback("rls.low-ferritin", "1.0.0", 10, 3, 2, {"not-rls": 1, "": 1})]

    def test_json(self) -> None:
        [row] = json.loads(as_json(self.rows))
        assert row["reasons"] == {"not-rls": 1, "": 1}

    def test_an_empty_database_gives_the_head_alone(self) -> None:
        result = cds("feedback", "report", "--format", "csv")
        assert (result.exit_code, len(result.output.splitlines())) == (0, 1)


def test_a_table_is_aligned_and_has_no_trailing_blanks() -> None:
    assert tables.table([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]


def test_switches_are_on_or_off() -> None:
    from tests.unit.cards_support import pack

    text = config.as_text(pack())
    assert "All rules are as shipped." in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("on ")] == [
        ["on", "on"]
    ]
