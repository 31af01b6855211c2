"""Age, sex, death, encounter class; coded observations; questionnaire answers; due dates."""

from datetime import datetime

import pytest

from cds_service.facts.chart import Supply
from cds_service.facts.model import State
from cds_service.terminology.codings import LOINC, SNOMED
from tests.unit.facts_support import coded, day, facts

KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN


def patient(**extra):
    return {"resourceType": "Patient", "id": "p", **extra}


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1960-11-21", 66),
        ("1960-11-22", 65),
        ("1960", 65),  # born on the last day of the year, at the latest
        ("1960-11", 65),
        ("1960-10", 66),
        ("2026", 0),
        ("2026-11-21", 0),
        ("2008-02-29", 18),
    ],
)
def test_age_is_the_youngest_possible(born, age):
    assert facts(patient(birthDate=born)).get("patient.age").items[0].quantity.value == age


@pytest.mark.parametrize(
    ("born", "reason"),
    [
        (None, "the birth date was not supplied"),
        ("", "the birth date was not supplied"),
        ("Invalid date", "the birth date could not be read"),
        ("1960-13-01", "the birth date could not be read"),
        ("2110-01-01", "the birth date lies in the future"),
        ("2027", "the birth date lies in the future"),
        ("0002-03-01", "the birth date is not plausible"),
    ],
)
def test_age_that_nobody_knows(born, reason):
    fact = facts(patient(birthDate=born)).get("patient.age")
    assert (fact.state, fact.reasons) == (UNKNOWN, (reason,))


def test_the_day_is_that_of_utc():
    late = datetime.fromisoformat("2026-11-20T23:30:00-05:00")
    base = facts(patient(birthDate="1960-11-21"), now=late)
    assert base.get("patient.age").items[0].quantity.value == 66


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, ABSENT),
        ({"deceasedBoolean": False}, ABSENT),
        ({"deceasedBoolean": True}, KNOWN),
        ({"deceasedDateTime": "2026"}, KNOWN),
        ({"deceasedDateTime": ""}, ABSENT),
    ],
)
def test_death(extra, expected):
    assert facts(patient(**extra)).get("patient.deceased").state is expected


@pytest.mark.parametrize("sent", ["Male", "female", "other"])
def test_sex(sent):
    assert facts(patient(gender=sent)).get("patient.sex").items[0].code == sent.lower()


_MASKED = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "masked",
        }
    ]
}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({}, "the sex was not supplied"),
        ({"gender": None}, "the sex was not supplied"),
        ({"_gender": _MASKED}, "the sex was not supplied"),
        ({"gender": "unknown"}, "the recorded sex says nothing that is known here"),
        ({"gender": "M"}, "the recorded sex says nothing that is known here"),
        ({"gender": ["male"]}, "the recorded sex says nothing that is known here"),
    ],
)
def test_sex_that_nobody_knows(extra, reason):
    fact = facts(patient(**extra)).get("patient.sex")
    assert (fact.state, fact.reasons) == (UNKNOWN, (reason,))


@pytest.mark.parametrize("name", ["patient.age", "patient.sex", "patient.deceased"])
def test_without_a_patient_nothing_is_known(name):
    fact = facts(supplies={"patient": Supply.MISSING}).get(name)
    assert (fact.state, fact.reasons) == (UNKNOWN, ("the patient was not supplied",))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"system": "urn:x", "code": "IMP"}, "IMP"),
        ([{"coding": [{"code": "EMER"}]}], "EMER"),
        ("inpatient", "IMP"),
        ("ambulatory", "AMB"),
    ],
)
def test_encounter_class_in_every_release(given, code):
    encounter = {"resourceType": "Encounter", "id": "e", "class": given}
    assert [i.code for i in facts(encounter).get("encounter.class").items] == [code]


def test_encounter_class_that_nobody_knows():
    assert facts({"resourceType": "Encounter"}).get("encounter.class").state is UNKNOWN
    assert facts(supplies={"encounter": Supply.MISSING}).get("encounter.class").state is UNKNOWN
    assert facts().get("encounter.class").state is ABSENT


TWENTY_DAYS_AGO = day(20)


def status(code, on=TWENTY_DAYS_AGO, **extra):
    return {
        "resourceType": "Observation",
        "id": f"o-{code}-{on}",
        "status": "final",
        "code": coded(LOINC, "82810-3"),
        "valueCodeableConcept": coded(SNOMED, code),
        "effectiveDateTime": on,
    } | extra


PREGNANT, NOT_PREGNANT = "77386006", "60001007"


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        ([status(PREGNANT)], KNOWN),
        ([status(NOT_PREGNANT)], ABSENT),
        ([status(PREGNANT), status(NOT_PREGNANT, day(1))], ABSENT),
        ([status(PREGNANT, day(1)), status(NOT_PREGNANT)], KNOWN),
        ([status(NOT_PREGNANT, day(1), status="entered-in-error"), status(PREGNANT)], KNOWN),
        ([status(NOT_PREGNANT, None), status(PREGNANT)], KNOWN),
        ([status(PREGNANT, day(365))], KNOWN),
        ([status(PREGNANT, day(366))], ABSENT),
        ([status(PREGNANT, None)], UNKNOWN),
        ([status(PREGNANT, status="entered-in-error")], ABSENT),
        ([status(PREGNANT, valueCodeableConcept=None, valueString="pregnant")], ABSENT),
    ],
)
def test_the_newest_coded_answer_counts(observations, expected):
    assert facts(*observations).get("pregnant").state is expected


@pytest.mark.parametrize(
    ("due", "expected"),
    [(day(0), KNOWN), (day(-90), KNOWN), (day(1), ABSENT), ("soon", ABSENT), (None, ABSENT)],
)
def test_a_due_date_ahead(due, expected):
    assert facts(due_date(due)).get("pregnancy.due-ahead").state is expected


def test_a_due_date_that_is_past_hides_none_ahead():
    base = facts(due_date(day(1)), due_date(day(-90), id="o2"))
    assert base.get("pregnancy.due-ahead").state is KNOWN


def due_date(due, **extra):
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": coded(LOINC, "11778-8"),
        "valueDateTime": due,
    } | extra


def test_due_dates_nobody_supplied():
    base = facts(supplies={"observations": Supply.MISSING})
    assert base.get("pregnancy.due-ahead").reasons == ("observations were not supplied",)


def response(answer, **extra):
    group = {"linkId": "g", "item": [{"linkId": "Q9", "answer": [answer]}]}
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "q",
        "questionnaire": "urn:q|1.0",
        "status": "completed",
        "authored": day(5),
        "item": [group],
    } | extra


YES = {"valueBoolean": True}


def nested(groups):
    """A response in which the question stands inside so many groups."""
    item = {"linkId": "Q9", "answer": [YES]}
    for _ in range(groups):
        item = {"linkId": "g", "item": [item]}
    return response(YES, item=[item])


@pytest.mark.parametrize(
    ("resource", "hard", "answered"),
    [
        (response(YES), KNOWN, KNOWN),
        (response({"valueBoolean": False}), ABSENT, KNOWN),
        (response({"valueString": "true"}), KNOWN, KNOWN),
        (response({"valueCoding": {"code": "true"}}), KNOWN, KNOWN),
        (response({}), ABSENT, ABSENT),
        (nested(7), KNOWN, KNOWN),
        (nested(8), ABSENT, ABSENT),
        (response(YES, status="in-progress"), ABSENT, ABSENT),
        (response(YES, questionnaire="urn:other"), ABSENT, ABSENT),
        (response(YES, authored=day(30)), KNOWN, KNOWN),
        (response(YES, authored=day(31)), ABSENT, ABSENT),
        (response(YES, authored=None), ABSENT, ABSENT),
    ],
)
def test_answers(resource, hard, answered):
    base = facts(resource)
    assert (base.get("answer.hard").state, base.get("answer.any").state) == (hard, answered)


def test_the_newest_response_counts():
    newer = response({"valueBoolean": False}, authored=day(1))
    assert facts(response(YES), newer).get("answer.hard").state is ABSENT
