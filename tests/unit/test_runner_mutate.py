"""Mutation: a slip in a rule that no case notices is found, one that is noticed is not named."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.authoring.mutation.changes import rule_mutants
from cds_service.authoring.mutation.run import MutationResult, mutate, mutate_definitions
from cds_service.protocol.model import Card, Source
from cds_service.rules.model import Pack, Rule
from cds_service.ruletests.trial import Bench
from tests.support.packs import pack, present, rule

RLS, DIALYSIS, IRON = "icd10:G25.81", "icd10:Z99.2", "rxnorm:90176"
LOW = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}


def ferritin(value: str, days: int = 10, *conditions: str, **more: Any) -> dict[str, Any]:
    result = {"code": "loinc:2276-4", "value": value, "date": f"-{days}d"}
    return {"conditions": [RLS, *conditions], "observations": [result], **more}


def case(name: str, chart: Any, outcome: str = "no", **more: Any) -> dict[str, Any]:
    return {"name": name, "chart": chart, "expect": {"low": outcome}, **more}


THOROUGH = [
    case("just below", ferritin("49.9 ng/mL"), "fires"),
    case("at the threshold", ferritin("50 ng/mL")),
    case("day 365", ferritin("40 ng/mL", 365), "fires"),
    case("day 366", ferritin("40 ng/mL", 366)),
    case("no RLS", {"observations": [{"code": "loinc:2276-4", "value": "40 ng/mL"}]}),
    case("dialysis", ferritin("40 ng/mL", 10, DIALYSIS)),
    case("iron", ferritin("40 ng/mL", requests=[IRON])),
]
UNLESS = {"any": [present("problem.dialysis"), present("drug.iron")]}


def the_rule(folder: Path, **fields: Any) -> Rule:
    when = {"all": [{"is": "rls"}, LOW]}
    return rule("low", when, **{"unless": UNLESS, "path": folder / "low.json", **fields})


def tried(
    folder: Path, cases: Any, given: Rule | None = None, compose: Any = None, **more: Any
) -> MutationResult:
    content = {"now": "2026-11-21T09:00:00Z", "service": "review", "cases": cases}
    path = folder / "low.test.json"
    path.write_text(json.dumps(content | more.pop("file", {})))
    chosen = given or the_rule(folder)

    def pack_for(profiles: tuple[str, ...] | None) -> Pack:
        built = pack([chosen])
        ferritin_low = replace(built.settings["ferritin.low"], step=Decimal(5))
        return replace(built, settings={**built.settings, "ferritin.low": ferritin_low})

    [result] = mutate([path], Bench(pack_for), compose, **more)
    return result


def survivors(result: MutationResult) -> set[str]:
    return {f"{mutant.path}: {mutant.change}" for mutant in result.survivors}


FILTERS = {
    "facts.json problem.dialysis: verification confirmed dropped",
    "facts.json problem.dialysis: verification suspected dropped",
    "facts.json problem.dialysis: verification refuted added",
    "facts.json problem.dialysis: clinical active -> any",
    "facts.json drug.iron: routes systemic -> any",
}


def test_tests_at_both_sides_of_every_boundary_catch_every_slip_of_the_rule(
    tmp_path: Path,
) -> None:
    result = tried(tmp_path, THOROUGH)
    assert survivors(result) == FILTERS - {
        "facts.json problem.dialysis: verification confirmed dropped"
    }
    assert result.caught == result.total - len(result.survivors)


@pytest.mark.parametrize(
    ("missing", "change"),
    [
        ("at the threshold", "when.all[1]: lt -> le"),
        ("at the threshold", "when.all[1]: ferritin.low 50 -> 55"),
        ("just below", "when.all[1]: ferritin.low 50 -> 45"),
        ("day 365", "when.all[1]: within ferritin.lookback (365 days) -> 364"),
        ("day 366", "when.all[1]: within ferritin.lookback (365 days) -> 366"),
        ("dialysis", "unless.any[0]: dropped"),
        ("iron", "unless.any[1]: dropped"),
        ("dialysis", "facts.json problem.dialysis: verification confirmed dropped"),
    ],
)
def test_without_a_boundary_case_its_slip_is_not_caught(
    tmp_path: Path, missing: str, change: str
) -> None:
    cases = [case for case in THOROUGH if case["name"] != missing]
    assert change in survivors(tried(tmp_path, cases))
    assert change not in survivors(tried(tmp_path, THOROUGH))


def test_all_and_any_and_a_lost_unless(tmp_path: Path) -> None:
    cases = [case("just below", ferritin("49.9 ng/mL"), "fires")]
    missed = survivors(tried(tmp_path, cases))
    assert {"when: all -> any", "unless: dropped"} <= missed
    caught = survivors(tried(tmp_path, [*cases, THOROUGH[4], THOROUGH[5]]))
    assert not {"when: all -> any", "unless: dropped"} & caught


def test_a_case_that_says_nothing_of_other_rules_notices_nothing(tmp_path: Path) -> None:
    open_case = {"name": "x", "chart": ferritin("50 ng/mL"), "expect": {}, "others": "any"}
    assert "when.all[1]: lt -> le" in survivors(tried(tmp_path, [THOROUGH[0], open_case]))
    closed = open_case | {"others": "no"}
    assert "when.all[1]: lt -> le" not in survivors(tried(tmp_path, [THOROUGH[0], closed]))


def test_a_slip_in_a_variant_is_seen_on_the_card_alone(tmp_path: Path) -> None:
    variants = ({"when": present("drug.iron"), "card": {"summary": "on iron"}},)
    varied = the_rule(tmp_path, unless=None, variants=variants)

    def compose(pack_: Any, service: Any, evaluation: Any, *_: Any) -> list[Card]:
        low = [finding for finding in evaluation.findings if finding.rule.id == "low"]
        return [Card("u", finding.card["summary"], "info", Source("s")) for finding in low]

    change = "variants[0].when: present -> absent"
    fires = case("iron", ferritin("40 ng/mL", requests=[IRON]), "fires")
    assert change in survivors(tried(tmp_path, [fires], varied, compose))
    shown = fires | {"cards": [{"summary": "on iron"}]}
    assert change in survivors(tried(tmp_path, [shown], varied))
    assert change not in survivors(tried(tmp_path, [shown], varied, compose))


def test_a_survivor_is_accepted_with_a_reason_only(tmp_path: Path) -> None:
    entry = {"path": "facts.json drug.iron", "change": "routes systemic -> any"}
    with_reason = entry | {"reason": "there is no local iron"}
    in_file = tried(tmp_path, THOROUGH, file={"equivalent": [with_reason]})
    assert [str(accepted) for accepted in in_file.accepted] == [
        "low facts.json drug.iron: routes systemic -> any"
    ]
    assert len(tried(tmp_path, THOROUGH, accepted=[with_reason | {"rule": "low"}]).accepted) == 1
    assert tried(tmp_path, THOROUGH, accepted=[entry]).accepted == ()
    assert tried(tmp_path, THOROUGH, accepted=[with_reason | {"rule": "other"}]).accepted == ()


def test_an_accepted_change_that_is_caught_is_stale(tmp_path: Path) -> None:
    entry = {"rule": "low", "path": "when.all[1]", "change": "lt -> le", "reason": "none"}
    result = tried(tmp_path, THOROUGH, accepted=[entry])
    assert result.stale == ("low when.all[1]: lt -> le",)
    assert "STALE       low when.all[1]: lt -> le" in result.as_text()


def test_the_report_names_what_is_not_caught(tmp_path: Path) -> None:
    lines = tried(tmp_path, THOROUGH[:1]).as_text().splitlines()
    assert lines[0].startswith("low: ")
    assert lines[0].endswith(" changes are caught by the tests")
    assert "NOT CAUGHT  low when.all[1]: lt -> le" in lines


def test_a_file_that_cannot_be_run_says_so(tmp_path: Path) -> None:
    assert "no cases" in tried(tmp_path, []).as_text()
    assert "needs 'expect'" in tried(tmp_path, [{"name": "x"}]).as_text()
    alone = the_rule(tmp_path, path=None)
    assert "no rule stands beside" in tried(tmp_path, THOROUGH, alone).as_text()


def test_steps_of_thresholds_without_a_setting_are_of_the_last_digit() -> None:
    when = {"fact": "lab.potassium", "op": "lt", "value": 3.5, "unit": "mmol/L"}
    changed = rule("r", when)
    changes = [mutant.change for mutant in rule_mutants(changed, pack([changed]))]
    assert changes == ["lt -> le", "value 3.5 -> 3.4", "value 3.5 -> 3.6"]


def test_look_backs_of_a_leaf() -> None:
    changed = rule("r", present("order.ferritin", within="P30D"))
    changes = [mutant.change for mutant in rule_mutants(changed, pack([changed]))]
    assert changes == [
        "present -> absent",
        "within P30D (30 days) -> 29",
        "within P30D (30 days) -> 31",
        "within P30D dropped",
    ]


def test_not_and_certainly_can_be_lost_and_a_switch_turned() -> None:
    changed = rule("r", {"not": {"certainly": {"setting": "demo", "is": True}}})
    mutants = [(mutant.path, mutant.change) for mutant in rule_mutants(changed, pack([changed]))]
    assert mutants == [
        ("when", "not dropped"),
        ("when.not", "certainly dropped"),
        ("when.not.certainly", "is true -> false"),
    ]


def test_a_slip_in_a_definition_is_sought_in_all_cases(tmp_path: Path) -> None:
    content = {"now": "2026-11-21T09:00:00Z", "service": "review", "cases": THOROUGH}
    path = tmp_path / "low.test.json"
    path.write_text(json.dumps(content))
    low = the_rule(tmp_path)

    def results(cases: Any) -> dict[str, set[str]]:
        path.write_text(json.dumps(content | {"cases": cases}))
        by_definition = mutate_definitions([path], Bench(lambda _: pack([low])))
        return {result.subject: survivors(result) for result in by_definition}

    assert "definitions.rls: present -> absent" not in results(THOROUGH)["rls"]
    dropped = "facts.json problem.rls: verification confirmed dropped"
    assert dropped not in results(THOROUGH)["problem.rls"]
    assert "definitions.complaint: present -> absent" in results(THOROUGH)["complaint"]
    provisional = {"code": RLS, "verification": "provisional"}
    suspected = case("suspected", ferritin("40 ng/mL") | {"conditions": [provisional]}, "fires")
    change = "facts.json problem.rls: verification suspected dropped"
    assert change in results(THOROUGH)["problem.rls"]
    assert change not in results([*THOROUGH, suspected])["problem.rls"]


def test_a_case_that_fails_already_notices_nothing(tmp_path: Path) -> None:
    wrong = case("wrong", ferritin("50 ng/mL"), "fires")
    assert tried(tmp_path, [wrong]).caught == 0
