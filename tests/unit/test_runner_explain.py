"""What an explanation shows for each outcome."""

from typing import Any

from cds_service.facts.model import Fact
from cds_service.rules.model import Rule, ServiceDefinition
from cds_service.rules.ruleset import compile_rules
from cds_service.ruletests.explain import Explanation, as_json, as_text, explain
from cds_service.ruletests.explain_short import as_lines
from tests.support.fake_facts import FakeFacts, known, measured, unknown
from tests.support.packs import ORDERS, REVIEW, pack, present, rule

LOW = {"all": [{"is": "rls"}, {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}]}
HELD = (
    "ferritin is below 50 ng/mL (setting ferritin.low), within 365 days (setting ferritin.lookback)"
)


def explained(
    asked: Rule,
    *facts: Fact,
    service: ServiceDefinition = REVIEW,
    selected: Any = (),
    **fields: Any,
) -> list[Explanation]:
    fake = FakeFacts(*facts, selected=selected, broken=fields.pop("broken", ()))
    return explain(compile_rules(pack([asked], **fields)), service, fake)


def test_a_rule_that_fires_with_resource_and_value() -> None:
    text = as_text(explained(rule("r", LOW), known("problem.rls"), measured("lab.ferritin", "<5")))
    assert text.splitlines()[0] == "r 1.0.0  ->  FIRES"
    assert f"    yes     {HELD}    [Observation/lab.ferritin <5 ng/mL]    when.all[1]" in text


def test_a_converted_value_is_shown_as_it_was_sent_too() -> None:
    ferritin = measured("lab.ferritin", "40")
    item = ferritin.items[0]
    sent = type(item.quantity)(item.quantity.value, "ng/mL", shown="90 pmol/L")  # type: ignore[union-attr]
    converted = Fact(
        "lab.ferritin", ferritin.state, (type(item)("Observation/1", "ferritin", quantity=sent),)
    )
    text = as_text(explained(rule("r", LOW), known("problem.rls"), converted))
    assert "[Observation/1 40 ng/mL (sent as 90 pmol/L)]" in text


def test_a_rule_that_is_unknown_says_what_is_missing_and_what_follows() -> None:
    low = rule("r", LOW, unless=present("problem.dialysis"))
    text = as_text(explained(low, known("problem.rls"), unknown("lab.ferritin")))
    assert "r 1.0.0  ->  UNKNOWN  (whenUnknown: silent, no card)" in text
    assert f"    unknown {HELD}    [lab.ferritin: was not supplied]    when.all[1]" in text
    assert "  no      dialysis is recorded    unless" in text


def test_a_conditional_finding_is_said() -> None:
    when = {"all": [{"is": "complaint"}, present("drug.iron")]}
    conditional = rule("r", when, when_unknown="conditional")
    [explanation] = explained(conditional, unknown("problem.cramp"), known("drug.iron"))
    assert explanation.conditional
    assert "(whenUnknown: conditional, part of the conditional card)" in as_text([explanation])


def test_all_parts_are_shown_although_the_first_decided() -> None:
    text = as_text(explained(rule("r", LOW), measured("lab.ferritin", "40")))
    assert "no      restless legs    when.all[0]" in text
    assert f"yes     {HELD}" in text


def test_pack_wide_exclusions_are_shown_when_they_matter() -> None:
    exclusions = [{"when": present("problem.dialysis")}, {"when": present("patient.deceased")}]
    excluded = rule("r", {"is": "rls"})
    facts = (known("problem.rls"), known("patient.deceased"))
    text = as_text(explained(excluded, *facts, exclusions=exclusions))
    assert "r 1.0.0  ->  NO" in text
    assert "patient is deceased" in text
    assert "exclusions[1]" in text
    assert "exclusions[0]" not in text


def test_each_draft_is_explained_by_name() -> None:
    quinine = rule("r", present("draft.quinine"), hooks=(ORDERS.hook,))
    selected = [True, False, True]
    explanations = explained(quinine, known("draft.quinine"), service=ORDERS, selected=selected)
    assert [explanation.draft for explanation in explanations] == ["Order/0", "Order/2"]
    assert "r 1.0.0 for Order/0  ->  FIRES" in as_text(explanations)


def test_a_rule_that_raises_is_explained_by_the_class_of_its_error() -> None:
    [explanation] = explained(rule("r", present("drug.iron")), broken=["drug.iron"])
    assert as_text([explanation]) == "r 1.0.0  ->  ERROR  (ZeroDivisionError)"
    assert as_json([explanation])[0]["error"] == "ZeroDivisionError"


def test_a_rule_in_shadow_gives_no_card() -> None:
    text = as_text(explained(rule("r", {"is": "rls"}, status="shadow"), known("problem.rls")))
    assert "->  FIRES  (status shadow, no card)" in text


def test_json_has_the_same_tree() -> None:
    [tree] = as_json(explained(rule("r", LOW), known("problem.rls"), unknown("lab.ferritin")))
    assert tree["outcome"] == "unknown"
    [when] = tree["trace"]
    assert when["text"] == "all of"
    assert [part["truth"] for part in when["parts"]] == ["yes", "unknown"]
    assert when["parts"][0]["parts"][0] == {
        "path": "definitions.rls",
        "text": "restless legs syndrome is recorded",
        "truth": "yes",
        "seen": ["Thing/problem.rls Thing/problem.rls"],
    }
    assert when["parts"][1]["because"] == ["lab.ferritin: was not supplied"]


def test_only_the_rules_asked_for() -> None:
    ruleset = compile_rules(pack([rule("a", LOW), rule("b", LOW)]))
    [explanation] = explain(ruleset, REVIEW, FakeFacts(), ["b"])
    assert explanation.rule.id == "b"


def short(condition: Any, *facts: Fact, unless: Any = None) -> str:
    return as_lines(explained(rule("r", condition, unless=unless), *facts))


def test_in_short_what_a_rule_rests_on() -> None:
    told = short(LOW, known("problem.rls"), measured("lab.ferritin", "<5"))
    assert told.startswith("fires   r  ")
    assert told.endswith("problem.rls, Observation/lab.ferritin <5 ng/mL")


def test_in_short_the_part_that_does_not_hold() -> None:
    told = short(LOW, known("problem.rls"), measured("lab.ferritin", "80"))
    assert told.split(maxsplit=2) == ["no", "r", f"not: {HELD}"]


def test_in_short_of_alternatives_that_none_holds() -> None:
    told = short({"any": [present("problem.rls"), present("drug.iron")]})
    assert told.endswith("none of: restless legs syndrome is recorded, iron is in use")


def test_in_short_what_silences() -> None:
    told = short(present("problem.rls"), known("problem.rls"), known("drug.iron"),
                 unless=present("drug.iron"))  # fmt: skip
    assert "silenced: " in told


def test_in_short_why_it_is_unknown() -> None:
    told = short(LOW, known("problem.rls"), unknown("lab.ferritin", "only a preliminary result"))
    assert told.startswith("unknown r")
    assert told.endswith("(lab.ferritin: only a preliminary result)")
