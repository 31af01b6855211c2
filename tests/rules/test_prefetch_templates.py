"""The prefetch templates ask for all that the facts read; else "not found" is said too easily."""

from pathlib import Path
from typing import Any

import orjson
import pytest

HOOKS = Path(__file__).parents[2] / "hooks"
SERVICES = sorted(HOOKS.glob("*/*.service.json"))


def read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def codes_of(set_id: str) -> set[str]:
    included = read(HOOKS / "valuesets" / f"{set_id}.json")["compose"]["include"]
    return {
        f"{part['system']}|{concept['code']}"
        for part in included
        for concept in part.get("concept", [])
    }


def value_sets_of_results() -> set[str]:
    facts = read(HOOKS / "facts.json")["facts"].values()
    read_results = [fact for fact in facts if fact["kind"] in ("quantity", "coded", "flag")]
    return {
        set_id
        for fact in read_results
        for set_id in (fact.get("valueSets") or [fact.get("valueSet")])
        if set_id
    }


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_observations_template_names_every_code_that_a_fact_reads(path: Path) -> None:
    template = read(path)["prefetch"]["observations"]
    [parameter] = [part for part in template.split("&") if part.startswith("code=")]
    asked = set(parameter.removeprefix("code=").split(","))
    needed = {code for set_id in value_sets_of_results() for code in codes_of(set_id)}
    assert needed, "the facts read no results at all"
    assert needed - asked == set()


def test_all_services_share_their_templates() -> None:
    first, *others = [read(path)["prefetch"] for path in SERVICES]
    assert len(others) == 3
    assert all(other == first for other in others)
