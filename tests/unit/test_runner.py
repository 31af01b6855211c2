"""The test runner: what passes, what fails, and what it says then."""

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cds_service.authoring.rule_list import rows
from cds_service.facts.definitions import Quantity
from cds_service.protocol.model import Card, Source, Suggestion
from cds_service.rules.model import Pack, Rule
from cds_service.ruletests.junit import junit
from cds_service.ruletests.runner import FileResult, run, run_file, test_files
from cds_service.ruletests.trial import Bench
from tests.support.packs import ORDERS, pack, present, rule

CRAMP, DIURETIC = "icd10:G47.62", "rxnorm:5487"
LOW = {"all": [{"is": "rls"}, {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}]}
RLS = "icd10:G25.81"


def ferritin(value: str, **more: Any) -> dict[str, Any]:
    return {"conditions": [RLS], "observations": [{"code": "loinc:2276-4", "value": value, **more}]}


FIRES = {"name": "low", "chart": ferritin("49.9 ng/mL"), "expect": {"low": "fires"}}
NO = {"name": "at the threshold", "chart": ferritin("50 ng/mL"), "expect": {}}
UNKNOWN = {"name": "a range", "chart": ferritin("<75 ng/mL"), "expect": {"low": "unknown"}}


class Folder:
    """A pack folder with one rule `low` and its test file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "low.test.json"
        self.rule = rule("low", LOW, path=folder / "low.json")
        self.others: list[Rule] = []

    def bench(self, bundles: Path | None = None) -> Bench:
        return Bench(self.pack, bundles)

    def pack(self, profiles: tuple[str, ...] | None) -> Pack:
        chosen = self.rule
        if profiles == ("on",):
            chosen = dataclasses.replace(self.rule, status="active")
        return pack([chosen, *self.others])

    def run(self, *cases: Any, compose: Any = None, **more: Any) -> FileResult:
        content = {"now": "2026-11-21T09:00:00Z", "service": "review", "cases": cases, **more}
        self.path.write_text(json.dumps(content))
        return run_file(self.path, self.bench(self.path.parent), compose)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def problems(result: FileResult) -> str:
    found = [*result.problems, *(problem for case in result.cases for problem in case.problems)]
    return "\n".join(found)


def test_cases_that_come_out_as_expected_pass(folder: Folder) -> None:
    result = folder.run(FIRES, NO, UNKNOWN)
    assert result.passed, problems(result)
    assert result.warnings == ()
    assert [case.trace for case in result.cases] == ["", "", ""]


def test_a_case_that_does_not_fails_with_its_trace(folder: Folder) -> None:
    result = folder.run(FIRES, NO | {"expect": {"low": "fires"}})
    assert not result.passed
    failed = result.cases[1]
    assert failed.problems == ("low: expected fires, got no",)
    assert failed.trace.splitlines() == [
        "low 1.0.0  ->  NO",
        "  no      all of    when",
        "    yes     restless legs    when.all[0]",
        "      yes     restless legs syndrome is recorded"
        "    [Condition/condition-1 rls]    definitions.rls",
        "    no      ferritin is below 50 ng/mL (setting ferritin.low),"
        " within 365 days (setting ferritin.lookback)"
        "    [Observation/observation-1 50 ng/mL 2026-11-11]    when.all[1]",
    ]


def test_an_unexpected_unknown_says_why(folder: Folder) -> None:
    missing = {"name": "x", "chart": {"conditions": [RLS], "missing": ["observations"]}}
    result = folder.run(FIRES, missing | {"expect": {}})
    assert "low: not named in 'expect', so expected no, got unknown (lab.ferritin: " in problems(
        result
    )


def test_a_rule_that_is_not_named_must_say_no(folder: Folder) -> None:
    folder.others = [rule("rls", {"is": "rls"})]
    result = folder.run(FIRES, NO)
    assert "rls: not named in 'expect', so expected no, got fires" in problems(result)
    assert folder.run(FIRES | {"others": "any"}, NO | {"others": "any"}).passed


def test_others_may_be_unknown_where_the_case_says_so(folder: Folder) -> None:
    folder.others = [rule("drug", present("drug.diuretic")), rule("rls", {"is": "rls"})]
    chart = {"conditions": [RLS], "missing": ["medicationRequests", "medicationStatements"]}
    relaxed = {"name": "x", "chart": chart, "expect": {"rls": "fires"}, "others": "no-or-unknown"}
    named = [case | {"expect": case["expect"] | {"rls": "fires"}} for case in (FIRES, NO)]
    assert folder.run(*named, relaxed).passed
    strict = relaxed | {"others": "no"}
    assert "drug: not named" in problems(folder.run(*named, strict))
    not_unknown = relaxed | {"expect": {}}
    assert "rls: not named" in problems(folder.run(*named, not_unknown))


def test_a_shadow_rule_that_is_not_named_may_fire(folder: Folder) -> None:
    folder.others = [rule("rls", {"is": "rls"}, status="shadow")]
    assert folder.run(FIRES, NO).passed


def test_a_misspelt_rule_is_no_expectation(folder: Folder) -> None:
    result = folder.run(FIRES, NO | {"expect": {"lwo": "no"}})
    assert "lwo: no such rule. Did you mean 'low'?" in problems(result)


def test_a_rule_that_raises_fails_whatever_is_expected(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cds_service.facts import base

    def broken(query: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(base.READERS, Quantity, broken)
    result = folder.run(NO | {"others": "any"})
    assert "got error (ZeroDivisionError)" in problems(result)
    assert "low 1.0.0  ->  ERROR  (ZeroDivisionError)" in result.cases[0].trace


def test_a_rule_needs_cases_for_fires_and_no_and_should_have_one_for_unknown(
    folder: Folder,
) -> None:
    assert "no case in which low says 'fires'" in folder.run(NO).problems
    assert "no case in which low says 'no'" in folder.run(FIRES).problems
    assert folder.run(FIRES, NO).warnings == ("no case in which low says 'unknown'",)


def test_no_cases_have_not_passed(folder: Folder) -> None:
    assert not folder.run().passed
    assert not run([], folder.bench()).passed


def test_because_is_sought_in_the_reasons_and_the_trace(folder: Folder) -> None:
    preliminary = {
        "name": "preliminary",
        "chart": ferritin("40 ng/mL", status="preliminary"),
        "expect": {"low": "unknown"},
        "because": ["a result is preliminary", "restless legs syndrome is recorded"],
    }
    assert folder.run(FIRES, NO, preliminary).passed
    wrong = preliminary | {"because": ["no unit"]}
    assert "because: no trace holds 'no unit'" in problems(folder.run(FIRES, NO, wrong))


def test_settings_and_profiles_of_a_case(folder: Folder) -> None:
    higher = {
        "name": "with 75",
        "chart": ferritin("60 ng/mL"),
        "settings": {"ferritin.low": 75},
        "expect": {"low": "fires"},
    }
    assert folder.run(FIRES, NO, higher).passed
    misspelt = higher | {"settings": {"feritin.low": 75}}
    assert "no setting 'feritin.low'. Did you mean 'ferritin.low'?" in problems(
        folder.run(misspelt)
    )


def test_a_draft_rule_is_run_by_its_own_tests_alone(folder: Folder, tmp_path: Path) -> None:
    folder.rule = dataclasses.replace(folder.rule, status="draft")
    assert folder.run(FIRES, NO).passed
    elsewhere = tmp_path / "other.test.json"
    elsewhere.write_text(folder.path.read_text())
    assert "low: expected fires, got no" in problems(run_file(elsewhere, folder.bench()))


def test_a_draft_rule_that_a_profile_makes_active_is_off_without_it(folder: Folder) -> None:
    folder.rule = dataclasses.replace(folder.rule, status="draft")
    off = FIRES | {"name": "off", "expect": {}}
    assert folder.run(FIRES | {"profile": ["on"]}, off).passed


def test_order_services_are_tested_with_drafts(folder: Folder) -> None:
    quinine = rule("quinine", present("draft.quinine"), hooks=(ORDERS.hook,))
    folder.rule = dataclasses.replace(quinine, path=folder.rule.path)
    drafts = [{"drug": "rxnorm:9071"}, {"drug": DIURETIC}]
    fires = {"name": "quinine", "chart": {"drafts": drafts}, "expect": {"quinine": "fires"}}
    chart = {"drafts": [{"drug": "rxnorm:9071", "selected": False}]}
    not_selected = {"name": "not selected", "chart": chart, "expect": {}}
    assert folder.run(fires, not_selected, service="orders").passed


def test_a_bundle_stands_for_a_chart(folder: Folder) -> None:
    bundle = {"entry": [{"resource": {"resourceType": "Patient", "id": "p"}}]}
    (folder.path.parent / "ann.json").write_text(json.dumps(bundle))
    from_bundle = {"name": "ann", "bundle": "ann.json", "expect": {}}
    assert folder.run(FIRES, from_bundle).passed
    outside = from_bundle | {"bundle": "../ann.json"}
    assert "no file '../ann.json'" in problems(folder.run(FIRES, outside))


# Cards


def one_card(pack_: Pack, service: Any, evaluation: Any, facts: Any, request: Any) -> list[Card]:
    """Stands for the cards layer: a card for each finding."""
    return [
        Card(
            uuid="u",
            summary=finding.card["summary"],
            indicator=finding.card["indicator"],
            source=Source("s"),
            detail="Ferritin was low.",
            suggestions=(Suggestion("Order", "v"),),
            rules=((finding.rule.id, finding.rule.version),),
        )
        for finding in evaluation.findings
    ]


CARD = {"indicator": "info", "summary": "summary of low"}


@pytest.mark.parametrize(
    ("cards", "says"),
    [
        ([CARD], ""),
        ([CARD | {"contains": ["was low"], "suggestions": ["Order"], "rules": ["low"]}], ""),
        ([CARD | {"detail": "was low", "suggestions": 1}], ""),
        ([], "expected 0, got 1 (info: summary of low)"),
        ([CARD | {"indicator": "warning"}], "indicator is 'info', expected 'warning'"),
        ([CARD | {"summary": "other"}], "summary is 'summary of low', expected 'other'"),
        ([CARD | {"contains": ["was high"]}], "the detail does not hold 'was high'"),
        ([CARD | {"suggestions": 2}], "has 1 suggestions, expected 2"),
        ([CARD | {"suggestions": ["Buy"]}], "suggests ['Order']"),
        ([CARD | {"rules": ["other"]}], "rests on low"),
    ],
)
def test_expected_cards(folder: Folder, cards: Any, says: str) -> None:
    result = folder.run(FIRES | {"cards": cards}, NO | {"cards": []}, compose=one_card)
    assert says in problems(result)
    assert result.passed == (not says)


def test_cards_that_cannot_be_composed_fail_their_case(folder: Folder) -> None:
    def broken(*_: Any) -> list[Card]:
        raise KeyError("lab.ferritin.value")

    result = folder.run(FIRES | {"cards": [CARD]}, NO, compose=broken)
    assert "cards: could not be composed (KeyError: 'lab.ferritin.value')" in problems(result)


# Files


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nwo": "x"}, "'nwo' is not known here. Did you mean 'now'?"),
        ({"now": "soon"}, "not a date and time: 'soon'"),
        ({"service": "reviw"}, "no service 'reviw'. Did you mean 'review'?"),
        ({"cases": [FIRES, FIRES]}, "two cases have the name 'low'"),
        ({"cases": [FIRES | {"expect": {"low": "fire"}}]}, "cases[0].expect.low: must be one of"),
        ({"cases": [{"name": "x"}]}, "cases[0]: needs 'expect'"),
        ({"cases": [FIRES | {"chart": {"condition": []}}]}, "Did you mean 'conditions'?"),
        ({"cases": {}}, "cases: must be a list"),
    ],
)
def test_a_wrong_test_file_is_a_failure_that_says_what_is_wrong(
    folder: Folder, change: Any, says: str
) -> None:
    content = {"now": "2026-11-21", "service": "review", "cases": [FIRES, NO], **change}
    folder.path.write_text(json.dumps(content))
    result = run_file(folder.path, folder.bench())
    assert not result.passed
    assert says in problems(result)


def test_a_file_that_is_not_json_is_a_failure_with_its_line(folder: Folder) -> None:
    folder.path.write_text('{"now": "2026-11-21",\n "now": 1}')
    result = run_file(folder.path, folder.bench())
    assert "low.test.json:2:" in problems(result)


def test_test_files_are_found_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/x.test.json", "a/y.test.json", "a/y.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [path.name for path in test_files(tmp_path)] == ["y.test.json", "x.test.json"]


def test_junit(folder: Folder) -> None:
    folder.run(FIRES, NO | {"expect": {"low": "fires"}, "name": "<&>"})
    report = run([folder.path], folder.bench())
    tree = ElementTree.fromstring(junit(report, folder.path.parent))
    assert tree.attrib == {"tests": "3", "failures": "2"}  # the file itself is one
    [suite] = tree
    assert suite.attrib["name"] == "low.test.json"
    failures = [case for case in suite if case.find("failure") is not None]
    assert [case.attrib["name"] for case in failures] == ["(file)", "<&>"]


def test_rows_of_the_list() -> None:
    [row] = rows(pack([rule("low", LOW, unless=present("drug.iron"), status="draft")]))
    assert row.services == ("review",)
    assert row.facts == ("problem.rls", "lab.ferritin", "drug.iron")
    assert row.settings == ("ferritin.low=50 ng/mL",)
    assert row.as_json()["status"] == "draft"
    assert "review_by" not in row.as_json()
