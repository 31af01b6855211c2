"""The sentence that a reader gets for each kind of condition."""

from typing import Any

import pytest

from cds_service.rules.ruleset import compile_rules
from cds_service.rules.words import Words
from tests.support.packs import pack, present

LOW = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}


@pytest.fixture(scope="module")
def words() -> Words:
    return compile_rules(pack([])).words


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (
            LOW,
            "ferritin is below 50 ng/mL (setting ferritin.low),"
            " within 365 days (setting ferritin.lookback)",
        ),
        (
            {"fact": "lab.potassium", "op": "ge", "value": 3.5, "unit": "mmol/L", "within": "P1D"},
            "potassium is at or above 3.5 mmol/L, within 1 day",
        ),
        (
            {"fact": "lab.potassium", "op": "low", "setting": "potassium.low"},
            "potassium is low (by the laboratory's flag or reference range,"
            " else below 3.5 mmol/L (setting potassium.low))",
        ),
        (
            {"fact": "lab.potassium", "op": "critical-low"},
            "potassium is critically low (by the laboratory's flag)",
        ),
        (present("problem.rls"), "restless legs syndrome is recorded"),
        (
            {"fact": "order.ferritin", "op": "absent", "within": "order.lookback"},
            "ferritin is not already ordered, within 30 days (setting order.lookback)",
        ),
        (
            {"fact": "encounter.class", "op": "in", "value": ["AMB", "HH"]},
            "encounter class is AMB or HH",
        ),
        (
            present("draft.quinine", undated="exclude"),
            "quinine is being ordered, undated entries not counted",
        ),
        ({"setting": "demo", "is": False}, "the switch demo is off"),
        ({"is": "complaint"}, "complaint"),
        ({"is": "rls"}, "restless legs"),
        ({"not": present("drug.iron")}, "not: iron is in use"),
        ({"certainly": {"is": "rls"}}, "certainly: restless legs"),
        (
            {"all": [{"is": "rls"}, {"any": [present("drug.iron"), present("problem.dialysis")]}]},
            "restless legs and (iron is in use or dialysis is recorded)",
        ),
        ({"any": [{"is": "rls"}], "title": "a title of its own"}, "a title of its own"),
        (
            {"fact": "patient.age", "op": "lt", "setting": "age.adult"},
            "age is below 18 years (setting age.adult)",
        ),
    ],
)
def test_a_condition_in_words(words: Words, condition: Any, sentence: str) -> None:
    assert words.sentence(condition) == sentence


def test_a_condition_as_an_outline(words: Words) -> None:
    condition = {"all": [{"is": "rls"}, {"not": {"any": [present("drug.iron")]}}]}
    assert words.outline(condition) == [
        (0, "all of"),
        (1, "restless legs"),
        (1, "not"),
        (2, "any of"),
        (3, "iron is in use"),
    ]
