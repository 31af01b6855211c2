"""Value sets from folders: lookups, overlays, references, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.terminology.codings import ATC, CPT, ICD10CM, INGREDIENT, LOINC, RXNORM, SNOMED
from cds_service.terminology.index import Terminology

HOOKS = Path(__file__).resolve().parents[2] / "hooks"


@pytest.fixture(scope="module")
def shipped() -> Terminology:
    return Terminology.from_folder(HOOKS)[0]


def value_set(name: str, *include: Any, **more: Any) -> dict[str, Any]:
    compose = {"include": list(include)}
    if "exclude" in more:
        compose["exclude"] = more.pop("exclude")
    return {"resourceType": "ValueSet", "id": name, "status": "active", "compose": compose, **more}


def concepts(system: str, *codes: str) -> dict[str, Any]:
    return {
        "system": system,
        "concept": [{"code": code, "display": f"name of {code}"} for code in codes],
    }


def below(system: str, code: str, op: str = "is-a") -> dict[str, Any]:
    return {"system": system, "filter": [{"property": "concept", "op": op, "value": code}]}


def folder(path: Path, *resources: dict[str, Any], sub: str = "valuesets") -> Path:
    (path / sub).mkdir(parents=True, exist_ok=True)
    for number, resource in enumerate(resources):
        (path / sub / f"{number}.json").write_text(json.dumps(resource))
    return path


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (ICD10CM, "G47.62", "cond-leg-cramp"),
        (ICD10CM, "R25.2", "cond-leg-cramp"),
        (SNOMED, "449917004", "cond-leg-cramp"),
        (ICD10CM, "G25.81", "cond-restless-legs"),
        (ICD10CM, "E11.42", "cond-diabetes"),
        (ICD10CM, "E11.42", "cond-diabetic-neuropathy"),
        (ICD10CM, "I70.211", "cond-intermittent-claudication"),
        (ICD10CM, "G20.A1", "cond-parkinsonism"),
        (ICD10CM, "M21.371", "cond-foot-drop"),
        (ICD10CM, "M62.81", "cond-general-weakness"),
        (ICD10CM, "T56.0X1A", "cond-toxin"),
        (ICD10CM, "Z77.011", "cond-toxin"),
        (ICD10CM, "N18.6", "cond-esrd-dialysis"),
        (ICD10CM, "Z99.2", "cond-esrd-dialysis"),
        (ICD10CM, "K74.60", "cond-cirrhosis"),
        (ICD10CM, "B50.9", "cond-malaria"),
        (ICD10CM, "D69.6", "cond-thrombocytopenia"),
        (ICD10CM, "T67.2XXA", "cond-heat-cramp"),
        (LOINC, "2276-4", "obs-ferritin"),
        (LOINC, "2276-4", "order-iron-studies"),
        (LOINC, "77194-9", "obs-abi"),
        (LOINC, "77618-7", "obs-tbi"),
        (CPT, "95810", "order-polysomnography"),
        (RXNORM, "5487", "drug-diuretics"),
        (RXNORM, "24909", "drug-iv-iron-sucrose"),
        (ATC, "C03AA03", "drug-thiazide-diuretics"),
        (ATC, "C10BA05", "drug-statins"),
        (ATC, "M01AB05", "drug-nsaids"),
    ],
)
def test_codes_of_the_rules_are_found(
    shipped: Terminology, system: str, code: str, expected: str
) -> None:
    assert expected in shipped.sets_of(system, code)
    assert shipped.knows(system, code)


@pytest.mark.parametrize(
    ("system", "code", "other"),
    [
        (ATC, "M01AE02", "drug-nsaids"),  # naproxen
        (ATC, "G03AA13", "drug-combined-oral-contraceptive"),  # the patch
        (ICD10CM, "R11.0", "cond-vomiting"),  # nausea alone
        (ICD10CM, "R94.31", "cond-qt-arrhythmia"),  # any abnormal electrocardiogram
        (ICD10CM, "R25.2", "cond-spasticity"),
        (ICD10CM, "M62.830", "cond-leg-cramp"),  # back spasm
        (ICD10CM, "I70.0", "cond-peripheral-arterial-disease"),  # aorta
        (ICD10CM, "O07.4", "cond-pregnancy-ended"),  # the pregnancy goes on
        (RXNORM, "198014", "drug-nsaids"),  # naproxen
        (RXNORM, "310325", "drug-iv-iron-sucrose"),
        (LOINC, "41995-2", "obs-hba1c"),  # a mass concentration
    ],
)
def test_near_misses_stay_outside(shipped: Terminology, system: str, code: str, other: str) -> None:
    assert other not in shipped.sets_of(system, code)


def test_unknown_codes_are_not_known(shipped: Terminology) -> None:
    assert not shipped.knows(RXNORM, "99999999")
    assert not shipped.knows("http://example.org", "G47.62")
    assert shipped.sets_of(ICD10CM, "") == ()


def test_displays_are_the_packs_own(shipped: Terminology) -> None:
    assert shipped.display("cond-leg-cramp", ICD10CM, "G47.62") == "Sleep related leg cramps"
    assert shipped.display("cond-diabetes", "urn:oid:2.16.840.1.113883.6.90", "E1142") != ""
    assert shipped.display("drug-quinine", RXNORM, "997012").endswith("[Qualaquin]")
    assert shipped.display("cond-leg-cramp", ICD10CM, "G25.81") == ""
    assert shipped.display("no-such-set", ICD10CM, "G47.62") == ""


def test_set_ids_and_ingredients(shipped: Terminology) -> None:
    assert shipped.has_set("drug-quinine")
    assert not shipped.has_set("drug-aspirine")
    assert list(shipped.set_ids()) == sorted(shipped.set_ids())
    assert shipped.sets_of_ingredient("furosemide") == ("drug-diuretics", "drug-loop-diuretics")
    assert shipped.ingredients_of("drug-antihypertensives-other")[:2] == ("acebutolol", "aliskiren")


def test_a_combination_is_in_the_sets_of_each_ingredient(shipped: Terminology) -> None:
    product = shipped.drugs.product(RXNORM, "214618")  # hydrochlorothiazide / lisinopril
    assert product is not None
    expected = {"drug-ace-inhibitors", "drug-thiazide-diuretics"}
    assert expected <= set(shipped.sets_of(RXNORM, "214618"))
    assert expected <= set(shipped.sets_of_product(product))


def test_a_later_folder_replaces_a_set_and_unions_follow(tmp_path: Path) -> None:
    pack = folder(
        tmp_path / "pack",
        value_set("one", concepts(SNOMED, "1")),
        value_set("both", {"valueSet": ["https://x/ValueSet/one|1.0", "https://x/ValueSet/two"]}),
        value_set("two", concepts(SNOMED, "2")),
    )
    site = folder(tmp_path / "site", value_set("one", concepts(SNOMED, "9")))
    terminology, problems = Terminology.from_folder(pack, [site])
    assert problems == []
    assert terminology.sets_of(SNOMED, "1") == ()
    assert terminology.sets_of(SNOMED, "9") == ("both", "one")
    assert terminology.sets_of(SNOMED, "2") == ("both", "two")


def test_an_expansion_is_enough_and_its_url_names_it(tmp_path: Path) -> None:
    exported = {
        "resourceType": "ValueSet",
        "url": "https://terminology.example/ValueSet/local-cramp",
        "compose": {"include": [below(SNOMED, "55300003")]},
        "expansion": {
            "contains": [
                {"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1", "display": "a",
                 "contains": [{"system": SNOMED, "code": "2"}]}
            ]
        },
    }  # fmt: skip
    place = folder(tmp_path, exported)
    oid = {"snomed-ct": {"addresses": ["2.16.840.1.113883.6.96"]}}
    (place / "code-systems.json").write_text(json.dumps({"code-systems": oid}))
    terminology, problems = Terminology.from_folder(place)
    assert problems == []
    assert terminology.sets_of(SNOMED, "1") == ("local-cramp",)
    assert terminology.sets_of(SNOMED, "2") == ("local-cramp",)


def test_value_sets_may_stand_in_the_folder_itself_beside_other_files(tmp_path: Path) -> None:
    folder(tmp_path, value_set("one", concepts(SNOMED, "1")), {"name": "notes"}, sub=".")
    terminology, problems = Terminology.from_folder(tmp_path)
    assert problems == []
    assert terminology.set_ids() == ("one",)


def test_excluded_codes_and_prefixes_are_left_out(tmp_path: Path) -> None:
    one = value_set(
        "one", below(ATC, "M01A"), concepts(SNOMED, "1", "2"),
        exclude=[below(ATC, "M01AE02"), concepts(SNOMED, "2")],
    )  # fmt: skip
    terminology, _ = Terminology.from_folder(folder(tmp_path, one))
    assert terminology.sets_of(ATC, "M01AE01") == ("one",)
    assert terminology.sets_of(ATC, "M01AE02") == ()
    assert terminology.sets_of(SNOMED, "1") == ("one",)
    assert terminology.sets_of(SNOMED, "2") == ()


def test_a_product_code_in_a_site_set_stands_for_itself_only(tmp_path: Path) -> None:
    site = folder(tmp_path, value_set("local-ace", concepts(RXNORM, "214618")))
    terminology, _ = Terminology.from_folder(HOOKS, [site])
    assert "local-ace" in terminology.sets_of(RXNORM, "214618")
    assert "local-ace" not in terminology.sets_of_ingredient("hydrochlorothiazide")


def test_ingredients_may_be_listed_by_name(tmp_path: Path) -> None:
    site = folder(tmp_path, value_set("local", concepts(INGREDIENT, "furosemide")))
    terminology, _ = Terminology.from_folder(HOOKS, [site])
    assert "local" in terminology.sets_of_ingredient("furosemide")
    assert "local" in terminology.sets_of(RXNORM, "310429")


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"resourceType": "CodeSystem", "id": "x"}, "V002"),
        ({"resourceType": "ValueSet", "compose": {"include": [concepts(SNOMED, "1")]}}, "V003"),
        ({"resourceType": "ValueSet", "id": "x"}, "V004"),
        (value_set("x", {"system": SNOMED, "concept": [{"display": "no code"}]}), "V004"),
        (value_set("x", {"concept": [{"code": "1"}]}), "V004"),
        (value_set("x", below(SNOMED, "55300003")), "V005"),
        (value_set("x", below(ICD10CM, "G47", op="regex")), "V005"),
        (value_set("x", {"system": SNOMED}), "V005"),
        (value_set("x", {"system": SNOMED, "valueSet": ["https://x/y"]}), "V005"),
        (value_set("x", {"valueSet": ["https://x/ValueSet/nowhere"]}), "V007"),
        (
            {"resourceType": "ValueSet", "id": "x",
             "expansion": {"total": 2, "contains": [{"system": SNOMED, "code": "1"}]}},
            "V006",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told(tmp_path: Path, resource: dict[str, Any], code: str) -> None:
    _, problems = Terminology.from_folder(folder(tmp_path, resource))
    assert [problem.code for problem in problems] == [code]
    assert problems[0].file.endswith("0.json")
    assert problems[0].severity == "error"


def test_all_problems_are_told_and_the_good_sets_are_loaded(tmp_path: Path) -> None:
    pack = folder(
        tmp_path,
        {"resourceType": "Patient"},
        value_set("twice", concepts(SNOMED, "1")),
        value_set("twice", concepts(SNOMED, "2")),
    )
    (pack / "valuesets" / "bad.json").write_text('{"resourceType": "ValueSet",\n  oops}')
    (pack / "drugs.json").write_text('{"products": 3, "combinations": [{}]}')
    (pack / "units.json").write_text('{"analytes": {"obs-x": {"canonical": "g"}}}')
    terminology, problems = Terminology.from_folder(pack)
    assert {problem.code for problem in problems} == {"V001", "V002", "V009", "V010", "V011"}
    broken = next(problem for problem in problems if problem.code == "V001")
    assert (broken.line, broken.column) == (2, 3)
    assert terminology.set_ids() == ("twice",)


def test_sets_that_refer_to_each_other_are_refused(tmp_path: Path) -> None:
    pack = folder(
        tmp_path,
        value_set("a", {"valueSet": ["https://x/ValueSet/b"]}),
        value_set("b", {"valueSet": ["https://x/ValueSet/a"]}),
    )
    _, problems = Terminology.from_folder(pack)
    assert {problem.code for problem in problems} == {"V007"}


def test_an_empty_folder_gives_an_empty_terminology(tmp_path: Path) -> None:
    terminology, problems = Terminology.from_folder(tmp_path)
    assert (terminology.set_ids(), problems) == ((), [])
    assert terminology.sets_of(SNOMED, "1") == ()
    assert terminology.drugs.ingredients_in_text("quinine") == ()
