"""Templates: placeholders, optional parts, and the refusal to leave a hole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards import values
from cds_service.cards.language import ENGLISH
from cds_service.cards.render import MissingValue, TemplateError, compile_template
from cds_service.facts.model import Fact, Quantity, State
from tests.unit.cards_support import drug, ferritin, known, pack

VALUES = {"lab.ferritin.value": "49.9", "ferritin.low": "50"}


def render(template: str) -> str:
    return compile_template(template).render(VALUES.get)


def test_placeholders_are_filled() -> None:
    assert render("{lab.ferritin.value} is below {ferritin.low}.") == "49.9 is below 50."


def test_a_missing_value_raises_and_is_named() -> None:
    with pytest.raises(MissingValue) as caught:
        render("Ferritin {lab.ferritin.date}.")
    assert caught.value.placeholder == "lab.ferritin.date"


def test_an_optional_part_without_its_value_is_left_out() -> None:
    assert render("Ferritin{? of {lab.ferritin.date}?} is low.") == "Ferritin is low."


def test_an_optional_part_with_its_value_stays() -> None:
    assert render("Ferritin{? of {lab.ferritin.value}?} is low.") == "Ferritin of 49.9 is low."


@pytest.mark.parametrize(
    "template", ["{", "}", "a {b", "{? x", "x ?}", "{? a {? b ?} ?}", "{not a name}", "{?}"]
)
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(template)


def test_placeholders_are_listed_with_whether_they_may_be_missing() -> None:
    template = compile_template("{a.value}{? {b.value}?}")
    assert list(template.placeholders()) == [("a.value", False), ("b.value", True)]


@given(st.text(alphabet=st.characters(exclude_characters="{}?")))
def test_text_without_placeholders_is_unchanged(text: str) -> None:
    assert render(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("49.9", "49.9"),
        ("49.96", "49.96"),
        ("49.996", "49.996"),  # never shown as 50 beside a threshold of 50
        ("40.0534", "40.05"),
        ("0.90", "0.90"),
        ("1E+2", "100"),
        ("5", "5"),
        ("12.3000", "12.3"),
    ],
)
def test_numbers(value: str, shown: str) -> None:
    assert values.number(Decimal(value)) == shown


def test_properties_of_a_quantity() -> None:
    fact = known("lab.ferritin", ferritin("5", comparator="<", shown="<11.2 pmol/L"))
    properties = ("value", "unit", "date", "text", "shown", "count", "side", "last")
    told = [values.fact_property(fact, name) for name in properties]
    assert told == ["<5", "ng/mL", "2026-08-21", "ferritin", "<11.2 pmol/L", "1", None, None]


def test_properties_of_drugs() -> None:
    fact = known("drug.x", drug("Furosemide"), drug("furosemide", "M/2"), drug("Lithium"))
    assert values.fact_property(fact, "names") == "furosemide and lithium"
    assert values.fact_property(fact, "count") == "2"


def test_the_last_unused_item_is_told_of_an_absent_fact() -> None:
    fact = Fact("lab.ferritin", State.ABSENT, unused=ferritin("38"))
    assert values.fact_property(fact, "last") == "38 ng/mL on 2026-08-21"
    assert values.fact_property(fact, "value") is None


def test_an_absent_unit_is_no_value() -> None:
    item = ferritin("0.8")
    ratio = known(
        "lab.abi", type(item)("Observation/a", "ABI", quantity=Quantity(Decimal("0.8"), "1"))
    )
    assert values.fact_property(ratio, "unit") is None


def test_settings_in_words() -> None:
    texts = values.setting_texts(pack().settings)
    assert texts["ferritin.low"] == "50"
    assert texts["ferritin.lookback.months"] == "12"
    assert texts["abi.low"] == "0.90"


def test_many_names_are_abbreviated() -> None:
    assert values.abbreviated(["a", "b"]) == "a, b"
    assert values.abbreviated(["a", "b", "c", "d"]) == "a, b, +2"
    assert ENGLISH.listed(["a", "b", "c"]) == "a, b and c"
