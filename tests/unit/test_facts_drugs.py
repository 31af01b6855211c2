"""Drugs in use: which entries are active, how they are recognised and merged."""

from decimal import Decimal
from typing import Any

import pytest

from cds_service.facts.chart import Supply
from cds_service.facts.model import State
from cds_service.terminology.codings import RXNORM
from tests.unit.facts_support import coded, day, facts, request, statement

KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN


def state(name, *resources, **given):
    return facts(*resources, **given).get(name).state


def bounds(end):
    return {"timing": {"repeat": {"boundsPeriod": {"end": end}}}}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, KNOWN),
        ({"status": "on-hold"}, ABSENT),
        ({"status": "stopped"}, ABSENT),
        ({"status": "completed"}, ABSENT),
        ({"status": "cancelled"}, ABSENT),
        ({"status": "entered-in-error"}, ABSENT),
        ({"status": "draft"}, ABSENT),
        ({"status": "unknown"}, UNKNOWN),
        ({"status": None}, UNKNOWN),
        ({"status": "whatever"}, UNKNOWN),
        ({"status": "Current"}, KNOWN),
        ({"status": "Discontinued"}, ABSENT),
        ({"status": None, "doNotPerform": True}, ABSENT),
        ({"status": None, "authoredOn": day(401)}, ABSENT),
        ({"doNotPerform": True}, ABSENT),
        ({"intent": "plan"}, KNOWN),
        ({"intent": "proposal"}, ABSENT),
        ({"authoredOn": day(400)}, KNOWN),
        ({"authoredOn": day(401)}, ABSENT),
        ({"authoredOn": None}, KNOWN),
        ({"authoredOn": "Invalid date"}, KNOWN),
        ({"authoredOn": day(401), "dosageInstruction": [bounds(day(-1))]}, KNOWN),
        ({"dosageInstruction": [bounds(day(1))]}, ABSENT),
        ({"dosageInstruction": [bounds(day(0))]}, KNOWN),
        ({"dosageInstruction": [bounds(day(1)), bounds(day(-1))]}, KNOWN),
        ({"dosageInstruction": [bounds(day(1)), {}]}, KNOWN),
        ({"dosageInstruction": [bounds("Invalid date")]}, KNOWN),
        ({"dispenseRequest": {"validityPeriod": {"end": day(1)}}}, ABSENT),
        ({"dispenseRequest": {"validityPeriod": {"end": day(-90)}}}, KNOWN),
    ],
)
def test_active_requests(extra, expected):
    assert state("drug.diuretic", request(**extra)) is expected


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, KNOWN),
        ({"status": "intended"}, KNOWN),
        ({"status": "not-taken"}, ABSENT),
        ({"status": "unknown"}, UNKNOWN),
        ({"status": "recorded"}, KNOWN),
        ({"status": "recorded", "adherence": {"code": coded("", "not-taking")}}, ABSENT),
        ({"wasNotTaken": True}, ABSENT),
        ({"taken": "n"}, ABSENT),
        ({"effectivePeriod": {"end": day(1)}}, ABSENT),
        ({"effectivePeriod": {"start": day(900)}}, KNOWN),
    ],
)
def test_active_statements(extra, expected):
    assert state("drug.diuretic", statement("furosemide 20 mg", **extra)) is expected


def test_one_drug_in_two_lists_is_one_item():
    fact = facts(request(), statement("Hydrochlorothiazide 25 mg")).get("drug.diuretic")
    assert [(i.text, i.via) for i in fact.items] == [("hydrochlorothiazide", "code")]
    assert fact.items[0].details["also"] == "MedicationStatement/s1"


@pytest.mark.parametrize(
    ("newer", "older", "via"),
    [
        (statement("Hydrochlorothiazide"), request(), "code"),
        (request(), statement("Hydrochlorothiazide"), "code"),
        (statement("Hydrochlorothiazide"), statement("hydrochlorothiazide 25 mg", id="s2"), "name"),
    ],
)
def test_one_drug_in_two_lists_is_known_by_its_code_where_one_of_them_has_it(
    newer: Any, older: Any, via: str
) -> None:
    dates = {"MedicationStatement": "effectiveDateTime", "MedicationRequest": "authoredOn"}
    resources = [{**newer, dates[newer["resourceType"]]: day(2)},
                 {**older, dates[older["resourceType"]]: day(20)}]  # fmt: skip
    [item] = facts(*resources).get("drug.diuretic").items
    assert (item.via, item.code) == (via, "310798" if via == "code" else "")


def test_a_combination_counts_by_the_ingredient_that_matters():
    item = facts(request("200284")).get("drug.diuretic").items[0]
    assert item.text == "hydrochlorothiazide"
    assert item.ingredients == ("hydrochlorothiazide", "valsartan")


def test_two_drugs_are_two_items_the_newest_first():
    fact = facts(request(), statement("furosemide", effectiveDateTime=day(2))).get("drug.diuretic")
    assert [item.text for item in fact.items] == ["furosemide", "hydrochlorothiazide"]


@pytest.mark.parametrize(
    "resource",
    [
        request(
            medicationCodeableConcept={"coding": [{"system": "urn:local", "code": "Furosemide"}]}
        ),
        request(medicationCodeableConcept={"coding": [{"display": "Furosemide 20 MG"}]}),
        request(medicationCodeableConcept={"text": "FUROSEMIDE tablet"}),
        request(medicationCodeableConcept=None, medicationReference={"display": "furosemide"}),
        request(medicationCodeableConcept=None, medication={"concept": {"text": "furosemide"}}),
        request(
            medicationCodeableConcept=None,
            medication={"reference": {"reference": "Medication/x", "display": "furosemide"}},
        ),
    ],
)
def test_a_drug_known_by_its_name_says_so(resource):
    assert facts(resource).get("drug.diuretic").items[0].via == "name"


def test_part_of_a_word_is_no_drug():
    assert state("drug.diuretic", statement("nofurosemidehere")) is ABSENT


CODED = {"resourceType": "Medication", "id": "x", "code": coded(RXNORM, "310798")}
NAMED = {
    "resourceType": "Medication",
    "id": "x",
    "code": coded("urn:local-ndc", "00054429725"),
    "identifier": [{"system": "urn:name", "value": "Furosemide 40mg Tab"}],
}
COMPOUND = {
    "resourceType": "Medication",
    "id": "x",
    "ingredient": [{"itemCodeableConcept": coded(RXNORM, "310798")}],
}


@pytest.mark.parametrize("medication", [CODED, NAMED, COMPOUND])
@pytest.mark.parametrize(
    "reference",
    [
        "Medication/x",
        "https://ehr.example/fhir/Medication/x",
        "urn:uuid:x",
        "URN:UUID:X",
        "Medication/x/_history/2",
    ],
)
def test_medications_by_reference(medication, reference):
    taken = request(medicationCodeableConcept=None, medicationReference={"reference": reference})
    assert state("drug.diuretic", taken, medication) is KNOWN


@pytest.mark.parametrize("medication", [CODED, NAMED, COMPOUND])
def test_contained_medications(medication):
    taken = request(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#x"},
        contained=[medication],
    )
    assert state("drug.diuretic", taken) is KNOWN


def test_a_request_with_a_concept_and_a_reference_is_both():
    aspirin = {**CODED, "code": coded(RXNORM, "243670")}
    taken = request("310798", medicationReference={"reference": "Medication/x"})
    assert state("drug.diuretic", taken, aspirin) is KNOWN
    unnamed = request(
        medicationCodeableConcept={"text": "see order"},
        medicationReference={"reference": "Medication/x"},
    )
    assert state("drug.diuretic", unnamed, CODED) is KNOWN


def test_medications_that_cannot_be_read_are_counted():
    lost = request(
        medicationCodeableConcept=None, medicationReference={"reference": "Medication/9"}
    )
    fact = facts(lost).get("drug.diuretic")
    assert (fact.state, fact.notes) == (ABSENT, ("1 medication could not be read.",))
    fact = facts(lost, request(medicationCodeableConcept={}), request()).get("drug.diuretic")
    assert (fact.state, fact.notes) == (KNOWN, ("2 medications could not be read.",))


def test_codes_nobody_knows_are_counted():
    base = facts(request("999999999"))
    assert base.unknown_codes == {RXNORM: 1}
    assert base.get("drug.diuretic").state is ABSENT


@pytest.mark.parametrize(
    "resource",
    [
        request("855633"),
        request("3355", dosageInstruction=[{"route": {"text": "topical"}}]),
        request("3355", dosageInstruction=[{"route": {"coding": [{"code": "54485002"}]}}]),
        request("3355", dosageInstruction={"text": "apply gel to knee"}),
        statement("diclofenac 1 % gel"),
    ],
)
def test_what_acts_where_it_is_put_does_not_count(resource):
    base = facts(resource)
    assert base.get("drug.nsaid").state is ABSENT
    assert base.get("drug.nsaid-any").state is KNOWN


def test_an_ingredient_without_a_route_counts():
    assert state("drug.nsaid", request("3355")) is KNOWN


def test_aspirin_counts_above_a_strength():
    assert state("drug.nsaid", request("243670", id="a")) is ABSENT
    strong = {"coding": coded(RXNORM, "198466")["coding"], "text": "aspirin 500 MG Oral Tablet"}
    assert state("drug.nsaid", request(medicationCodeableConcept=strong)) is KNOWN


@pytest.mark.parametrize(("age", "expected"), [(30, KNOWN), (31, ABSENT)])
@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "MedicationAdministration", "effectiveDateTime": None},
        {"resourceType": "MedicationRequest", "authoredOn": None},
        {"resourceType": "MedicationStatement", "effectivePeriod": None},
    ],
)
def test_what_was_given_lately_counts_where_the_fact_says_so(resource, age, expected):
    key = next(key for key in resource if key != "resourceType")
    value = {"end": day(age)} if key == "effectivePeriod" else day(age)
    given = {"id": "g", "status": "completed", "medicationCodeableConcept": {"text": "Venofer"}}
    assert state("drug.iron", resource | {key: value} | given) is expected


@pytest.mark.parametrize(
    ("requests", "statements", "expected"),
    [
        (Supply.EMPTY, Supply.EMPTY, ABSENT),
        (Supply.EMPTY, Supply.MISSING, ABSENT),
        (Supply.EMPTY, Supply.FAILED, UNKNOWN),
        (Supply.EMPTY, Supply.INCOMPLETE, UNKNOWN),
        (Supply.MISSING, Supply.EMPTY, UNKNOWN),
        (Supply.MISSING, Supply.MISSING, UNKNOWN),
        (Supply.FAILED, Supply.MISSING, UNKNOWN),
    ],
)
def test_when_a_drug_is_absent(requests, statements, expected):
    supplies = {"medicationRequests": requests, "medicationStatements": statements}
    base = facts(supplies=supplies)
    assert base.get("drug.diuretic").state is expected
    assert ("drug.diuretic" in base.possible()) == (expected is UNKNOWN)


def test_a_stopped_drug_is_remembered_as_unused():
    assert (
        facts(request(status="stopped")).get("drug.diuretic").unused.text == "hydrochlorothiazide"
    )


def test_of_several_stopped_drugs_the_newest_is_remembered():
    stopped = [
        request(
            id=f"m{days}",
            status="stopped",
            authoredOn=day(days),
            medicationCodeableConcept={"text": f"furosemide {days} mg"},
        )
        for days in (30, 20, 40)
    ]
    assert facts(*stopped).get("drug.diuretic").unused.reference == "MedicationRequest/m20"


def dispensed(on: str, **extra: Any) -> dict[str, Any]:
    """A dispense of hydrochlorothiazide."""
    concept = coded(RXNORM, "310798")
    resource = {"resourceType": "MedicationDispense", "id": "d1", "status": "completed"}
    return {**resource, "medicationCodeableConcept": concept, "whenHandedOver": on, **extra}


def given(on: str, **extra: Any) -> dict[str, Any]:
    """A dose of hydrochlorothiazide."""
    return {
        **dispensed(on),
        "resourceType": "MedicationAdministration",
        "whenHandedOver": None,
        "effectiveDateTime": on,
        **extra,
    }


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (dispensed(day(21)), State.KNOWN),
        (dispensed(day(120)), State.KNOWN),
        (dispensed(day(121)), State.ABSENT),
        (dispensed(day(121), daysSupply={"value": 180, "unit": "d"}), State.KNOWN),
        (dispensed(day(200), daysSupply={"value": 90}), State.ABSENT),
        (dispensed(day(200), daysSupply={"value": 10**9}), State.ABSENT),
        (dispensed(day(21), status="entered-in-error"), State.ABSENT),
        (dispensed(day(21), status="declined"), State.ABSENT),
        (dispensed(day(-9)), State.ABSENT),
        (dispensed(None, whenPrepared=day(21)), State.KNOWN),
        (dispensed(None), State.ABSENT),
        (given(day(30)), State.KNOWN),
        (given(day(31)), State.ABSENT),
        (given(day(400), status="in-progress"), State.KNOWN),
        (given(day(3), status="not-done"), State.ABSENT),
        (given(day(3), notGiven=True), State.ABSENT),
        (given(day(3), occurencePeriod={"start": day(3)}, effectiveDateTime=None), State.KNOWN),
    ],
)
def test_what_was_handed_over_or_given_lately_is_in_use(evidence: Any, state: State) -> None:
    assert facts(evidence).get("drug.diuretic").state is state


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (dispensed(day(1)), State.ABSENT),
        (dispensed(day(1), daysSupply={"value": 1}), State.KNOWN),
        (dispensed(day(0)), State.KNOWN),
    ],
)
def test_a_site_may_let_what_was_handed_over_count_for_its_supply_alone(
    evidence: Any, state: State
) -> None:
    base = facts(evidence, settings={"medication.dispensed-within": Decimal(0)})
    assert base.get("drug.diuretic").state is state


def test_what_was_stopped_is_not_in_use_though_it_was_handed_over() -> None:
    stopped = request(status="stopped")
    assert facts(dispensed(day(21)), stopped).get("drug.diuretic").state is State.ABSENT
    other = request("855633", status="stopped")
    assert facts(dispensed(day(21)), other).get("drug.diuretic").state is State.KNOWN
    again = request(id="m2")
    assert facts(dispensed(day(21)), stopped, again).get("drug.diuretic").state is State.KNOWN


PZN = "http://fhir.de/CodeSystem/ifa/pzn"


def behind(*ingredients, code=None, **extra):
    """A request for a contained Medication of a national code with these ingredients."""
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": code or coded(PZN, "01234567", text="Dehydral N"),
        "ingredient": list(ingredients),
    }
    resource = request(medicationReference={"reference": "#m"}, contained=[medication], **extra)
    del resource["medicationCodeableConcept"]
    return resource


BY_CODE = {"itemCodeableConcept": coded(RXNORM, "310798")}
BY_NAME = {"itemCodeableConcept": {"text": "Furosemide"}}


@pytest.mark.parametrize(
    "ingredient", [BY_CODE, BY_NAME, {"item": {"concept": {"text": "furosemide"}}}]
)
def test_ingredients_are_read_where_the_product_says_nothing(ingredient):
    assert state("drug.diuretic", behind(ingredient)) is KNOWN


def test_ingredient_by_reference_to_what_the_request_contains():
    resource = behind({"itemReference": {"reference": "#s"}})
    substance = {"resourceType": "Substance", "id": "s", "code": {"text": "furosemide"}}
    resource["contained"].append(substance)
    assert state("drug.diuretic", resource) is KNOWN


def test_ingredient_by_reference_to_an_entry_of_the_call():
    resource = behind({"itemReference": {"reference": "Substance/s"}})
    substance = {"resourceType": "Substance", "id": "s", "code": {"text": "furosemide"}}
    assert state("drug.diuretic", resource, substance) is KNOWN


def test_a_known_product_of_other_ingredients_is_disputed():
    resource = behind(BY_NAME, code=coded(RXNORM, "349201", text="valsartan 160 MG Oral Tablet"))
    assert state("drug.diuretic", resource) is UNKNOWN


def test_ingredients_add_to_what_a_name_gives():
    """A brand's name is that of one of the two."""
    whole = (BY_CODE, BY_NAME)
    [item] = (
        facts(behind(*whole, code={"text": "Hydrochlorothiazide comp."})).get("drug.diuretic").items
    )
    assert item.ingredients == ("hydrochlorothiazide", "furosemide")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Medication/m", KNOWN), ("https://e/fhir/Medication/m", KNOWN), ("Medication/x", ABSENT)],
)
def test_a_reference_that_is_a_bare_string(value, expected):
    medication = {"resourceType": "Medication", "id": "m", "code": coded(RXNORM, "310798")}
    resource = request(medicationReference=value)
    del resource["medicationCodeableConcept"]
    assert state("drug.diuretic", resource, medication) is expected


def test_a_concept_that_is_a_bare_string():
    assert state("drug.diuretic", request(medicationCodeableConcept="Furosemide 40 mg")) is KNOWN


def disputed(**extra):
    """The code is that of hydrochlorothiazide, the words are diclofenac."""
    concept = coded(RXNORM, "310798", text="diclofenac 50 mg tablet")
    return request(medicationCodeableConcept=concept, **extra)


@pytest.mark.parametrize("name", ["drug.diuretic", "drug.nsaid"])
def test_code_and_name_of_different_drugs_leave_both_unknown(name):
    fact = facts(disputed()).get(name)
    assert (fact.state, fact.reasons) == (
        UNKNOWN,
        ("the code and the name of an entry are different drugs",),
    )
    assert fact.notes == (
        "Code and name are different drugs, not counted: diclofenac 50 mg tablet.",
    )


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (2, "diclofenac 1 mg, diclofenac 2 mg."),
        (3, "diclofenac 1 mg, diclofenac 2 mg, diclofenac 3 mg."),
        (4, "diclofenac 1 mg, diclofenac 2 mg and 2 others."),
    ],
)
def test_drugs_that_are_disputed_are_named_and_many_counted(count, named):
    entries = []
    for number in range(1, count + 1):
        concept = coded(RXNORM, "310798", text=f"diclofenac {number} mg")
        entries.append(request(id=f"m{number}", medicationCodeableConcept=concept))
    [note] = facts(*entries).get("drug.diuretic").notes
    assert note == f"Code and name are different drugs, not counted: {named}"


def test_code_and_name_of_different_drugs_that_is_stopped_leaves_nothing_unknown():
    assert state("drug.diuretic", disputed(status="stopped")) is ABSENT


def test_entry_without_a_status_is_named_beside_one_that_counts():
    other = request(id="m2", status=None, medicationCodeableConcept={"text": "furosemide 40 mg"})
    fact = facts(request(), other).get("drug.diuretic")
    assert [item.text for item in fact.items] == ["hydrochlorothiazide"]
    assert fact.notes == ("No status that is understood, not counted: furosemide 40 mg.",)
