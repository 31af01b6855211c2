"""Same patient, same advice: each rule case again with its conditions in another code system.

Conditions and reasons of the cases are mostly written in ICD-10-CM. Here the codes that have a
twin in SNOMED CT (`twins.json`) are replaced by it, and the outcome of every rule must be the one
that the case expects. A chart in an edition of ICD-10 that some safeguard knows nothing of leaves
that safeguard unknown, so no whole case has its twin there; a code that means the same is read
alike.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack
from cds_service.ruletests import runner
from cds_service.ruletests.testfile import read_test_file, test_file_of
from cds_service.ruletests.testing import benches
from cds_service.ruletests.trial import Bench
from cds_service.terminology.codings import ICD10, ICD10CM, ICD10GM, SNOMED

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "hooks"
TWINS: Mapping[str, str] = json.loads(Path(__file__).with_name("twins.json").read_text())["twins"]
# Which codes of the tests have no twin, and why.
WITHOUT = {
    "T67.2XXA": "no source shows a SNOMED CT concept for heat cramp",
    "Z77.011": "an exposure; SNOMED CT has the poisoning",
    "Z95.820": "a status after a procedure, of ICD-10-CM alone",
    "Z98.62": "a status after a procedure, of ICD-10-CM alone",
}
FILES = sorted(HOOKS.rglob("*.test.json"))


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(HOOKS, thorough=False)


def _twin(code: str) -> str:
    """The code in SNOMED CT; itself where it has no twin there."""
    prefix, _, bare = code.partition(":")
    return f"snomed:{TWINS[bare]}" if prefix == "icd10" and bare in TWINS else code


def _read(pack: Pack, system: str, code: str) -> frozenset[str]:
    """The sets of a code that facts read."""
    readers = pack.catalogue.readers
    wanted = {*readers["conditions"], *readers["reasons"]}
    return frozenset(wanted.intersection(pack.terminology.sets_of(system, code)))


def _rewritten(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rewritten(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rewritten(part) for part in value]
    return _twin(value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def bench() -> Bench:
    [(_, bench)] = benches(HOOKS, None, FILES)
    return bench


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.json"))
def test_the_twin_of_each_case_has_the_same_outcome(file: Path, bench: Bench) -> None:
    """What cards say may differ: an entry has its own words."""
    written = json.loads(file.read_text())
    cases = [
        {**{key: part for key, part in case.items() if key != "cards"},
         "chart": _rewritten(case.get("chart", {}))}
        for case in written["cases"]
    ]  # fmt: skip
    twin = {**written, "base": _rewritten(written.get("base", {})), "cases": cases}
    result = runner.run_tests(test_file_of(twin, file), bench)
    assert [f"{case.name}: {case.problems}" for case in result.cases if case.problems] == []


@pytest.mark.parametrize("system", [ICD10, ICD10GM])
def test_a_code_of_another_edition_is_read_as_in_icd_10_cm_or_not_at_all(
    pack: Pack, system: str
) -> None:
    unlike = {
        code: read ^ _read(pack, ICD10CM, code)
        for code in TWINS
        if len(code.replace(".", "")) <= 4
        and (read := _read(pack, system, code)) - _read(pack, ICD10CM, code)
    }
    assert unlike == {}


def test_a_twin_is_in_the_same_sets(pack: Pack) -> None:
    """What a fact reads of one it reads of the other."""
    unlike = {
        code: (_read(pack, ICD10CM, code), _read(pack, SNOMED, twin))
        for code, twin in TWINS.items()
        if _read(pack, ICD10CM, code) != _read(pack, SNOMED, twin)
    }
    assert unlike == {}


def test_each_code_of_the_tests_has_a_twin_or_a_reason_why_not(pack: Pack) -> None:
    found: set[str] = set()
    for file in FILES:
        read_test_file(file)
        found |= set(_codes(json.loads(file.read_text())))
    asked = {code for code in found if _read(pack, ICD10CM, code)}
    assert asked - TWINS.keys() == WITHOUT.keys()


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _codes(part)
    elif isinstance(value, str) and value.startswith("icd10:"):
        yield value.removeprefix("icd10:")
