"""One meaning in several code systems: SNOMED CT, and the editions of ICD-10 with their traps."""

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.authoring.terminology.source import read_source, usable
from cds_service.errors import ConfigurationError
from cds_service.terminology.codings import ICD10, ICD10CM, ICD10GM, SNOMED
from cds_service.terminology.index import Terminology

HOOKS = Path(__file__).resolve().parents[2] / "hooks"


@pytest.fixture(scope="module")
def pack() -> Terminology:
    terminology, problems = Terminology.from_folder(HOOKS)
    assert problems == []
    return terminology


@pytest.mark.parametrize(
    ("system", "code", "set_id"),
    [
        (SNOMED, "78275009", "cond-sleep-indication"),
        (SNOMED, "399187006", "cond-iron-overload"),
        (SNOMED, "289256000", "cond-pregnancy-ended"),
        (SNOMED, "84757009", "cond-epilepsy"),
        (ICD10CM, "I70.221", "cond-critical-limb-ischemia"),
        (ICD10, "R25.2", "cond-leg-cramp"),
        (ICD10, "E14.9", "cond-diabetes"),
        (ICD10GM, "R25.2", "cond-leg-cramp"),
        (ICD10GM, "E11.40", "cond-diabetes"),
        (ICD10GM, "I70.22", "cond-intermittent-claudication"),
        (ICD10GM, "I70.22", "cond-peripheral-arterial-disease"),
        (ICD10GM, "I70.23", "cond-critical-limb-ischemia"),
        (ICD10GM, "G25.81", "cond-restless-legs"),
        (ICD10GM, "G2581", "cond-restless-legs"),
        (ICD10GM, "I74.3+", "cond-limb-threat"),
    ],
)
def test_a_code_is_in_the_set_of_its_meaning(
    pack: Terminology, system: str, code: str, set_id: str
) -> None:
    assert set_id in pack.sets_of(system, code)


@pytest.mark.parametrize(
    ("system", "code", "set_id"),
    [
        (ICD10GM, "I70.22", "cond-critical-limb-ischemia"),  # pain on walking there
        (ICD10CM, "I70.221", "cond-intermittent-claudication"),  # rest pain here
        (ICD10GM, "M62.82", "cond-muscle-injury"),  # a muscle of the upper arm there
        (ICD10GM, "M62.81", "cond-general-weakness"),  # a muscle of the shoulder there
        (ICD10, "G25.8", "cond-restless-legs"),  # wider there
        (ICD10CM, "E14", "cond-diabetes"),  # no such code
        (ICD10CM, "D62", "cond-anemia"),  # acute blood loss
        (ICD10, "D57.0", "cond-anemia"),  # sickle cell crisis
        (ICD10CM, "D57.00", "cond-anemia"),
        (SNOMED, "906191000000102", "cond-anemia"),  # ischemia of the bowel
        (SNOMED, "240131006", "cond-metabolic-myopathy"),  # rhabdomyolysis
        (ICD10CM, "M62.82", "cond-metabolic-myopathy"),
        (ICD10CM, "T79.A21A", "cond-chronic-compartment-syndrome"),
        (SNOMED, "111245009", "cond-chronic-compartment-syndrome"),
    ],
)
def test_a_code_of_another_meaning_is_not_in_the_set(
    pack: Terminology, system: str, code: str, set_id: str
) -> None:
    assert set_id not in pack.sets_of(system, code)


def test_each_condition_set_has_both_systems_of_the_charts(pack: Terminology) -> None:
    """SNOMED CT has no concept for heat cramp that a source shows, ICD-10-CM none for these."""
    without = {
        name
        for name in pack.set_ids()
        if name.startswith("cond-")
        and not {ICD10CM, SNOMED} <= {key[0] for key in _keys(pack, name)}
    }
    assert without == {"cond-heat-cramp"}


def _keys(pack: Terminology, name: str) -> set[tuple[str, str]]:
    one = pack.value_set(name)
    return {*one.concepts, *one.below}


def concept(code: str, confidence: str = "one-source", **more: Any) -> dict[str, Any]:
    return {"system": SNOMED, "code": code, "display": "a name", "confidence": confidence,
            "source_families": ["A"], **more}  # fmt: skip


def collection(folder: Path, name: str, *concepts: dict[str, Any], **more: Any) -> None:
    entry = {"id": "cond-x", "concepts": list(concepts), "icd_prefixes": more.pop("icd", [])}
    (folder / name).write_text(json.dumps({"value_sets": [entry], **more}), encoding="utf-8")


def test_a_second_collection_adds_to_the_sets_of_the_first(tmp_path: Path) -> None:
    collection(tmp_path, "first.json", concept("1"), concept("2"), icd=["E10"], padding="x" * 500)
    collection(
        tmp_path, "second.json", concept("2", "two-sources", source_families=["B"]), concept("3"),
        icd=["E11"], negative_list=[{"system": SNOMED, "code": "9"}],
    )  # fmt: skip
    source = read_source(tmp_path)
    joined = source.sets["cond-x"]
    assert [entry["code"] for entry in joined["concepts"]] == ["1", "2", "3"]
    assert joined["icd_prefixes"] == ["E10", "E11"]
    assert joined["concepts"][1]["confidence"] == "two-sources"
    assert joined["concepts"][1]["source_families"] == ["A", "B"]
    assert source.negative == {(SNOMED, "9")}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"evidence": [{"path": "a.csv"}]}, True),
        ({"evidence": [{"path": "a.csv"}], "review": "named differently"}, False),
    ],
)
def test_one_source_counts_where_the_file_that_shows_the_name_is_on_record(
    more: dict[str, Any], *, expected: bool
) -> None:
    assert usable(concept("1", **more)) is expected


def test_a_file_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="value_sets"):
        read_source(tmp_path)
