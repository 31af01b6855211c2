"""The prefetch templates ask for all that the facts read; else "not found" is said too easily."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from cds_service.facts.chart import RESULT_KEYS
from cds_service.packs.prefetch_templates import LONGEST, codes, encoded_length

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
    facts = read(HOOKS / "facts.json")["facts"].items()
    kinds = ("quantity", "coded", "flag")
    of_chart = [fact for name, fact in facts if not name.startswith("draft.")]
    read_results = [fact for fact in of_chart if fact["kind"] in kinds]
    return {
        set_id
        for fact in read_results
        for set_id in (fact.get("valueSets") or [fact.get("valueSet")])
        if set_id
    }


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_templates_name_every_code_that_a_fact_reads(path: Path) -> None:
    prefetch = read(path)["prefetch"]
    asked = [code for key in RESULT_KEYS for code in codes(prefetch[key])]
    needed = {code for set_id in value_sets_of_results() for code in codes_of(set_id)}
    assert needed, "the facts read no results at all"
    assert needed - set(asked) == set()
    assert len(asked) == len(set(asked)), "a code is asked for twice"
    assert all("|" in code for code in asked)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_is_longer_than_servers_take(path: Path) -> None:
    for key, template in read(path)["prefetch"].items():
        assert encoded_length(template) <= LONGEST, key
        assert "_sort" not in template, key


def test_all_services_share_their_templates() -> None:
    first, *others = [read(path)["prefetch"] for path in SERVICES]
    assert len(others) == 3
    assert all(other == first for other in others)
