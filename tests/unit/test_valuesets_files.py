"""The shipped value sets as files: valid FHIR, verified codes, readable by a person."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.valueset import ValueSet

from cds_service.terminology.codings import (
    ATC,
    CPT,
    ICD10,
    ICD10CM,
    ICD10GM,
    INGREDIENT,
    LOINC,
    RXNORM,
    SNOMED,
)
from cds_service.terminology.index import Terminology

HOOKS = Path(__file__).resolve().parents[2] / "hooks"
FILES = sorted((HOOKS / "valuesets").glob("*.json"))
SYSTEMS = {ICD10CM, ICD10, ICD10GM, SNOMED, RXNORM, LOINC, ATC, CPT, INGREDIENT}

# Codes that circulate in public code under a wrong name.
WRONG = [
    (LOINC, "44974-4"),  # called ABI right; is pulse rhythm
    (LOINC, "44975-1"),  # called ABI left; is the QT interval
    (LOINC, "77195-6"),  # called ABI; is the cardio-ankle vascular index
    (LOINC, "76497-9"),  # called ABI; its check digit is wrong
    (RXNORM, "833036"),  # called captopril; is acetaminophen with hydrocodone
    (RXNORM, "1049221"),  # called lisinopril; is acetaminophen with oxycodone
    (RXNORM, "197361"),  # called lisinopril; is amlodipine
    (RXNORM, "310965"),  # called lisinopril; is ibuprofen
    (SNOMED, "84387000"),  # called cramp in lower limb; in no trusted source
    (RXNORM, "1741261"),  # iron sucrose injection, seen in no source with its name
]


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(file.read_bytes())
    return content


def listed(resource: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (part["system"], concept["code"], concept.get("display", ""))
        for part in resource["compose"]["include"]
        for concept in part.get("concept", ())
    ]


def test_there_are_value_sets() -> None:
    assert len(FILES) > 150


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_is_a_valid_r4_value_set_with_its_source(file: Path) -> None:
    resource = read(file)
    ValueSet.model_validate(resource)
    assert resource["id"] == file.stem
    assert resource["url"].endswith(f"/ValueSet/{file.stem}")
    for name in ("version", "title", "description", "date"):
        assert resource[name]
    assert resource["extension"][0]["extension"], "no provenance"
    systems = {part["system"] for part in resource["compose"]["include"] if "system" in part}
    assert systems <= SYSTEMS
    for system, holder in ((SNOMED, "SNOMED"), (LOINC, "LOINC"), (CPT, "CPT")):
        if system in systems:
            assert holder in resource["copyright"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_code_has_a_name_and_stands_once(file: Path) -> None:
    codes = listed(read(file))
    assert len({(system, code) for system, code, _ in codes}) == len(codes)
    assert all(display for _, _, display in codes)


@pytest.mark.parametrize(("system", "code"), WRONG)
def test_no_set_holds_a_code_known_to_be_wrong(system: str, code: str) -> None:
    for file in FILES:
        assert (system, code) not in {(s, c) for s, c, _ in listed(read(file))}, file.name


def test_a_code_with_a_wrong_reputation_keeps_its_true_meaning() -> None:
    terminology, _ = Terminology.from_folder(HOOKS)
    assert terminology.sets_of(RXNORM, "197361") == ("drug-calcium-channel-blockers",)
    assert terminology.sets_of(RXNORM, "310965") == ("drug-nsaids",)
    for system, code in WRONG:
        if code not in ("197361", "310965"):
            assert terminology.sets_of(system, code) == ()


def test_drug_sets_list_substances_and_never_products() -> None:
    terminology, _ = Terminology.from_folder(HOOKS)
    for file in FILES:
        for system, code, display in listed(read(file)):
            if system == RXNORM:
                product = terminology.drugs.product(RXNORM, code)
                assert product is not None and product.is_ingredient, display
                assert "(RxNorm name not seen)" not in display


def test_every_listed_substance_leads_to_its_set() -> None:
    terminology, _ = Terminology.from_folder(HOOKS)
    for file in FILES:
        for system, code, _ in listed(read(file)):
            if system == INGREDIENT:
                assert file.stem in terminology.sets_of_ingredient(code)
                assert code in terminology.drugs.ingredients_in_text(code)


def test_snomed_identifiers_have_their_check_digit() -> None:
    for file in FILES:
        for system, code, _ in listed(read(file)):
            if system == SNOMED:
                assert verhoeff(code), f"{file.name} {code}"


def test_loinc_codes_have_their_check_digit() -> None:
    for file in FILES:
        for system, code, _ in listed(read(file)):
            if system == LOINC and not code.startswith("LA"):
                body, _, digit = code.rpartition("-")
                assert luhn(body) == int(digit), f"{file.name} {code}"


def test_one_source_codes_are_marked() -> None:
    resource = read(HOOKS / "valuesets" / "obs-tbi.json")
    concepts = resource["compose"]["include"][0]["concept"]
    assert {concept["code"] for concept in concepts} == {"77617-9", "77618-7"}
    assert all(concept["extension"][0]["valueCode"] == "one-source" for concept in concepts)


def luhn(body: str) -> int:
    """The check digit that LOINC uses (mod 10)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return -total % 10


_D = [[(i + j) % 5 if i < 5 and j < 5 else 0 for j in range(10)] for i in range(10)]
for _i in range(10):
    for _j in range(10):
        if _i < 5 <= _j:
            _D[_i][_j] = (_i + _j - 5) % 5 + 5
        elif _j < 5 <= _i:
            _D[_i][_j] = (_i - 5 - _j) % 5 + 5
        elif _i >= 5 and _j >= 5:
            _D[_i][_j] = (_i - _j) % 5
_P = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _P.append([_P[1][number] for number in _P[-1]])


def verhoeff(code: str) -> bool:
    """Whether the last digit is the Verhoeff check digit (SNOMED CT identifiers)."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _D[check][_P[place % 8][int(digit)]]
    return check == 0
