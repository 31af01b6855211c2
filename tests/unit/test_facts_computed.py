"""Facts that follow from others, with the shipped pack: TSAT, the drop after exercise, CK."""

import functools

import pytest

from cds_service.facts.model import Fact, State
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.rules.model import Pack
from tests.unit.facts_support import abi, day, facts, result

RECENT = day(10)
IRON, TIBC, TSAT = "2498-4", "2500-7", "2502-3"


@functools.cache
def shipped() -> Pack:
    return load_pack(CHECKOUT)


def ask(name: str, *observations: dict[str, object]) -> Fact:
    return facts(*observations, pack=shipped()).get(name)


def value(fact: Fact) -> str:
    quantity = fact.items[0].quantity
    return f"{quantity.comparator}{quantity.value} {quantity.unit}"


def iron(amount, on=RECENT, unit="ug/dL", **extra):
    return result(amount, unit, code=IRON, on=on, id="iron", **extra)


def tibc(amount, on=RECENT, unit="ug/dL", **extra):
    return result(amount, unit, code=TIBC, on=on, id="tibc", **extra)


def test_saturation_is_computed_from_iron_and_capacity_of_one_day():
    fact = ask("lab.tsat", iron(30), tibc(400))
    assert value(fact) == "7.5 %"
    assert fact.items[0].reference == "Observation/iron"
    assert fact.items[0].details["also"] == "Observation/tibc"
    how = "iron 30 ug/dL of iron-binding capacity 400 ug/dL, 2026-11-11"
    assert fact.notes == (f"Transferrin saturation was computed: {how}.",)


def test_saturation_is_computed_across_units():
    assert value(ask("lab.tsat", iron(5.372, unit="umol/L"), tibc(400))) == "7.5 %"


@pytest.mark.parametrize(
    "observations",
    [
        [iron(30)],
        [tibc(400)],
        [iron(30), tibc(400, on=day(11))],
        [iron("<30"), tibc(400)],
        [iron(30, status="preliminary"), tibc(400)],
        [iron(900), tibc(400)],  # above 100 %: one of them is wrong
    ],
)
def test_saturation_is_not_computed(observations):
    assert ask("lab.tsat", *observations).state is State.ABSENT


def test_reported_saturation_of_the_day_or_newer_counts():
    reported = result(33, "%", code=TSAT)
    assert value(ask("lab.tsat", reported, iron(30), tibc(400))) == "33 %"
    assert value(ask("lab.tsat", reported, iron(30, on=day(20)), tibc(400, on=day(20)))) == "33 %"


def test_newer_iron_and_capacity_count_before_an_older_saturation():
    assert value(ask("lab.tsat", result(33, "%", code=TSAT, on=day(90)), iron(30), tibc(400))) == (
        "7.5 %"
    )


EXERCISE = {"coding": [{"system": "http://loinc.org", "code": "77194-9"}]}


def after(amount, text="Ankle-brachial index post exercise", **extra):
    return abi(amount) | {"id": "e1", "code": {**EXERCISE, "text": text}, **extra}


def leg(side: str) -> dict[str, object]:
    return {"bodySite": {"text": f"{side} leg"}}


@pytest.mark.parametrize(
    "words",
    ["ABI post-exercise", "After exercise ABI", "Treadmill ABI", "Postexercise ankle brachial"],
)
def test_index_after_exercise_is_read_apart_from_the_one_at_rest(words):
    chart = [abi(0.98), after(0.6, words)]
    assert value(ask("abi.lowest", *chart)) == "0.98 {ratio}"
    assert value(ask("abi.exercise-lowest", *chart)) == "0.60 {ratio}"


def test_index_after_exercise_is_told_by_the_method_too():
    found = abi(0.6, method={"text": "after treadmill exercise"})
    assert value(ask("abi.exercise-lowest", found)) == "0.60 {ratio}"
    assert ask("abi.lowest", found).state is State.ABSENT


def test_index_before_exercise_is_one_at_rest():
    assert value(ask("abi.lowest", after(0.85, "ABI pre-exercise"))) == "0.85 {ratio}"


def test_drop_is_that_of_the_same_side():
    chart = [
        abi(1.0, id="r", **leg("right")),
        abi(0.95, id="l", **leg("left")),
        after(0.75, id="er", **leg("right")),
        after(0.93, id="el", **leg("left")),
    ]
    fact = ask("abi.exercise-drop", *chart)
    assert (value(fact), fact.items[0].details["side"]) == ("25.0 %", "right")
    assert fact.items[0].details["also"] == "Observation/r"


def test_drop_is_against_the_resting_value_before_the_test():
    chart = [abi(1.0, on=day(40)), abi(0.7, on=day(2)), after(0.9, effectiveDateTime=day(30))]
    assert value(ask("abi.exercise-drop", *chart)) == "10.0 %"


def test_drop_without_a_resting_value_of_the_side_says_why():
    fact = ask("abi.exercise-drop", abi(1.0, **leg("left")), after(0.6, **leg("right")))
    assert fact.state is State.ABSENT
    assert fact.reasons == ("no value of ankle-brachial index (lowest) to compare with",)


def test_no_exercise_test_has_no_drop():
    fact = ask("abi.exercise-drop", abi(1.0))
    assert (fact.state, fact.reasons) == (State.ABSENT, ())


def ck(amount, **extra):
    return result(amount, "U/L", code="2157-6", **extra)


def test_creatine_kinase_is_weighed_against_the_limit_of_its_laboratory():
    limits = [{"low": {"value": 30, "unit": "U/L"}, "high": {"value": 200, "unit": "U/L"}}]
    assert value(ask("lab.ck-multiple", ck(4200, referenceRange=limits))) == "21.0 1"
    assert value(ask("lab.ck-multiple", ck(">4200", referenceRange=limits))) == ">21.0 1"


def test_creatine_kinase_without_a_limit_has_no_multiple():
    fact = ask("lab.ck-multiple", ck(4200))
    assert fact.state is State.ABSENT
    assert fact.reasons == ("the creatine kinase result has no upper reference limit",)


@pytest.mark.parametrize(
    ("name", "code", "amount", "unit", "expected"),
    [
        ("lab.crp", "1988-5", 4.2, "mg/dL", "42.0 mg/L"),
        ("lab.lithium", "14334-7", 0.9, "mEq/L", "0.9 mmol/L"),
        ("lab.lead", "5671-3", 62, "ug/dL", "62 ug/dL"),
        ("lab.lead", "14807-2", 3, "umol/L", "62.16 ug/dL"),
        ("lab.tsh", "3016-3", 48, "m[IU]/L", "48 m[IU]/L"),
        ("tbi", "77618-7", 0.5, "{ratio}", "0.50 {ratio}"),
    ],
)
def test_results_that_cards_show(name, code, amount, unit, expected):
    assert value(ask(name, result(amount, unit, code=code))) == expected


@pytest.mark.parametrize("unit", ["-", "N/A", "ABI", "ratio", "ＡＢＩ", "index"])
def test_ratio_with_a_unit_that_is_none(unit):
    assert value(ask("abi.lowest", abi(0.72, unit=unit))) == "0.72 {ratio}"


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        (4.9, "ug/dL", "49.0"),
        (0.1, "nmol/L", "44.50"),
        (49, "ｎｇ／ｍＬ", "49"),
        (49, "µg/L", "49"),
    ],
)
def test_ferritin_in_other_units(amount, unit, expected):
    assert value(ask("lab.ferritin", result(amount, unit))).startswith(expected)
