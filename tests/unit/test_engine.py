"""What the engine makes of facts: outcomes, findings, exclusions, drafts and faults."""

from typing import Any

import pytest

from cds_service.facts.model import Fact, Item, State
from cds_service.rules.engine import compile_rules, evaluate
from cds_service.rules.model import Evaluation, Rule, ServiceDefinition
from tests.support.fake_facts import FakeFacts, absent, known, measured, unknown
from tests.support.packs import ORDERS, REVIEW, pack, present, rule

COMPLAINT = {"is": "complaint"}
LOW_FERRITIN = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}


def run(
    rules: Rule | list[Rule],
    facts: FakeFacts,
    service: ServiceDefinition = REVIEW,
    **fields: Any,
) -> Evaluation:
    rules = rules if isinstance(rules, list) else [rules]
    return evaluate(compile_rules(pack(rules, **fields)), service, facts)


def cramp_and_diuretic(**fields: Any) -> Rule:
    return rule("r", {"all": [COMPLAINT, present("drug.diuretic")]}, **fields)


def test_a_rule_fires_and_cites_what_made_it_fire() -> None:
    facts = FakeFacts(known("problem.cramp", "Condition/c1"), known("drug.diuretic", "M/1", "M/2"))
    evaluation = run(cramp_and_diuretic(about=("drug.diuretic",)), facts)
    assert evaluation.outcomes == {"r": "fires"}
    [finding] = evaluation.findings
    assert [item.reference for item in finding.basis] == ["Condition/c1", "M/1", "M/2"]
    assert [item.reference for item in finding.about] == ["M/1", "M/2"]
    assert finding.draft is None
    assert not finding.conditional


def test_basis_holds_no_entry_twice_and_none_of_a_part_that_does_not_hold() -> None:
    both = {"any": [present("problem.cramp"), {"not": present("problem.rls")}]}
    when = {"all": [COMPLAINT, both, {"certainly": present("problem.cramp")}, present("drug.iron")]}
    facts = FakeFacts(known("problem.cramp", "Condition/c1"), known("drug.iron", "Condition/c1"))
    [finding] = run(rule("r", when), facts).findings
    assert [item.reference for item in finding.basis] == ["Condition/c1"]


def test_a_rule_that_says_no_is_not_among_the_outcomes() -> None:
    evaluation = run(cramp_and_diuretic(), FakeFacts(known("problem.cramp")))
    assert evaluation.outcomes == {}
    assert evaluation.findings == []


def test_unknown_says_why_and_names_the_fact() -> None:
    facts = FakeFacts(known("problem.cramp"), unknown("drug.diuretic", "drugs were not supplied"))
    evaluation = run(cramp_and_diuretic(), facts)
    assert evaluation.outcomes == {"r": "unknown"}
    assert evaluation.unknown_because == {"r": ("drug.diuretic: drugs were not supplied",)}


def test_one_known_no_outweighs_what_is_unknown() -> None:
    facts = FakeFacts(unknown("problem.cramp"), absent("drug.diuretic"))
    assert run(cramp_and_diuretic(), facts).outcomes == {}


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("49.9", "fires"), ("50", None), ("<5", "fires"), ("<75", "unknown"), (">1500", None)],
)
def test_a_value_against_a_setting(value: str, outcome: str | None) -> None:
    evaluation = run(rule("r", LOW_FERRITIN), FakeFacts(measured("lab.ferritin", value)))
    assert evaluation.outcomes.get("r") == outcome


def test_a_range_across_the_threshold_is_noted_with_its_value_and_explained_without() -> None:
    when = {"any": [LOW_FERRITIN, present("problem.rls")]}
    facts = FakeFacts(measured("lab.ferritin", "<75"), known("problem.rls"))
    [finding] = run(rule("r", when), facts).findings
    assert finding.notes == ("Result '<75 ng/mL' cannot be compared with 50 ng/mL.",)
    alone = run(rule("r", LOW_FERRITIN), FakeFacts(measured("lab.ferritin", "<75")))
    assert "75" not in "".join(alone.unknown_because["r"])


def test_a_branch_that_says_no_adds_no_data_notes() -> None:
    low_iron = {"all": [present("problem.rls"), LOW_FERRITIN]}
    facts = FakeFacts(measured("lab.ferritin", "<75"), known("drug.diuretic"))
    [finding] = run(rule("r", {"any": [low_iron, present("drug.diuretic")]}), facts).findings
    assert finding.notes == ()


def test_values_on_file_of_which_none_can_be_used_leave_a_comparison_unknown() -> None:
    only_preliminary = absent("lab.ferritin", reasons=("only a preliminary result",))
    rules = [
        rule("low", LOW_FERRITIN),
        rule("missing", {"fact": "lab.ferritin", "op": "absent"}),
    ]
    evaluation = run(rules, FakeFacts(only_preliminary))
    assert evaluation.outcomes == {"low": "unknown", "missing": "fires"}


def test_no_value_on_file_is_not_below_anything() -> None:
    assert run(rule("r", LOW_FERRITIN), FakeFacts(absent("lab.ferritin"))).outcomes == {}


@pytest.mark.parametrize(
    ("op", "details", "outcome"),
    [
        ("low", {"flag": "L"}, "fires"),
        ("low", {"flag": "LL"}, "fires"),
        ("low", {"flag": "N"}, None),
        ("low", {"flag": "A", "low": "3.3"}, None),
        ("low", {"low": "3.5"}, "fires"),
        ("low", {}, "fires"),
        ("critical-low", {"flag": "LL"}, "fires"),
        ("critical-low", {"flag": "L"}, None),
        ("critical-low", {"low": "3.5"}, None),
    ],
)
def test_low_by_flag_then_range_then_setting(
    op: str, details: dict[str, str], outcome: str | None
) -> None:
    when = {"fact": "lab.potassium", "op": op}
    if op == "low":
        when["setting"] = "potassium.low"
    facts = FakeFacts(measured("lab.potassium", "3.4", "mmol/L", **details))
    assert run(rule("r", when), facts).outcomes.get("r") == outcome


@pytest.mark.parametrize(
    ("value", "details", "outcome"),
    [
        ("3.4", {}, "fires"),
        ("3.5", {}, None),
        ("<3.5", {}, "fires"),
        ("<4", {}, "unknown"),
        ("3.4", {"flag": "N"}, None),
        ("3.4", {"flag": "L"}, None),
        ("9", {"flag": "LL"}, "fires"),
        ("3.4", {"low": "1"}, "fires"),
        ("3.6", {"low": "9"}, None),
    ],
)
def test_critically_low_by_flag_then_setting_whatever_the_range(
    value: str, details: dict[str, str], outcome: str | None
) -> None:
    when = {"fact": "lab.potassium", "op": "critical-low", "setting": "potassium.low"}
    facts = FakeFacts(measured("lab.potassium", value, "mmol/L", **details))
    assert run(rule("r", when), facts).outcomes.get("r") == outcome


def test_low_without_flag_range_or_setting_is_unknown() -> None:
    evaluation = run(
        rule("r", {"fact": "lab.potassium", "op": "low"}),
        FakeFacts(measured("lab.potassium", "3.4", "mmol/L")),
    )
    assert evaluation.outcomes == {"r": "unknown"}
    assert "reference range" in evaluation.unknown_because["r"][0]


def test_a_code_is_one_of_a_list() -> None:
    when = {"fact": "encounter.class", "op": "in", "value": ["AMB", "HH"]}
    fact = known("encounter.class", "Encounter/1")
    ambulatory, inpatient = (
        Fact(fact.name, State.KNOWN, (type(fact.items[0])("Encounter/1", "class", code=code),))
        for code in ("AMB", "IMP")
    )
    assert run(rule("r", when), FakeFacts(ambulatory)).outcomes == {"r": "fires"}
    assert run(rule("r", when), FakeFacts(inpatient)).outcomes == {}
    assert run(rule("r", when), FakeFacts(unknown(fact.name))).outcomes == {"r": "unknown"}


def test_only_the_codes_that_are_listed_are_cited() -> None:
    when = {"fact": "encounter.class", "op": "in", "value": ["AMB", "HH"]}
    items = tuple(Item(f"Encounter/{code}", "class", code=code) for code in ("IMP", "AMB"))
    facts = FakeFacts(Fact("encounter.class", State.KNOWN, items))
    [finding] = run(rule("r", when), facts).findings
    assert [item.reference for item in finding.basis] == ["Encounter/AMB"]


def test_the_rule_passes_look_back_and_undated_to_the_fact() -> None:
    facts = FakeFacts(known("order.ferritin"))
    run(rule("r", present("order.ferritin", within="P30D", undated="exclude")), facts)
    assert ("order.ferritin", "P30D", None, "exclude") in facts.asked


# Exclusions


def test_unless_silences_when_it_is_known_to_hold() -> None:
    facts = FakeFacts(known("problem.cramp"), known("drug.diuretic"), known("problem.dialysis"))
    evaluation = run(cramp_and_diuretic(unless=present("problem.dialysis")), facts)
    assert evaluation.outcomes == {}


def test_an_unknown_exclusion_does_not_silence_and_is_said() -> None:
    facts = FakeFacts(known("problem.cramp"), known("drug.diuretic"), unknown("problem.dialysis"))
    unless = {"any": [present("drug.iron"), present("problem.dialysis")]}
    [finding] = run(cramp_and_diuretic(unless=unless), facts).findings
    assert finding.unknown_exclusions == ("dialysis is recorded",)


def test_an_exclusion_that_holds_silences_an_unknown_rule_too() -> None:
    facts = FakeFacts(known("problem.cramp"), unknown("drug.diuretic"), known("problem.dialysis"))
    evaluation = run(cramp_and_diuretic(unless=present("problem.dialysis")), facts)
    assert evaluation.outcomes == {}


def test_a_pack_wide_exclusion_silences_all_but_the_excepted_rules_and_groups() -> None:
    rules = [
        rule("silent", COMPLAINT),
        rule("excepted", COMPLAINT),
        rule("group", COMPLAINT, group="two"),
    ]
    exclusion = {"when": present("patient.deceased"), "except": ["excepted", "two"]}
    facts = FakeFacts(known("problem.cramp"), known("patient.deceased"))
    evaluation = run(rules, facts, exclusions=[exclusion])
    assert evaluation.outcomes == {"excepted": "fires", "group": "fires"}


def test_an_unknown_pack_wide_exclusion_is_said_in_the_words_of_its_note() -> None:
    child = {"fact": "patient.age", "op": "lt", "setting": "age.adult"}
    facts = FakeFacts(known("problem.cramp"), unknown("patient.age"))
    noted = [{"when": child, "note": "age under 18"}]
    [finding] = run(rule("r", COMPLAINT), facts, exclusions=noted).findings
    assert finding.unknown_exclusions == ("age under 18",)
    [finding] = run(rule("r", COMPLAINT), facts, exclusions=[{"when": child}]).findings
    assert finding.unknown_exclusions == ("age is below 18 years (setting age.adult)",)


# Conditional findings


def test_a_rule_that_lacks_only_the_complaint_gives_a_conditional_finding() -> None:
    facts = FakeFacts(unknown("problem.cramp"), known("drug.diuretic", "M/1"))
    evaluation = run(cramp_and_diuretic(when_unknown="conditional"), facts)
    assert evaluation.outcomes == {"r": "unknown"}
    [finding] = evaluation.findings
    assert finding.conditional
    assert [item.reference for item in finding.basis] == ["M/1"]


def test_a_rule_that_lacks_more_than_the_complaint_gives_none() -> None:
    facts = FakeFacts(unknown("problem.cramp"), unknown("drug.diuretic"))
    evaluation = run(cramp_and_diuretic(when_unknown="conditional"), facts)
    assert evaluation.outcomes == {"r": "unknown"}
    assert evaluation.findings == []


def test_a_silent_rule_gives_no_conditional_finding() -> None:
    facts = FakeFacts(unknown("problem.cramp"), known("drug.diuretic"))
    assert run(cramp_and_diuretic(when_unknown="silent"), facts).findings == []


def test_order_hooks_do_not_assume_the_complaint() -> None:
    compiled = cramp_and_diuretic(when_unknown="conditional", hooks=("order-select",))
    facts = FakeFacts(unknown("problem.cramp"), known("drug.diuretic"), selected=[True])
    evaluation = run(compiled, facts, ORDERS)
    assert evaluation.outcomes == {"r": "unknown"}
    assert evaluation.findings == []


def test_the_assumed_complaint_is_assumed_in_exclusions_too() -> None:
    not_a_cramp = {"all": [{"is": "rls"}, {"not": COMPLAINT}]}
    facts = FakeFacts(unknown("problem.cramp"), known("drug.diuretic"), known("problem.rls"))
    evaluation = run(
        cramp_and_diuretic(when_unknown="conditional"), facts, exclusions=[{"when": not_a_cramp}]
    )
    [finding] = evaluation.findings
    assert finding.unknown_exclusions == ()


def test_a_known_complaint_is_never_assumed() -> None:
    other_unknown = rule(
        "r",
        {"all": [{"not": COMPLAINT}, present("drug.diuretic")]},
        when_unknown="conditional",
    )
    facts = FakeFacts(known("problem.cramp"), unknown("drug.diuretic"))
    assert run(other_unknown, facts).findings == []


# Cards, status, drafts


def test_the_first_variant_that_holds_is_laid_over_the_card() -> None:
    variants = (
        {"when": present("problem.dialysis"), "card": {"summary": "dialysis"}},
        {"when": present("drug.iron"), "card": {"summary": "on iron"}},
        {"when": present("drug.diuretic"), "card": {"summary": "never reached"}},
    )
    facts = FakeFacts(
        known("problem.cramp"),
        known("drug.diuretic"),
        known("drug.iron"),
        unknown("problem.dialysis"),
    )
    [finding] = run(cramp_and_diuretic(variants=variants), facts).findings
    assert finding.card == {"indicator": "info", "summary": "on iron"}


@pytest.mark.parametrize(
    ("status", "outcomes", "findings"),
    [
        ("active", {"r": "fires"}, 1),
        ("shadow", {"r": "fires"}, 0),
        ("draft", {}, 0),
        ("retired", {}, 0),
    ],
)
def test_status(status: str, outcomes: dict[str, str], findings: int) -> None:
    evaluation = run(rule("r", COMPLAINT, status=status), FakeFacts(known("problem.cramp")))
    assert evaluation.outcomes == outcomes
    assert len(evaluation.findings) == findings


def test_a_draft_rule_can_be_tried_by_name() -> None:
    ruleset = compile_rules(pack([rule("r", COMPLAINT, status="draft")]), also=["r"])
    evaluation = evaluate(ruleset, REVIEW, FakeFacts(known("problem.cramp")))
    assert evaluation.outcomes == {"r": "fires"}


def test_order_rules_are_evaluated_for_each_selected_draft() -> None:
    quinine = rule("r", present("draft.quinine"), hooks=("order-select",))
    drafts = {0: [known("draft.quinine")], 1: [known("draft.quinine")], 2: []}
    facts = FakeFacts(by_draft=drafts, selected=[True, False, True])
    evaluation = run(quinine, facts, ORDERS)
    assert [finding.draft for finding in evaluation.findings] == [0]
    assert evaluation.outcomes == {"r": "fires"}


def test_with_several_drafts_the_strongest_outcome_counts() -> None:
    quinine = rule("r", present("draft.quinine"), hooks=("order-select",))
    drafts = {0: [unknown("draft.quinine")], 1: [known("draft.quinine")]}
    facts = FakeFacts(by_draft=drafts, selected=[True, True])
    evaluation = run(quinine, facts, ORDERS)
    assert evaluation.outcomes == {"r": "fires"}
    assert evaluation.unknown_because == {}


def test_an_order_hook_without_a_selected_draft_has_nothing_to_say() -> None:
    rules = rule("r", COMPLAINT, hooks=("order-select",))
    assert run(rules, FakeFacts(known("problem.cramp")), ORDERS).outcomes == {}


def test_a_service_evaluates_only_rules_of_its_hook_and_groups() -> None:
    rules = [
        rule("mine", COMPLAINT),
        rule("other-hook", COMPLAINT, hooks=("order-sign",)),
        rule("other-group", COMPLAINT, group="three"),
    ]
    assert run(rules, FakeFacts(known("problem.cramp"))).outcomes == {"mine": "fires"}


# Faults


def test_a_rule_that_raises_is_an_error_and_the_others_answer() -> None:
    rules = [rule("broken", present("drug.iron")), rule("sound", COMPLAINT)]
    facts = FakeFacts(known("problem.cramp"), broken=["drug.iron"])
    evaluation = run(rules, facts)
    assert evaluation.outcomes == {"broken": "error", "sound": "fires"}
    assert evaluation.errors == {"broken": "ZeroDivisionError"}


def test_a_fault_in_a_shared_part_is_an_error_of_each_rule_that_needs_it() -> None:
    rules = [cramp_and_diuretic(), rule("second", {"all": [COMPLAINT, present("drug.diuretic")]})]
    facts = FakeFacts(known("drug.diuretic"), broken=["problem.cramp"])
    assert run(rules, facts).outcomes == {"r": "error", "second": "error"}


def test_no_fact_value_reaches_the_error() -> None:
    facts = FakeFacts(known("problem.cramp"), broken=["drug.iron"])
    evaluation = run(rule("broken", present("drug.iron")), facts)
    assert list(evaluation.errors.values()) == ["ZeroDivisionError"]


# Cost


def test_rules_whose_gate_is_shut_are_not_touched() -> None:
    rules = [cramp_and_diuretic(), rule("iron", {"all": [COMPLAINT, present("drug.iron")]})]
    facts = FakeFacts(known("problem.cramp"), known("drug.iron"))
    evaluation = run(rules, facts)
    assert evaluation.rules_evaluated == 1
    assert "drug.diuretic" not in {name for name, *_ in facts.asked}


def test_a_choice_of_facts_is_a_gate_too() -> None:
    rules = [rule("r", {"any": [present("drug.diuretic"), present("drug.iron")]})]
    assert run(rules, FakeFacts(known("problem.cramp"))).rules_evaluated == 0
    assert run(rules, FakeFacts(known("drug.iron"))).rules_evaluated == 1


def test_what_nearly_every_chart_has_is_no_gate_where_a_rule_has_others() -> None:
    grown_up = {"fact": "patient.age", "op": "ge", "setting": "age.adult"}
    ambulatory = {"fact": "encounter.class", "op": "in", "value": ["AMB"]}
    when = {"all": [grown_up, ambulatory, COMPLAINT, present("drug.iron")]}
    facts = FakeFacts(measured("patient.age", "60", "a"), known("encounter.class"))
    assert run(rule("r", when), facts).rules_evaluated == 0


def test_what_may_hold_is_not_asked_for_where_it_certainly_does_not() -> None:
    maybe = {"not": {"certainly": {"not": COMPLAINT}}}  # known or unknown
    rules = [rule("r", {"all": [maybe, present("drug.iron")]})]
    facts = FakeFacts(known("drug.iron"))
    assert run(rules, facts).rules_evaluated == 0
    facts = FakeFacts(known("drug.iron"), known("problem.cramp"))
    assert run(rules, facts).outcomes == {"r": "fires"}


def test_a_shared_definition_is_asked_for_once() -> None:
    when = {"all": [COMPLAINT, present("drug.iron"), {"fact": "problem.rls", "op": "absent"}]}
    rules = [rule(f"r{n}", when) for n in range(20)]
    facts = FakeFacts(known("problem.cramp"), known("drug.iron"), known("problem.rls"))
    assert run(rules, facts).outcomes == {}
    assert [name for name, *_ in facts.asked].count("problem.cramp") == 1


# What cannot be compiled


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ({"is": "nothing"}, "no definition 'nothing'"),
        (present("nothing"), "no fact 'nothing'"),
        ({"fact": "lab.ferritin", "op": "lt", "setting": "nothing"}, "no setting 'nothing'"),
        ({"fact": "lab.ferritin", "op": "lt"}, "needs a setting or a value"),
        ({"fact": "lab.ferritin", "op": "about", "value": 1}, "no operator 'about'"),
        ({"fact": "lab.ferritin", "op": "lt", "setting": "demo"}, "not a number"),
        ({"setting": "ferritin.low", "is": True}, "not a switch"),
        ({"fact": "encounter.class", "op": "in", "value": [1]}, "list of codes"),
        ({"all": []}, "at least one part"),
        ({"all": [COMPLAINT, {"maybe": []}]}, r"when.all\[1\]"),
        ([], "is an object"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(when: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        compile_rules(pack([rule("r", when)]))
    assert str(refused.value).startswith("r: when")


def test_definitions_that_refer_in_a_circle_are_refused() -> None:
    definitions = {"a": {"not": {"is": "b"}}, "b": {"any": [{"is": "a"}]}}
    with pytest.raises(ValueError, match="circle: a > b > a"):
        compile_rules(pack([rule("r", {"is": "a"})], definitions=definitions, conditional=""))


def test_a_switch_decides_when_the_pack_is_compiled() -> None:
    rules = [
        rule("off", {"all": [COMPLAINT, {"setting": "demo", "is": True}]}),
        rule("on", {"all": [COMPLAINT, {"setting": "demo", "is": False}]}),
    ]
    evaluation = run(rules, FakeFacts(known("problem.cramp")))
    assert evaluation.outcomes == {"on": "fires"}
    assert evaluation.rules_evaluated == 1
