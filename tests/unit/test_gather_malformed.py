"""A malformed Bundle is never the whole answer: nothing missing from it counts as absent."""

from typing import Any

import pytest

from cds_service.facts.chart import Supply
from tests.unit.test_gather import CONDITION, bundle, chart

SOME = {"resource": CONDITION}


@pytest.mark.parametrize("entries", [{}, {"resource": CONDITION}, "x", "", 7, 0, True, False])
def test_entries_that_are_no_list(entries: Any) -> None:
    slot = chart(conditions={"resourceType": "Bundle", "entry": entries}).slot("conditions")
    assert not slot.supply.complete
    assert slot.problem


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "x",
        7,
        [],
        {},
        [SOME],
        {"resource": None},
        {"resource": "x"},
        {"resource": []},
        {"resource": {}},
        {"resource": {"id": "1"}},
        {"resource": {"resourceType": None}},
        {"resource": {"resourceType": ["Condition"]}},
    ],
)
@pytest.mark.parametrize("before", [[], [SOME]])
def test_an_entry_that_is_no_resource(before: list[Any], entry: Any) -> None:
    value = {"resourceType": "Bundle", "entry": [*before, entry]}
    slot = chart(conditions=value).slot("conditions")
    assert slot.supply is (Supply.INCOMPLETE if before else Supply.MISSING)
    assert len(slot.resources) == len(before)
    assert slot.problem


@pytest.mark.parametrize("total", [1, 2, 1_000_000])
def test_nothing_where_the_total_says_something(total: int) -> None:
    assert chart(conditions=bundle(total=total)).slot("conditions").supply is Supply.INCOMPLETE


def test_a_total_that_the_entries_reach() -> None:
    slot = chart(conditions=bundle(CONDITION, total=1)).slot("conditions")
    assert slot.supply is Supply.SUPPLIED


@pytest.mark.parametrize("inner", [{"entry": {}}, {"entry": [7]}, {"total": 3}])
def test_a_malformed_bundle_inside_a_bundle(inner: dict[str, Any]) -> None:
    value = bundle(CONDITION, {"resourceType": "Bundle", **inner})
    slot = chart(conditions=value).slot("conditions")
    assert (slot.supply, len(slot.resources)) == (Supply.INCOMPLETE, 1)
