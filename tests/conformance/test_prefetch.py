"""Section D: what prefetch says, and what it leaves open."""

from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest

from tests.support import fixtures
from tests.support.calls import Caller, bundle
from tests.support.rows import row

FERRITIN_MISSING = "rls.ferritin-missing"
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]}


@pytest.fixture
def view() -> Any:
    return fixtures.request("patient-view/cramps-and-restless-legs")


def summaries(caller: Caller, call: Any) -> list[str]:
    return [card["summary"] for card in caller.cards(call)["cards"]]


def rules(caller: Caller, call: Any) -> set[str]:
    return {
        rule["id"]
        for card in caller.cards(call)["cards"]
        for rule in card["extension"]["com.legcramps.cds"]["rules"]
    }


def with_observations(call: Any, value: Any) -> Any:
    return call | {"prefetch": call["prefetch"] | {"observations": value}}


@row("D1")
@pytest.mark.parametrize("value", [[], "x", 7, True, {}, {"resourceType": 5}, "<html/>"])
def test_a_value_that_is_no_resource(caller: Caller, view: Any, value: Any) -> None:
    for key in view["prefetch"]:
        response = caller.send(view | {"prefetch": view["prefetch"] | {key: value}})
        assert response.status_code == (412 if key in ("patient", "conditions") else 200)


@row("D3")
@pytest.mark.parametrize("service", ["leg-cramps-patient-view", "leg-symptoms-screen"])
def test_any_subset_of_the_keys(caller: Caller, view: Any, service: str) -> None:
    keys = list(view["prefetch"])
    required = {"patient", "conditions"} if service == "leg-cramps-patient-view" else {"patient"}
    for size in range(len(keys) + 1):
        for chosen in combinations(keys, size):
            call = view | {"prefetch": {key: view["prefetch"][key] for key in chosen}}
            expected = 200 if required <= set(chosen) else 412
            assert caller.send(call, service).status_code == expected, chosen


@row("D4", "D8")
def test_what_was_not_sent_is_not_absent(caller: Caller, view: Any) -> None:
    assert FERRITIN_MISSING in rules(caller, with_observations(view, bundle([])))
    del view["prefetch"]["observations"]
    assert FERRITIN_MISSING not in rules(caller, view)


@row("D5")
def test_rows_beyond_the_query_change_nothing(caller: Caller, view: Any) -> None:
    expected = summaries(caller, view)
    changes = {
        "conditions": {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
        "medicationRequests": {"status": "stopped"},
        "observations": {
            "status": "entered-in-error",
            "valueQuantity": {"value": 5, "unit": "ng/mL"},
        },
    }
    for key, change in changes.items():
        extra = deepcopy(view["prefetch"][key]["entry"][0])
        extra["resource"] |= change | {"id": "extra"}
        view["prefetch"][key]["entry"].append(extra)
        view["prefetch"][key]["total"] += 1
    assert summaries(caller, view) == expected


@row("D6")
def test_an_unknown_key_is_ignored(caller: Caller, view: Any) -> None:
    expected = summaries(caller, view)
    for value in ({"resourceType": "Coverage", "id": "1"}, bundle([]), None, ERROR, "x", [1]):
        view["prefetch"]["unheardOf"] = value
        assert summaries(caller, view) == expected


@row("D7")
def test_a_next_page_leaves_open_what_is_on_it(caller: Caller, view: Any) -> None:
    first_page = bundle([]) | {"link": [{"relation": "next", "url": "https://e/?page=2"}]}
    assert FERRITIN_MISSING not in rules(caller, with_observations(view, first_page))


@row("D9")
def test_an_outcome_in_place_of_data_is_a_failure(caller: Caller, view: Any) -> None:
    assert FERRITIN_MISSING not in rules(caller, with_observations(view, ERROR))
    response = caller.send(fixtures.request("patient-view/conditions-not-readable"))
    assert response.status_code == 412
    assert "could not be read by the EHR" in response.json["issue"][0]["diagnostics"]


@row("D10", "D16", "G5")
@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_required_data(caller: Caller, view: Any, key: str) -> None:
    del view["prefetch"][key]
    response = caller.send(view)
    (issue,) = response.json["issue"]
    assert (response.status_code, response.mimetype) == (412, "application/json")
    assert issue["expression"] == [f"prefetch.{key}"]
    assert f"{key} was not sent" in issue["diagnostics"]


@row("D11")
def test_outcomes_inside_a_bundle(caller: Caller, view: Any) -> None:
    nothing_found = bundle([WARNING]) | {"total": 0}
    assert FERRITIN_MISSING in rules(caller, with_observations(view, nothing_found))
    assert FERRITIN_MISSING not in rules(caller, with_observations(view, bundle([ERROR])))


@row("D12", "D13", "D14")
@pytest.mark.parametrize("empty", [None, bundle([]), {"resourceType": "Bundle"}])
def test_known_to_be_empty(caller: Caller, view: Any, empty: Any) -> None:
    assert FERRITIN_MISSING in rules(caller, with_observations(view, empty))
    view["prefetch"]["conditions"] = empty
    assert caller.cards(view) == {"cards": []}  # not 412


@row("D17")
def test_a_bundle_of_one_page_without_links(caller: Caller, view: Any) -> None:
    for value in view["prefetch"].values():
        value.pop("link", None)
        value.pop("total", None)
    assert caller.cards(view)["cards"]
