"""Units as laboratories write them, one table an analyte."""

import decimal
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.units.convert import UCUM, UnitUnknown, canonical_unit, convert
from cds_service.units.table import UnitTables

UNITS = Path(__file__).resolve().parents[2] / "hooks" / "units.json"
TABLES, _ = UnitTables.checked(orjson.loads(UNITS.read_bytes())["analytes"])
ANALYTES = sorted(TABLES.tables)


@pytest.mark.parametrize(
    ("analyte", "value", "code", "text", "expected"),
    [
        ("obs-ferritin", "49.9", "ng/mL", None, "49.9"),
        ("obs-ferritin", "49.9", "ug/L", "mcg/L", "49.9"),
        ("obs-ferritin", "40", None, "mcg/L", "40"),
        ("obs-ferritin", "40", None, "µg/L", "40"),
        ("obs-ferritin", "40", None, "μg/L", "40"),
        ("obs-ferritin", "40", None, "NG/ML", "40"),
        ("obs-ferritin", "224.7", "pmol/L", "pmol/L", "100"),
        ("obs-ferritin", "0.05", "mg/L", None, "50"),
        ("obs-ferritin", "40", "local-7", "ng/mL", "40"),
        ("obs-abi", "0.9", "{ratio}", None, "0.9"),
        ("obs-abi", "0.9", "1", None, "0.9"),
        ("obs-abi", "72", "%", "%", "0.72"),
        ("obs-potassium", "3.1", "meq/L", "mEq/L", "3.1"),
        ("obs-potassium", "3.1", None, "MEQ/L", "3.1"),
        ("obs-sodium", "130", "mmol/L", None, "130"),
        ("obs-magnesium", "1", "meq/L", None, "1.21525"),
        ("obs-magnesium", "0.5", "mmol/L", None, "1.21525"),
        ("obs-calcium-total", "2", "meq/L", None, "4.0078"),
        ("obs-calcium-ionized", "2", "meq/L", None, "1"),
        ("obs-platelets", "150", None, "K/uL", "150"),
        ("obs-platelets", "150", "10*9/L", None, "150"),
        ("obs-platelets", "150", None, "x10^9/L", "150"),
        ("obs-platelets", "150", None, "x10E3/uL", "150"),
        ("obs-platelets", "150", None, "10(3)/mcL", "150"),
        ("obs-platelets", "150", None, "THOU/MCL", "150"),
        ("obs-platelets", "150000", "/uL", None, "150"),
        ("obs-platelets", "150000", None, "/mm3", "150"),
        ("obs-transferrin-saturation", "0.2", "{ratio}", None, "20"),
        ("obs-body-weight", "100", "[lb_av]", "lbs", "45.359237"),
        ("obs-egfr", "60", None, "mL/min/1.73m2", "60"),
        ("obs-tsh", "2", None, "uIU/mL", "2"),
    ],
)
def test_values_in_the_canonical_unit(
    analyte: str, value: str, code: str | None, text: str | None, expected: str
) -> None:
    converted = convert(Decimal(value), code, text, analyte, UCUM, tables=TABLES)
    assert isinstance(converted, Decimal)
    assert converted == Decimal(expected)


@pytest.mark.parametrize(
    ("analyte", "code", "text", "said"),
    [
        ("obs-ferritin", None, None, "no unit"),
        ("obs-ferritin", "", "  ", "no unit"),
        ("obs-abi", None, None, "no unit"),
        ("obs-ferritin", "ng/dL", None, "not known"),
        ("obs-ferritin", "K/uL", None, "not known"),
        ("obs-sodium", "mg/dL", None, "not known"),
        ("obs-hba1c", "mmol/mol", None, "not known"),
        ("obs-ferritin", "ng/mL", "pmol/L", "disagree"),
        ("obs-magnesium", "mmol/L", "meq/L", "disagree"),
        ("obs-unheard-of", "ng/mL", None, "no unit table"),
    ],
)
def test_units_that_cannot_be_trusted_are_unknown(
    analyte: str, code: str | None, text: str | None, said: str
) -> None:
    answer = convert(Decimal(40), code, text, analyte, tables=TABLES)
    assert isinstance(answer, UnitUnknown)
    assert said in answer.reason
    assert "40" not in answer.reason


def test_the_reason_names_a_foreign_unit_system() -> None:
    answer = convert(
        Decimal(1), "ngml", None, "obs-ferritin", "http://example.org/units", tables=TABLES
    )
    assert isinstance(answer, UnitUnknown)
    assert "http://example.org/units" in answer.reason


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_unknown(value: str) -> None:
    assert isinstance(
        convert(Decimal(value), "ng/mL", None, "obs-ferritin", tables=TABLES), UnitUnknown
    )


def test_ferritin_in_pmol_is_divided_by_2_247_exactly() -> None:
    assert convert(Decimal("2.247"), "pmol/L", None, "obs-ferritin", tables=TABLES) == 1


def test_the_callers_decimal_context_does_not_matter() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        converted = convert(Decimal("123.456"), "ng/mL", None, "obs-ferritin", tables=TABLES)
    assert converted == Decimal("123.456")


def test_every_unit_table_names_its_canonical_unit() -> None:
    for analyte in ANALYTES:
        unit = canonical_unit(analyte, TABLES)
        assert unit
        assert convert(Decimal("7.5"), unit, None, analyte, tables=TABLES) == Decimal("7.5")
    assert canonical_unit("obs-unheard-of", TABLES) == ""


def test_every_spelling_in_the_file_converts() -> None:
    for analyte, entry in orjson.loads(UNITS.read_bytes())["analytes"].items():
        for spelling in [*entry["units"], *entry["aliases"]]:
            assert isinstance(
                convert(Decimal(1), spelling, None, analyte, tables=TABLES), Decimal
            ), spelling


def test_a_site_may_add_a_unit() -> None:
    tables, faults = UnitTables.checked(
        {"obs-x": {"canonical": "g/L", "units": {"g/L": {}, "cg/dL": {"dividedBy": "10"}}}}
    )
    assert faults == []
    assert convert(Decimal(5), "cg/dL", None, "obs-x", tables=tables) == Decimal("0.5")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"canonical": "g/L"},
        {"canonical": "g/L", "units": {"mg/L": {"times": "1"}}},
        {"canonical": "g/L", "units": {"g/L": {"times": "much"}}},
        {"canonical": "g/L", "units": {"g/L": {"times": "0"}}},
        {"canonical": "g/L", "units": {"g/L": {}}, "aliases": {"x": "y"}},
        {"canonical": "g/L", "units": {"g/L": {}, "G/L": {"times": "1000"}}},
        [],
    ],
)
def test_faulty_tables_are_told_and_left_out(entry: object) -> None:
    tables, faults = UnitTables.checked({"obs-x": entry})
    assert tables.tables == {}
    assert [path for path, _ in faults] == ["$.analytes.obs-x"]


KNOWN = [
    (analyte, spelling)
    for analyte, entry in orjson.loads(UNITS.read_bytes())["analytes"].items()
    for spelling in [*entry["units"], *entry["aliases"]]
]
VALUES = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)


@given(st.sampled_from(KNOWN), VALUES, VALUES)
def test_conversion_keeps_the_order_of_values(
    unit: tuple[str, str], one: Decimal, other: Decimal
) -> None:
    analyte, spelling = unit
    low, high = sorted([one, other])
    converted = [convert(value, spelling, None, analyte, tables=TABLES) for value in (low, high)]
    assert isinstance(converted[0], Decimal) and isinstance(converted[1], Decimal)
    assert converted[0] <= converted[1]


JUNK = st.none() | st.text(max_size=30) | st.sampled_from([spelling for _, spelling in KNOWN])


@given(
    st.decimals(), JUNK, JUNK, st.sampled_from([*ANALYTES, ""]), st.none() | st.text(max_size=10)
)
def test_no_unit_and_no_value_raises(
    value: Decimal, code: str | None, text: str | None, analyte: str, system: str | None
) -> None:
    answer = convert(value, code, text, analyte, system, tables=TABLES)
    assert isinstance(answer, UnitUnknown) or answer.is_finite()
