"""The cases of a rule's tests opened in Try, and the changes of a rule that no test notices."""

import html
import re

import pytest
from flask.testing import FlaskClient

from cds_service.packs.load import load_pack
from cds_service.packs.locate import hooks_dir
from cds_service.workbench import cases
from tests.support.pages import post

PACK = load_pack(hooks_dir({}))
RULES = [rule for rule in PACK.rules if rule.status == "active" and cases.of_rule(rule)]


@pytest.mark.parametrize("rule", RULES[::6], ids=lambda rule: rule.id)
def test_a_case_opens_as_its_chart_and_the_rule_says_what_it_expects(
    workbench: FlaskClient, rule: cases.Rule
) -> None:
    case = cases.of_rule(rule)[0]
    page = html.unescape(workbench.get(f"/workbench/try?case={rule.id}&number=1").text)
    assert f"Test case “{case.name}”" in page
    shown = re.search(rf'data-rule="{re.escape(rule.id)}" data-words="[^"]* (\w+)"', page)
    assert shown and shown[1] == case.expect.get(rule.id, "no")


def test_a_case_brings_its_own_settings(workbench: FlaskClient) -> None:
    rule = next(one for one in PACK.rules if one.id == "rls.low-ferritin")
    names = [case.name for case in cases.of_rule(rule)]
    number = names.index("site threshold of 75") + 1
    page = workbench.get(f"/workbench/try?case={rule.id}&number={number}").text
    assert "<code>ferritin.low</code> 50 → 75 ng/mL" in page


@pytest.mark.parametrize("query", ["case=x&number=1", "case=rls.low-ferritin&number=0", "case=rls"])
def test_a_case_that_does_not_exist_is_said(workbench: FlaskClient, query: str) -> None:
    answer = workbench.get(f"/workbench/try?{query}")
    assert answer.status_code == 404
    assert "No rule has this test case." in answer.text


def test_the_mutants_of_a_rule_are_counted_when_asked(workbench: FlaskClient) -> None:
    address = "/workbench/rules/rls.ferritin-unread"
    assert "Count the mutants" in workbench.get(address).text
    answer = post(workbench, f"{address}/mutants", {}, **{"HX-Request": "true"})
    counted = re.match(r"\s*(\d+) of (\d+)", answer.text)
    assert counted and 0 < int(counted[1]) <= int(counted[2])
    assert f"{counted[1]} of {counted[2]}" in workbench.get("/workbench/rules").text
    assert "Count the mutants of rls.ferritin-unread" not in workbench.get(address).text
    assert post(workbench, "/workbench/rules/none/mutants", {}).status_code == 404
