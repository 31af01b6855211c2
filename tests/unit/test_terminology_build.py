"""The builder on a small made-up collection: what is taken, what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cds_service.authoring.terminology.build import build, write
from cds_service.authoring.terminology.products import brands, named_brands, rows, spellings
from cds_service.authoring.terminology.sets import SetMaker
from cds_service.authoring.terminology.source import RECIPE, Source
from cds_service.errors import ConfigurationError
from cds_service.terminology.codings import INGREDIENT, LOINC, RXNORM, SNOMED
from cds_service.terminology.index import Terminology

TWO, ONE, MEMORY = "two-sources", "one-source", "memory-only"


def concept(
    system: str, code: str, display: str, confidence: str = TWO, **more: Any
) -> dict[str, Any]:
    return {"system": system, "code": code, "display": display, "confidence": confidence,
            "source_families": ["A"], **more}  # fmt: skip


def drug(
    code: str, display: str, tty: str, confidence: str = TWO, *ingredients: str
) -> dict[str, Any]:
    return concept(RXNORM, code, display, confidence, tty=tty, ingredients=list(ingredients))


SETS = {
    "drug-quinine": {"concepts": [
        drug("9071", "Quinine", "IN", TWO, "quinine"),
        drug("9075", "quinine sulfate", "PIN", ONE, "quinine"),
        drug("1", "quinine sulfate 324 MG Oral Capsule [Qualaquin]", "SBD", ONE, "quinine"),
        drug("2", "aspirin 325 MG / quinine 1 MG Oral Tablet", "SCD", ONE, "quinine"),
        drug("3", "Quinine-containing product (RxNorm name not seen)", "SCD/SBD", ONE, "quinine"),
        drug("4", "quinine 5 MG", "SCD", MEMORY, "quinine"),
        drug("5", "QUININE 260MG TAB (VA NDF-RT name, truncated)", "SCD/SBD", ONE, "quinine"),
    ]},
    "cond-x": {"concepts": [
        concept(SNOMED, "55300003", "Cramp"),
        concept(SNOMED, "1", "one source, core", ONE, core=True),
        concept(SNOMED, "2", "one source", ONE),
        concept(SNOMED, "3", "wrong"),
        concept(SNOMED, "4", "left out by the recipe"),
        concept(LOINC, "2276-4", "Ferritin", ONE),
    ]},
}  # fmt: skip


def source(**sets: Any) -> Source:
    recipe = json.loads(RECIPE.read_text())
    recipe["sets"] = sets or {
        "drug-quinine": {
            "title": "Quinine",
            "description": "d",
            "ingredients": ["quinine", "quinone"],
        },
        "cond-x": {"title": "X", "description": "d", "from": ["cond-x"], "without": {"4": "why"}},
    }
    extra = (
        ("6", "quinone 5 MG Oral Tablet"),
        ("7", "clopidogrel 75 MG Oral Tablet"),
        ("1", "other"),
    )
    return Source(SETS, frozenset({(SNOMED, "3")}), extra, recipe)


def codes(resource: dict[str, Any], system: str) -> set[str]:
    return {
        concept["code"]
        for part in resource["compose"]["include"] if part["system"] == system
        for concept in part["concept"]
    }  # fmt: skip


def test_products_are_parsed_and_unverified_names_refused() -> None:
    table = rows(source())
    assert set(table) == {"9071", "9075", "1", "2", "5", "6"}
    assert table["1"][:3] == (("quinine",), "Oral Capsule", "oral")
    assert table["2"][0] == ("aspirin", "quinine")
    assert table["5"][:3] == (("quinine",), "", "oral")
    assert table["9071"][1] == "ingredient"
    assert table["6"][0] == ("quinone",)


def test_brands_stand_for_their_ingredients() -> None:
    inputs = source()
    assert brands(rows(inputs), inputs.recipe) == {"qualaquin": ["quinine"]}


def test_a_brand_with_two_meanings_is_left_out() -> None:
    table = {
        "1": (("quinine",), "", "", "quinine 1 MG Oral Tablet [Bitterol]"),
        "2": (("aspirin", "quinine"), "", "", "aspirin / quinine Oral Tablet [Bitterol]"),
        "3": (("quinine",), "", "", "quinine 1 MG Oral Tablet [Relief]"),
    }
    assert brands(table, source().recipe) == {}


def test_a_drug_set_lists_substances_and_names_those_without_a_code() -> None:
    inputs = source()
    made = SetMaker(inputs, rows(inputs)).make("drug-quinine")
    assert codes(made, RXNORM) == {"9071", "9075"}
    assert codes(made, INGREDIENT) == {"quinone"}


def test_only_verified_codes_are_taken() -> None:
    inputs = source()
    made = SetMaker(inputs, rows(inputs)).make("cond-x")
    assert codes(made, SNOMED) == {"55300003", "1"}
    assert codes(made, LOINC) == set()
    allowed = source(
        **{"cond-x": {"title": "X", "description": "d", "from": ["cond-x"], "allowOneSource": True}}
    )
    assert codes(SetMaker(allowed, rows(allowed)).make("cond-x"), LOINC) == {"2276-4"}


def test_building_twice_gives_the_same_files_and_removes_its_own_old_sets(tmp_path: Path) -> None:
    mine = tmp_path / "valuesets" / "mine.json"
    mine.parent.mkdir()
    mine.write_text('{"resourceType": "ValueSet"}')
    old = tmp_path / "valuesets" / "old.json"
    old.write_text(
        '{"extension": [{"url": "https://cds.legcramps.example/StructureDefinition/value-set-provenance"}]}'
    )
    report = write(source(), tmp_path)
    first = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
    write(source(), tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.json")} == first
    assert (report.value_sets, report.products) == (2, 6)
    assert mine.exists() and not old.exists()


def test_what_is_built_can_be_loaded(tmp_path: Path) -> None:
    write(source(), tmp_path)
    terminology, problems = Terminology.from_folder(tmp_path)
    assert problems == []
    assert terminology.sets_of(RXNORM, "2") == ("drug-quinine",)
    assert terminology.drugs.ingredients_in_text("Qualaquin") == ("quinine",)


@pytest.mark.parametrize("content", ["[]", '{"value_sets": []}'])
def test_a_source_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "source.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError):
        build(file, tmp_path / "pack")
    with pytest.raises(ConfigurationError):
        build(tmp_path / "nowhere", tmp_path / "pack")


def test_a_code_without_a_name_is_refused() -> None:
    nameless = source(**{"x": {"title": "X", "description": "d", "atc": ["Z99"]}})
    with pytest.raises(ConfigurationError, match="Z99"):
        SetMaker(nameless, {}).make("x")


def test_brands_of_a_names_list_count_where_their_ingredients_are_the_packs() -> None:
    names = (
        {"name": "Chinaforte", "ingredients": ["CHLORHYDRATE DE QUININE"]},
        {"name": "Creme Q", "ingredients": ["Quinine"], "review": "local", "route": "topical"},
        {"name": "Sous Q", "ingredients": ["Quinine"], "review": "?", "route": "sous-cutanée"},
        {"name": "Mystery", "ingredients": None},
        {"name": "Other", "ingredients": ["ibuprofen"]},
        {"name": "Known", "ingredients": ["quinine"]},
    )
    made = named_brands(replace(source(), drug_names=names), {"known": ["quinone"]})
    assert made == {"chinaforte": ["quinine"], "known": ["quinone"], "sous q": ["quinine"]}


def test_spellings_follow_the_endings_of_other_languages() -> None:
    recipe = {**source().recipe, "aliases": {"quinin": ["something else"]}}
    made = spellings(recipe)
    assert made["quinina"] == ["quinine"]
    assert made["quinin"] == ["something else"], "what is written by hand stands"
