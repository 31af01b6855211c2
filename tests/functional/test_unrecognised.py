"""Entries that nothing recognises are counted and told, never dropped without a word."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cds_service.cli import main
from tests.support.calls import Caller, condition, medication_request, observation, patient_view

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
EXTENSION = "com.legcramps.cds"


def call(**lists: Any) -> Any:
    drugs = [medication_request("310798"), *lists.pop("medicationRequests", [])]
    cramp = condition(ICD, "G47.62")
    return patient_view(
        conditions=[cramp, *lists.pop("conditions", [])], medicationRequests=drugs, **lists
    )


def told(caller: Caller, request: Any) -> Any:
    return caller.cards(request)["cards"]


def test_a_drug_in_use_that_nothing_recognises_is_told(caller: Caller) -> None:
    strange = medication_request("99999991")
    cards = told(caller, call(medicationRequests=[strange, medication_request("310798")]))
    text = "".join(card["detail"] for card in cards)
    assert text.count("1 medication was not recognised") == 1
    [extension] = {json.dumps(card["extension"][EXTENSION]["unrecognised"]) for card in cards}
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    assert json.loads(extension) == {"medications": {rxnorm: 1}}


def test_a_stopped_drug_that_nothing_recognises_is_counted_alone(caller: Caller) -> None:
    strange = medication_request(text="unheard of 5 mg", status="stopped")
    cards = told(caller, call(medicationRequests=[strange]))
    assert not any("not recognised" in card["detail"] for card in cards)
    assert cards[0]["extension"][EXTENSION]["unrecognised"] == {"medications": {"no code": 1}}


def test_problems_and_results_of_local_systems_are_counted(caller: Caller) -> None:
    local = condition("urn:local", "X1")
    words = {**condition(ICD, "Z00.0"), "id": "w", "code": {"text": "a note"}}
    known = condition(ICD, "I10")
    result = observation("1", 3, "mmol/L")
    result["code"]["coding"][0]["system"] = "urn:lab"
    other = observation("2345-7", 95, "mg/dL")
    request = call(conditions=[local, words, known], observations=[result, other])
    cards = told(caller, request)
    assert cards[0]["extension"][EXTENSION]["unrecognised"] == {
        "problems": {"urn:local": 1, "no code": 1},
        "results": {"urn:lab": 1},
    }


def test_many_systems_are_counted_together(caller: Caller) -> None:
    many = [condition(f"urn:local:{n}", "X1", id=f"c{n}") for n in range(40)]
    counted = told(caller, call(conditions=many))[0]["extension"][EXTENSION]["unrecognised"]
    assert len(counted["problems"]) == 11
    assert sum(counted["problems"].values()) == 40


def test_metrics_name_no_system_that_a_client_made_up(caller: Caller) -> None:
    caller.cards(call(conditions=[condition("urn:secret-of-a-client", "X1")]))
    exposed = caller.client.get("/metrics").get_data(as_text=True)
    assert 'cds_unrecognised_entries_total{kind="problems",system="other"}' in exposed
    assert "secret-of-a-client" not in exposed


def test_request_check_counts_them(tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(call(medicationRequests=[medication_request("99999991")])))
    result = CliRunner().invoke(main, ["request", "check", str(file)])
    assert "medications  not recognised: 1 (http://www.nlm.nih.gov" in result.output


def test_request_check_says_what_entries_leave_unknown_and_why(tmp_path: Path) -> None:
    strange = medication_request(text="furosemide 40 mg", status="whatever")
    magnesium = observation("2823-3", 2.1, "mmol/L")
    magnesium["code"]["text"] = "Magnesium"
    file = tmp_path / "call.json"
    request = call(
        medicationRequests=[strange, medication_request("6918", text="furosemide 40 mg")],
        observations=[magnesium],
    )
    file.write_text(json.dumps(request))
    output = CliRunner().invoke(main, ["request", "check", str(file)]).output
    for line in (
        "unknown, as the code and the name of a result disagree: lab.magnesium, lab.potassium",
        "unknown, as the code and the name of an entry are different drugs: ",
        "unknown, as an entry for active loop diuretic has no status that is understood: "
        "drug.diuretic-loop",
    ):
        assert line in output
    assert "2.1" not in output
