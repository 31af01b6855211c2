"""Results under four keys instead of one: as good where they are all there, and said where not."""

from typing import Any
from urllib.parse import unquote

import pytest

from cds_service.facts.chart import RESULT_KEYS
from cds_service.packs.prefetch_templates import codes
from tests.support import calls
from tests.support import fault_proxy as faults
from tests.support.calls import Caller, condition, observation
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, Reply
from tests.support.fhir_calls import chart_of, supplies
from tests.support.fhir_server import FhirServer, as_patient, from_server, resources_of

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
EMPTY = {"resourceType": "Bundle", "type": "searchset", "entry": []}
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
RESULTS = [
    observation("2276-4", "20", "ng/mL", id="o-1"),
    observation("2823-3", "2.9", "mmol/L", id="o-2"),
    observation("77194-9", "0.4", "{ratio}", id="o-3"),
    observation("33914-3", "28", "mL/min/{1.73_m2}", id="o-4"),
]


@pytest.fixture(scope="module")
def whole() -> Any:
    """A call with all results under one key."""
    conditions = [condition(ICD10, "G25.81", id="c-1"), condition(ICD10, "G47.62", id="c-2")]
    return calls.patient_view(conditions=conditions, observations=RESULTS)


def themed(caller: Caller, whole: Any) -> Any:
    """The same call, as an EHR sends it that fills in the four templates."""
    service = caller.client.get("/cds-services").json["services"]
    [templates] = [one["prefetch"] for one in service if one["id"] == "leg-cramps-patient-view"]
    prefetch = {k: v for k, v in whole["prefetch"].items() if k != "observations"}
    for key in RESULT_KEYS:
        asked = {code.rpartition("|")[2] for code in codes(templates[key])}
        found = [one for one in RESULTS if one["code"]["coding"][0]["code"] in asked]
        prefetch[key] = EMPTY | {"entry": [{"resource": one} for one in found]}
    return {**whole, "prefetch": prefetch}


def summaries(caller: Caller, call: Any) -> list[str]:
    return [card["summary"] for card in caller.cards(call)["cards"]]


def test_four_keys_are_as_good_as_one(caller: Caller, whole: Any) -> None:
    split = themed(caller, whole)
    assert [len(split["prefetch"][key]["entry"]) for key in RESULT_KEYS] == [1, 1, 1, 1]
    assert summaries(caller, whole)
    assert summaries(caller, split) == summaries(caller, whole)
    backwards = {**split, "prefetch": dict(reversed(split["prefetch"].items()))}
    assert summaries(caller, backwards) == summaries(caller, whole)


def test_both_are_read_once(caller: Caller, whole: Any) -> None:
    both = themed(caller, whole)
    both["prefetch"]["observations"] = whole["prefetch"]["observations"]
    slot = chart_of(caller.client, both).slot("observations")
    assert len(slot.resources) == len(RESULTS)
    assert summaries(caller, both) == summaries(caller, whole)


def test_nothing_under_any_of_them_is_known_empty(caller: Caller, whole: Any) -> None:
    split = themed(caller, whole)
    for value in (None, EMPTY):
        split["prefetch"] |= dict.fromkeys(RESULT_KEYS, value)
        assert supplies(chart_of(caller.client, split))["observations"] == "known-empty"


@pytest.mark.parametrize("lacking", RESULT_KEYS)
@pytest.mark.parametrize("how", ["not sent", "failed", "paged"])
def test_a_theme_that_is_not_there_is_said(
    caller: Caller, whole: Any, lacking: str, how: str
) -> None:
    split = themed(caller, whole)
    if how == "not sent":
        del split["prefetch"][lacking]
    elif how == "failed":
        split["prefetch"][lacking] = FAILED
    else:
        page = {"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}
        split["prefetch"][lacking] = EMPTY | {"link": [page]}
    slot = chart_of(caller.client, split).slot("observations")
    assert slot.supply.value == "incomplete"
    assert lacking in slot.problem
    assert len(slot.resources) >= 3


def test_all_of_them_failed(caller: Caller, whole: Any) -> None:
    split = themed(caller, whole)
    split["prefetch"] |= dict.fromkeys(RESULT_KEYS, FAILED)
    assert supplies(chart_of(caller.client, split))["observations"] == "failed"


# A FHIR server behind a front that takes no long addresses.


@pytest.fixture(scope="module")
def stored(fhir: FhirServer, whole: Any) -> Any:
    call = as_patient(whole, "themes")
    fhir.put(resources_of(call))
    return call


def longer_than(most: int, status: int, *, forms: bool = True) -> Fault:
    """IIS answers 404 to a query of more than 2,048 bytes; other fronts 403 or 414."""

    def fault(exchange: Exchange) -> Reply | None:
        if exchange.form and not forms:
            return faults.status(405)(exchange)
        query = exchange.target.partition("?")[2]
        return faults.status(status)(exchange) if len(query) > most else exchange.forward()

    return fault


@pytest.mark.parametrize("status", [404, 403, 414, 400, 410, 431])
@pytest.mark.parametrize("forms", [True, False], ids=["POST is taken", "POST is refused"])
@pytest.mark.parametrize("most", [2_048, 400])
def test_a_front_that_takes_no_long_address(
    caller: Caller, stored: Any, ehr: FaultProxy, most: int, forms: bool, status: int
) -> None:
    expected = summaries(caller, stored)
    ehr.rule("", longer_than(most, status, forms=forms))
    call = from_server(stored, ehr.base)
    assert supplies(chart_of(caller.client, call))["observations"] == "supplied"
    assert summaries(caller, call) == expected
    if most == 2_048:
        assert not [one for one in ehr.seen if one.target.endswith("_search")]


@pytest.mark.parametrize("status", [404, 403])
def test_observations_that_cannot_be_had_are_never_not_offered(
    caller: Caller, stored: Any, ehr: FaultProxy, status: int
) -> None:
    ehr.rule("Observation", faults.status(status))
    slot = chart_of(caller.client, from_server(stored, ehr.base)).slot("observations")
    assert slot.supply.value == "failed"
    assert "not-offered" not in slot.problem
    assert any("category=laboratory" in unquote(one) for one in ehr.targets("Observation"))


def test_a_search_by_form_carries_no_patient_in_its_address(
    caller: Caller, stored: Any, ehr: FaultProxy
) -> None:
    ehr.rule("Observation", longer_than(400, 404))
    caller.cards(from_server(stored, ehr.base))
    searches = [one for one in ehr.seen if one.target.endswith("_search")]
    assert {one.target for one in searches} == {"Observation/_search"}
    assert {one.headers["content-type"] for one in searches} == {
        "application/x-www-form-urlencoded"
    }
