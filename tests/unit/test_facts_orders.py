"""Draft orders and orders on file: what is ordered, what is new, what is ordered already."""

import pytest

from cds_service.facts.chart import Supply
from cds_service.facts.model import State
from cds_service.terminology.codings import LOINC, RXNORM, SNOMED
from tests.unit.facts_support import coded, day, facts, request, statement

KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN
FERRITIN = coded(LOINC, "2276-4")


def draft(code="310798", **extra):
    return request(code, **{"status": "draft", "id": "d1", **extra})


def order(**extra):
    return {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": "active",
        "code": FERRITIN,
        "authoredOn": day(5),
    } | extra


def test_the_draft_under_evaluation_and_no_other():
    base = facts(drafts=(draft(), draft("855633")))
    assert base.get("draft.diuretic", draft=0).items[0].text == "hydrochlorothiazide"
    assert base.get("draft.diuretic", draft=1).state is ABSENT
    assert base.get("draft.diuretic").state is ABSENT
    assert base.get("draft.any").state is ABSENT
    assert base.get("draft.any", draft=0).items[0].reference == "MedicationRequest/d1"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"},
        {"resourceType": "NutritionOrder", "id": "n", "oralDiet": {"type": [{"text": "soft"}]}},
        {"resourceType": "ServiceRequest", "code": {"coding": [{}]}, "reasonCode": []},
        {"resourceType": "MedicationOrder", "medicationCodeableConcept": None},
        {"resourceType": "DiagnosticOrder", "item": {"code": "x"}},
        {},
    ],
)
def test_a_draft_that_orders_nothing_known_is_no_drug_and_no_test(resource):
    base = facts(drafts=(resource,))
    assert base.get("draft.any", draft=0).state is KNOWN
    for name in ("draft.diuretic", "draft.ferritin", "draft.renewal", "draft.has-reason"):
        assert base.get(name, draft=0).state is ABSENT
    assert base.get("draft.drug-known", draft=0).state is ABSENT


def test_a_half_typed_date_does_no_harm():
    dosage = {
        "timing": {"repeat": {"boundsPeriod": {"start": "Invalid date", "end": "0002-03-01"}}}
    }
    base = facts(drafts=(draft(dosageInstruction=[dosage], authoredOn="Invalid date"),))
    assert base.get("draft.diuretic", draft=0).state is KNOWN


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "MedicationOrder", "medicationCodeableConcept": coded(RXNORM, "310798")},
        draft(category={"coding": [{"code": "community"}]}, reasonCode={"text": "edema"}),
        draft(status="active"),
    ],
)
def test_drafts_of_other_releases_and_the_public_sandbox(resource):
    assert facts(drafts=(resource,)).get("draft.diuretic", draft=0).state is KNOWN


@pytest.mark.parametrize(
    "resource",
    [
        order(),
        order(resourceType="ProcedureRequest"),
        order(resourceType="DiagnosticOrder", code=None, item=[{"code": FERRITIN}]),
        order(code={"concept": FERRITIN}),
    ],
)
def test_draft_tests_in_every_release(resource):
    item = facts(drafts=(resource,)).get("draft.ferritin", draft=0).items[0]
    assert (item.text, item.code) == ("Ferritin", "2276-4")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (request("310798"), KNOWN),
        (request("200284"), KNOWN),  # the draft's only ingredient is part of it
        (statement("hydrochlorothiazide 25 mg"), KNOWN),
        (request("349201"), ABSENT),
        (request("310798", status="stopped"), ABSENT),
    ],
)
def test_renewal(taken, expected):
    assert facts(taken, drafts=(draft(),)).get("draft.renewal", draft=0).state is expected


def test_a_new_part_of_a_combination_is_no_renewal():
    base = facts(request("349201"), drafts=(draft("200284"),))
    assert base.get("draft.renewal", draft=0).state is ABSENT


def test_a_draft_on_file_does_not_renew_itself():
    base = facts(request(id="d1"), drafts=(draft(),))
    assert base.get("draft.renewal", draft=0).state is ABSENT


def test_a_renewal_that_says_so():
    prior = {"reference": "MedicationRequest/old"}
    base = facts(drafts=(draft(priorPrescription=prior),))
    assert base.get("draft.renewal", draft=0).state is KNOWN


def test_without_the_medication_list_nobody_knows():
    missing = {"medicationRequests": Supply.MISSING}
    base = facts(drafts=(draft(),), supplies=missing)
    fact = base.get("draft.renewal", draft=0)
    assert (fact.state, fact.reasons) == (UNKNOWN, ("medication requests were not supplied",))


def test_the_reason_is_there_whoever_can_read_it():
    base = facts(drafts=(draft(reasonCode={"text": "night cramps"}),))
    assert base.get("draft.has-reason", draft=0).items[0].text == "night cramps"
    assert base.get("cramp", draft=0).state is ABSENT


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, KNOWN),
        ({"status": "on-hold"}, KNOWN),
        ({"status": "completed"}, ABSENT),
        ({"status": "revoked"}, ABSENT),
        ({"status": "draft"}, ABSENT),
        ({"doNotPerform": True}, ABSENT),
        ({"authoredOn": day(30)}, KNOWN),
        ({"authoredOn": day(31)}, ABSENT),
        ({"authoredOn": None}, UNKNOWN),
    ],
)
def test_orders_on_file(extra, expected):
    assert facts(order(**extra)).get("order.ferritin").state is expected


def test_an_order_that_is_over_hides_no_other():
    for over in ({"status": "completed"}, {"doNotPerform": True}):
        assert facts(order(**over), order(id="o2")).get("order.ferritin").state is KNOWN


def test_other_drafts_are_already_ordered_and_the_draft_itself_is_not():
    base = facts(drafts=(order(status="draft"), draft()))
    assert base.get("order.ferritin", draft=0).state is ABSENT
    assert base.get("order.ferritin", draft=1).items[0].details["source"] == "draft"
    assert base.get("order.ferritin").state is KNOWN


def test_a_draft_drug_is_an_order_too():
    iron = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Venofer"}}
    base = facts(drafts=(draft(), iron))
    assert base.get("order.iron", draft=0).items[0].text == "Venofer"
    assert base.get("order.iron", draft=1).state is ABSENT


def test_orders_nobody_supplied():
    fact = facts(supplies={"serviceRequests": Supply.FAILED}).get("order.ferritin")
    assert (fact.state, fact.reasons) == (UNKNOWN, ("service requests could not be read",))


def done(kind, status, **extra):
    code = coded(SNOMED, "duplex")
    return {"resourceType": kind, "id": "p1", "status": status, "code": code} | extra


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (done("Procedure", "completed", performedDateTime=day(730)), KNOWN),
        (done("Procedure", "completed", performedDateTime=day(731)), ABSENT),
        (done("Procedure", "in-progress", performedPeriod={"start": day(3)}), KNOWN),
        (done("Procedure", "not-done", performedDateTime=day(3)), ABSENT),
        (done("Procedure", "entered-in-error", performedDateTime=day(3)), ABSENT),
        (done("Procedure", "completed"), UNKNOWN),
        (done("DiagnosticReport", "final", effectiveDateTime=day(3)), KNOWN),
        (done("DiagnosticReport", "preliminary", effectiveDateTime=day(3)), ABSENT),
        (done("Observation", "final", effectiveDateTime=day(3)), KNOWN),
    ],
)
def test_procedures(resource, expected):
    assert facts(resource).get("duplex").state is expected


def test_a_procedure_without_a_date_hides_no_other():
    dated = done("Procedure", "completed", performedDateTime=day(3), id="p2")
    assert facts(done("Procedure", "completed"), dated).get("duplex").state is KNOWN


def test_a_test_is_missing_only_where_observations_are_complete():
    failed = {"observations": Supply.FAILED}
    assert facts(supplies=failed).get("abi.done").state is UNKNOWN
    assert facts(supplies=failed).get("duplex").state is ABSENT
    assert facts(supplies={"procedures": Supply.FAILED}).get("duplex").state is UNKNOWN


def test_possible_follows_the_draft():
    base = facts(drafts=(draft(), order(status="draft")))
    assert "draft.diuretic" in base.possible(0)
    assert "draft.ferritin" in base.possible(1)
    assert "rls" not in base.possible(0)
