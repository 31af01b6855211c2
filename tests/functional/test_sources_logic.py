"""A rule's conditions as nested sentences on its source page."""

from typing import Any

import pytest

from cds_service.rules.inputs import inputs_of
from cds_service.sources.logic import Logic
from tests.support import packs
from tests.support.packs import present

LOW = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}
LOW_WORDS = (
    "ferritin is below 50 ng/mL (setting ferritin.low), within 365 days (setting ferritin.lookback)"
)


@pytest.fixture(scope="module")
def logic() -> Logic:
    return Logic(packs.pack([]))


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (LOW, LOW_WORDS),
        ({"is": "rls"}, {"text": "restless legs", "definition": "rls"}),
        ({"not": {"is": "rls"}}, {"text": "not: restless legs", "definition": "rls"}),
        ({"not": present("drug.iron")}, "iron is not in use"),
        ({"not": LOW}, f"not: {LOW_WORDS}"),
        (
            {"not": {"any": [present("drug.iron"), present("problem.rls")]}},
            {
                "text": "none of these",
                "parts": ["iron is in use", "restless legs syndrome is recorded"],
            },
        ),
        (
            {"not": {"all": [present("drug.iron"), LOW]}},
            {"text": "not all of these", "parts": ["iron is in use", LOW_WORDS]},
        ),
        ({"not": {"certainly": present("drug.iron")}}, "not known for certain: iron is in use"),
        ({"certainly": present("drug.iron")}, "known for certain: iron is in use"),
        ({"setting": "demo", "is": False}, "the switch demo is off (now: off)"),
        (
            {"any": [present("drug.iron"), present("drug.iron"), LOW]},
            {"text": "at least one of these", "parts": ["iron is in use", LOW_WORDS]},
        ),
        ({"any": [LOW], "title": "its own words"}, "its own words"),
        (
            {"all": [{"all": [LOW, present("drug.iron")]}, {"any": [{"is": "rls"}]}]},
            {
                "text": "all of these",
                "parts": [
                    LOW_WORDS,
                    "iron is in use",
                    {
                        "text": "at least one of these",
                        "parts": [{"text": "restless legs", "definition": "rls"}],
                    },
                ],
            },
        ),
    ],
)
def test_a_condition_on_the_page(logic: Logic, condition: Any, shown: Any) -> None:
    assert logic.sentence(condition).as_json() == shown


def test_a_rule_reads_what_its_definitions_read() -> None:
    """First what the rule's own file names, then what definitions add."""
    rule = packs.rule(
        "one.reads",
        {"all": [{"is": "rls"}, LOW]},
        unless={"setting": "demo", "is": True},
        card={"detail": [{"text": "x", "when": present("drug.iron", within="order.lookback")}]},
    )
    pack = packs.pack(
        [rule],
        exclusions=[
            {"when": {"fact": "patient.age", "op": "lt", "setting": "age.adult"}},
            {"when": present("patient.deceased"), "except": ["one.reads"]},
        ],
    )
    found = inputs_of(pack, rule)
    assert found.facts == ("lab.ferritin", "patient.age", "drug.iron", "problem.rls")
    assert found.settings == (
        "ferritin.low",
        "ferritin.lookback",
        "demo",
        "age.adult",
        "order.lookback",
    )
    assert found.definitions == ("rls",)
    assert inputs_of(pack, rule, cards=False).facts == (
        "lab.ferritin",
        "patient.age",
        "problem.rls",
    )
