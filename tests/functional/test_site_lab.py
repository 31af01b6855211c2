"""A laboratory test of a site: units, analytes and names of orders in the site's own files."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.packs.load import check_pack, load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.ruletests.testing import run_tests
from cds_service.units.convert import convert
from tests.support import sites
from tests.support.sites import FACTS, RULE, Site

Json = Any


def without_table(site: Site) -> None:
    facts = json.loads(json.dumps(FACTS))
    del facts["facts"]["lab.b12"]["analyte"]
    site.add_b12()
    site.write("facts.json", facts)


def case(name: str, value: Json, outcome: str) -> Json:
    chart = {
        "conditions": ["icd10:G47.62"],
        "observations": [{"code": "loinc:2132-9", "value": value}],
    }
    return {"name": name, "chart": chart, "expect": {RULE: outcome}, "others": "any"}


def test_a_unit_equal_to_the_facts_own_needs_no_table(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    without_table(site)
    cases = [
        case("its own unit", "199 pg/mL", "fires"),
        case("another spelling", "199 PG / ml", "fires"),
        case("another unit", "100 pmol/L", "unknown"),
        case("no unit", "199", "unknown"),
    ]
    content = sites.tests()
    site.write("rules/low-b12.test.json", {**content, "cases": [*content["cases"], *cases]})
    assert check_pack(CHECKOUT, site.root) == []
    report = run_tests(CHECKOUT, site.root, [site.root / "rules"], None)
    assert report.passed, report


def test_units_of_a_site_are_added_to_a_shipped_analyte(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write("units.json", {"analytes": {"obs-ferritin": {"units": {"g/L": {"times": "1e6"}}}}})
    assert [p.code for p in check_pack(CHECKOUT, site.root)] == ["S105"]
    units = {"g/L": {"times": "1000000"}}
    site.write("units.json", {"analytes": {"obs-ferritin": {"units": units}}})
    tables = load_pack(CHECKOUT, site.root).terminology.units
    assert convert(Decimal(1), "g/L", None, "obs-ferritin", tables=tables) == 1_000_000
    assert convert(Decimal(1), "ug/L", None, "obs-ferritin", tables=tables) == 1


def test_another_canonical_unit_makes_a_table_of_its_own(tmp_path: Path) -> None:
    """Factors that lead to another unit are not mixed with the shipped ones."""
    site = Site(tmp_path / "site")
    table = {"canonical": "ug/L", "units": {"ug/L": {"times": "1"}}}
    site.write("units.json", {"analytes": {"obs-ferritin": table}})
    problems = check_pack(CHECKOUT, site.root)
    assert {p.code for p in problems} == {"F304"}, "ng/mL, the facts' unit, has no way to ug/L"


def test_names_of_orders_are_added_one_by_one(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write("order-names.json", {"orderNames": {"order-ferritin": {"add": ["iron stores"]}}})
    assert check_pack(CHECKOUT, site.root) == []
    terminology = load_pack(CHECKOUT, site.root).terminology
    assert "order-ferritin" in terminology.sets_of_order(["Iron stores, serum"])
    assert "order-ferritin" in terminology.sets_of_order(["Ferritin"])


@pytest.mark.parametrize("named", ["add", "names"])
def test_a_shipped_phrase_under_not_still_rules_out(tmp_path: Path, named: str) -> None:
    site = Site(tmp_path / "site")
    entry = {named: ["sleep laboratory"]}
    site.write("order-names.json", {"orderNames": {"order-polysomnography": entry}})
    terminology = load_pack(CHECKOUT, site.root).terminology
    assert terminology.sets_of_order(["sleep laboratory"]) == ("order-polysomnography",)
    assert terminology.sets_of_order(["sleep laboratory, home"]) == ()


def test_a_test_of_a_site_is_none_of_those_that_no_rule_asks_for(tmp_path: Path) -> None:
    """A zinc that is called "Zinc" is believed, although the shipped rules ask for none."""
    site = Site(tmp_path / "site")
    site.add_b12()
    assert not names_of(site, "Zinc") & {"obs-b12-here"}
    site.write("valuesets/obs-b12-here.json", {**sites.VALUE_SET, "title": "Zinc"})
    assert "obs-b12-here" in names_of(site, "Zinc, serum")


def names_of(site: Site, text: str) -> frozenset[str]:
    return (
        load_pack(CHECKOUT, site.root).terminology.names_of_results(["obs-b12-here"]).sets_of(text)
    )
