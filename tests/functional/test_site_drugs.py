"""A drug that a site adds to a shipped set is recognised like the shipped ones, on every hook."""

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.packs.load import check_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.terminology.codings import INGREDIENT
from cds_service.terminology.valueset import ADDS
from tests.support.calls import RXNORM
from tests.support.sites import Site

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
NEW = "imaginarthiazide"
SYSTEM = "http://hospital.example.org/drugs"
Json = Any


def value_set(set_id: str = "drug-thiazide-diuretics", **more: Json) -> Json:
    concept = {"code": NEW, "designation": [{"value": "Imaginol"}]}
    return {
        "resourceType": "ValueSet",
        "id": set_id,
        "extension": [{"url": ADDS, "valueBoolean": True}],
        "version": "2026-11-27",
        "status": "active",
        "compose": {
            "include": [
                {"system": INGREDIENT, "concept": [concept]},
                {"system": RXNORM, "concept": [{"code": "99990001", "display": "a tablet"}]},
            ]
        },
        **more,
    }


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("valuesets/drug-thiazide-diuretics.json", value_set())
    return site


@pytest.fixture
def terminology(site: Site) -> Any:
    from cds_service.packs.load import load_pack

    return load_pack(CHECKOUT, site.root).terminology


def test_the_shipped_set_keeps_all_that_it_had(terminology: Any) -> None:
    assert "drug-thiazide-diuretics" in terminology.sets_of_ingredient("hydrochlorothiazide")
    assert "drug-diuretics" in terminology.sets_of_ingredient("hydrochlorothiazide")


def test_the_new_drug_is_in_every_set_that_holds_the_shipped_one(terminology: Any) -> None:
    sets = terminology.sets_of_ingredient(NEW)
    assert {"drug-thiazide-diuretics", "drug-diuretics"} <= set(sets)
    assert "drug-thiazide-diuretics" in terminology.sets_of(RXNORM, "99990001")


@pytest.mark.parametrize("text", [f"{NEW} 25 mg tablet", "IMAGINOL 25", "Imaginol-free syrup"])
def test_generic_name_and_brand_are_found_in_text(terminology: Any, text: str) -> None:
    expected = () if "free" in text else (NEW,)
    assert terminology.drugs.ingredients_in_text(text) == expected


def test_an_ingredient_that_no_product_has_is_a_warning(site: Site) -> None:
    (problem,) = [p for p in check_pack(CHECKOUT, site.root) if p.code == "V014"]
    assert NEW in problem.message and problem.severity == "warning"
    site.write(
        "valuesets/drug-thiazide-diuretics.json",
        json.loads(json.dumps(value_set()).replace(NEW, "hydroclorothiazide")),
    )
    (problem,) = [p for p in check_pack(CHECKOUT, site.root) if p.code == "V014"]
    assert "Did you mean 'hydrochlorothiazide'?" in problem.hint


def test_a_set_that_adds_to_nothing_is_refused(site: Site) -> None:
    site.write("valuesets/drug-diuretic.json", value_set("drug-diuretic"))
    (problem,) = [p for p in check_pack(CHECKOUT, site.root) if p.code == "V013"]
    assert "Did you mean 'drug-diuretics'?" in problem.hint and problem.severity == "error"
