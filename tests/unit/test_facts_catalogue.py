"""The fact catalogue: what it accepts, and what it says of the rest."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import cds_service
from cds_service.facts.availability import rests_on
from cds_service.facts.catalogue import Catalogue
from cds_service.facts.definitions import AnyFact
from tests.unit.facts_support import CATALOGUE, facts

QUANTITY = {"kind": "quantity", "valueSet": "obs-x", "unit": "mg/dL"}


def read(**entry):
    return Catalogue.from_json({"facts": {"the.fact": entry}})["the.fact"]


def test_defaults():
    problem = read(kind="problem", valueSet="cond-x")
    assert problem.verification == {"confirmed", "suspected"}
    assert (problem.clinical, problem.sources, problem.value_sets) == (
        "active",
        ("condition",),
        ("cond-x",),
    )
    assert read(kind="drug", valueSet="drug-x").routes == "systemic"
    assert read(**QUANTITY).pick == "newest"


def test_numbers_are_exact():
    definition = read(**QUANTITY, plausible={"atLeast": 0.2, "atMost": 10}, unitless=3.0)
    assert definition.plausible.at_least == Decimal("0.2")
    assert definition.plausible.holds(Decimal("0.2"))
    assert not definition.plausible.holds(Decimal("0.19"))
    assert definition.unitless == 3


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {},
        {"kind": "guess"},
        {"kind": "problem"},
        {"kind": "problem", "valueSet": "x", "pick": "newest"},
        {"kind": "problem", "valueSet": "x", "verification": ["maybe"]},
        {"kind": "problem", "valueSet": "x", "from": ["encounter", "rumour"]},
        {"kind": "problem", "valueSet": ""},
        {"kind": "drug", "valueSet": "x", "maxStrength": {"ingredient": "aspirin"}},
        {"kind": "quantity", "valueSet": "x"},
        {**QUANTITY, "plausible": {"over": 1}},
        {**QUANTITY, "decimals": True},
        {**QUANTITY, "unitless": "much"},
        {**QUANTITY, "pick": "best"},
        {**QUANTITY, "computed": {}},
        {**QUANTITY, "computed": {"multiple": "ferritin", "ratio": ["ferritin", "abi"]}},
        {"kind": "flag", "undated": "include"},
    ],
)
def test_what_is_wrong_is_refused_with_the_name_of_the_fact(entry):
    with pytest.raises(ValueError, match=r"the\.fact"):
        Catalogue.from_json({"facts": {"the.fact": entry}})


def test_a_catalogue_without_facts_is_refused():
    with pytest.raises(ValueError, match="facts"):
        Catalogue.from_json({})


def test_named_settings():
    entry = {"kind": "drug", "valueSet": "x", "givenWithin": "a", "lookback": "b"}
    strength = {"ingredient": "aspirin", "setting": "c"}
    assert set(read(**entry, maxStrength=strength).settings) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("patient.age", ["patient"]),
        ("patient.sex", ["patient"]),
        ("encounter.class", ["encounter"]),
        ("ferritin", ["observations"]),
        ("cramp", ["conditions"]),
        ("drug.diuretic", ["medicationRequests", "medicationStatements"]),
        ("duplex", ["procedures"]),
        ("order.ferritin", ["serviceRequests"]),
        ("draft.ferritin", []),
    ],
)
def test_what_must_be_sent_for_a_fact(name: str, slots: list[str]) -> None:
    assert list(rests_on(CATALOGUE[name])) == slots


def test_a_name_that_is_not_in_the_catalogue():
    with pytest.raises(KeyError):
        facts().get("no.such.fact")


def test_every_fact_answers_on_an_empty_chart_and_only_certain_ones_are_impossible():
    base = facts()
    for name in CATALOGUE:
        if base.get(name).state.value != "absent":
            assert name in base.possible()


SCHEMA = Path(cds_service.__file__).parent / "schemas" / "facts.schema.json"
FOR_PEOPLE = {"kind", "title", "note", "description", "offered"}


@pytest.mark.parametrize("shape", AnyFact.__args__, ids=lambda shape: shape.__name__)
def test_schema_and_shapes_have_the_same_properties(shape: type[msgspec.Struct]) -> None:
    kind = str(shape.__struct_config__.tag)
    schema = json.loads(SCHEMA.read_text("utf-8"))["$defs"][kind]
    told = set(schema["properties"]) - FOR_PEOPLE
    if "valueSets" in told or "valueSet" in told:
        told = told - {"valueSet"} | {"valueSets"}  # one set may be written without a list
    assert told == set(shape.__struct_encode_fields__) - {"name", "title"}
