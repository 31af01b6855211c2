"""Problems: status, certainty, dates, places; reasons of encounters and orders; findings."""

import pytest

from cds_service.facts.chart import Supply
from cds_service.facts.model import State
from cds_service.terminology.codings import ICD10CM, SNOMED
from tests.unit.facts_support import coded, condition, day, facts

KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN
CRAMP = coded(SNOMED, "449917004")
ENCOUNTER = {"resourceType": "Encounter", "id": "e1", "status": "in-progress"}


def state(name, *resources, **given):
    return facts(*resources, **given).get(name).state


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, KNOWN),
        ({"clinicalStatus": coded("", "active")}, KNOWN),
        ({"clinicalStatus": coded("", "recurrence")}, KNOWN),
        ({"clinicalStatus": coded("", "relapse")}, KNOWN),
        ({"clinicalStatus": "active"}, KNOWN),  # DSTU2, STU3
        ({"clinicalStatus": coded("", "resolved")}, ABSENT),
        ({"clinicalStatus": coded("", "inactive")}, ABSENT),
        ({"clinicalStatus": "remission"}, ABSENT),
        ({"clinicalStatus": {"text": "Current"}}, KNOWN),
        ({"clinicalStatus": {"text": "Active problem"}}, KNOWN),
        ({"clinicalStatus": {"text": "Resolved"}}, ABSENT),
        ({"clinicalStatus": {"coding": [{"display": "Inactive"}]}}, ABSENT),
        ({"clinicalStatus": coded("urn:local", "completed")}, ABSENT),
        ({"clinicalStatus": coded("urn:local", "55561003", text="Active")}, KNOWN),
        ({"clinicalStatus": coded("urn:local", "X7")}, UNKNOWN),
        ({"clinicalStatus": {"text": "not resolved"}}, UNKNOWN),
        ({"clinicalStatus": True}, UNKNOWN),
        ({"clinicalStatus": {"text": "Abgeschlossen"}}, ABSENT),
        ({"clinicalStatus": {"text": "nicht abgeschlossen"}}, UNKNOWN),
        ({"clinicalStatus": {"text": "Aktiv"}}, KNOWN),
        ({"verificationStatus": {"text": "Ausgeschlossen"}}, ABSENT),
        ({"clinicalStatus": {"text": "to be reviewed"}}, UNKNOWN),
        ({"verificationStatus": {"text": "Refuted"}}, ABSENT),
        ({"verificationStatus": {"text": "Confirmed"}}, KNOWN),
        ({"abatementDateTime": "2026-01-01"}, ABSENT),
        ({"abatementDateTime": "2027-01-01"}, KNOWN),
        ({"abatementDateTime": "2026"}, ABSENT),  # some day of the running year
        ({"abatementDateTime": "2027"}, KNOWN),
        ({"abatementString": "last year"}, ABSENT),
        ({"abatementBoolean": True}, ABSENT),
        ({"abatementBoolean": False}, KNOWN),
        ({"clinicalStatus": coded("", "active"), "abatementDateTime": "2026-01-01"}, KNOWN),
        ({"verificationStatus": coded("", "confirmed")}, KNOWN),
        ({"verificationStatus": coded("", "provisional")}, KNOWN),
        ({"verificationStatus": "differential"}, KNOWN),
        ({"verificationStatus": coded("", "refuted")}, ABSENT),
        ({"verificationStatus": coded("", "entered-in-error")}, ABSENT),
        ({"onsetAge": {"value": 50}, "onsetString": "long ago"}, KNOWN),
        ({"recordedDate": "Invalid date", "onsetDateTime": "0002-13-45"}, KNOWN),
    ],
)
def test_which_conditions_count(extra, expected):
    assert state("cramp", condition(**extra)) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, {"rls", "rls.ever"}),
        ("confirmed", {"rls", "rls.ever"}),
        ("provisional", {"rls.suspected", "rls.ever"}),
        ("differential", {"rls.suspected", "rls.ever"}),
        ("unconfirmed", {"rls.suspected", "rls.ever"}),
        ("refuted", {"rls.refuted"}),
        ("entered-in-error", set()),
    ],
)
def test_certainty(status, expected):
    extra = {"verificationStatus": coded("", status)} if status else {}
    base = facts(condition("G25.81", **extra))
    names = ("rls", "rls.suspected", "rls.refuted", "rls.ever")
    assert {name for name in names if base.get(name).state is KNOWN} == expected


def test_a_refuted_problem_needs_no_active_status():
    refuted = condition(
        "G25.81", verificationStatus=coded("", "refuted"), clinicalStatus=coded("", "inactive")
    )
    assert state("rls.refuted", refuted) is KNOWN


def test_a_resolved_problem_counts_where_any_status_does():
    resolved = condition("G25.81", clinicalStatus=coded("", "resolved"))
    base = facts(resolved)
    assert (base.get("rls").state, base.get("rls.ever").state) == (ABSENT, KNOWN)
    assert base.get("rls").unused.reference == "Condition/c1"


@pytest.mark.parametrize(("age", "expected"), [(365, KNOWN), (366, ABSENT)])
def test_an_encounter_diagnosis_fades_and_a_problem_list_entry_does_not(age, expected):
    category = [coded("", "encounter-diagnosis")]
    assert state("cramp", condition(category=category, recordedDate=day(age))) is expected
    category = [coded("", "encounter-diagnosis"), coded("", "problem-list-item")]
    assert state("cramp", condition(category=category, recordedDate=day(age))) is KNOWN


def test_an_encounter_diagnosis_without_a_date_is_unclear_unless_it_is_of_this_encounter():
    diagnosis = condition(category=[coded("", "encounter-diagnosis")])
    fact = facts(diagnosis).get("cramp")
    assert fact.state is UNKNOWN
    assert fact.reasons == ("an entry for leg cramps has no usable date",)
    this = diagnosis | {"encounter": {"reference": "https://ehr.example/fhir/Encounter/e1"}}
    assert state("cramp", this, ENCOUNTER) is KNOWN
    assert state("cramp", this, ENCOUNTER | {"id": "e2"}) is UNKNOWN


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"recordedDate": day(30)}, KNOWN),
        ({"recordedDate": day(31)}, ABSENT),
        ({"recordedDate": day(300), "onsetDateTime": day(3)}, KNOWN),
        ({"recordedDate": day(3), "onsetDateTime": "2011"}, KNOWN),
        ({"onsetPeriod": {"start": day(3)}}, KNOWN),
        ({"assertedDate": day(3)}, KNOWN),
        ({"dateRecorded": day(3)}, KNOWN),
        ({"recordedDate": "2026-11"}, KNOWN),
        ({"recordedDate": "2026-09"}, ABSENT),
        ({}, UNKNOWN),
        ({"recordedDate": "2031-01-01"}, UNKNOWN),
    ],
)
def test_lookback(dates, expected):
    assert state("cramp.recent", condition(**dates)) is expected


def test_undated_entries_as_asked():
    base = facts(condition())
    assert base.get("cramp.recent", undated="include").state is KNOWN
    assert base.get("cramp.recent", undated="exclude").state is ABSENT
    assert base.get("cramp").state is KNOWN
    assert base.get("cramp", undated="exclude").state is ABSENT


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ([coded(SNOMED, "hand")], ABSENT),
        (coded(SNOMED, "hand"), ABSENT),
        ([coded(SNOMED, "hand"), coded(SNOMED, "calf")], KNOWN),
        ([{"text": "Abdomen, upper"}], ABSENT),
        ([{"text": "calf"}], KNOWN),
        ([], KNOWN),
        ("calf", KNOWN),
    ],
)
def test_cramps_elsewhere_do_not_count(site, expected):
    assert state("cramp", condition("R25.2", bodySite=site)) is expected


def words(text: str, **extra):
    return {"resourceType": "Condition", "id": "w", "code": {"text": text}, **extra}


@pytest.mark.parametrize("text", ["Cramp in calf", "cramp in CALF.", "Cramps in calf (finding)"])
def test_words_equal_to_a_name_make_the_problem_unknown(text):
    fact = facts(words(text)).get("cramp")
    assert (fact.state, fact.reasons) == (UNKNOWN, ("an entry named as leg cramps has no code",))


def test_problem_list_in_words_alone_leaves_a_safeguard_unknown():
    assert state("rls", words("Something else")) is UNKNOWN
    assert state("rls", words("Something else"), condition("I10", id="c2")) is ABSENT


@pytest.mark.parametrize("text", ["No cramp in calf", "Denies cramp in calf"])
def test_words_that_deny_are_no_evidence(text):
    assert state("cramp", words(text)) is ABSENT
    assert state("rls", words(text)) is ABSENT


def test_words_of_another_problem_are_not_this_one():
    assert state("rls", words("Cramp in calf")) is ABSENT


@pytest.mark.parametrize("status", ["resolved", "inactive"])
def test_words_of_a_problem_that_is_over_are_no_problem(status):
    assert state("cramp", words("Cramp in calf", clinicalStatus={"text": status})) is ABSENT


FOREIGN = "http://hl7.org/fhir/sid/icpc-2"


def foreign(**extra):
    return {"resourceType": "Condition", "id": "f", "code": coded(FOREIGN, "P06"), **extra}


def test_problem_in_a_code_system_that_no_set_has_leaves_others_unknown():
    fact = facts(foreign()).get("rls")
    assert fact.state is UNKNOWN
    assert fact.reasons == ("problems are recorded in words or codes that are not read here",)


def test_problem_with_a_code_of_a_covered_system_too_is_read():
    both = foreign(
        code={"coding": [*coded(FOREIGN, "P06")["coding"], *coded(ICD10CM, "I10")["coding"]]}
    )
    assert state("rls", both) is ABSENT


@pytest.mark.parametrize(
    "over",
    [
        {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
        {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
        {"verificationStatus": {"coding": [{"code": "refuted"}]}},
    ],
)
def test_problem_in_another_system_that_does_not_count_leaves_nothing_unknown(over):
    assert state("rls", foreign(**over)) is ABSENT


def test_recorded_problem_is_known_whatever_else_is_in_another_system():
    assert state("cramp", condition(), foreign()) is KNOWN


def test_the_pack_names_the_problem():
    item = facts(condition("R25.2", recordedDate="2026-11-01T08:00:00Z")).get("cramp").items[0]
    assert (item.text, item.code, item.date_text) == ("Cramp and spasm", "R25.2", "2026-11-01")
    assert item.reference == "Condition/c1"


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [CRAMP]},
        {"reasonCode": CRAMP},
        {"reason": [CRAMP]},
        {"reason": [{"value": [{"concept": CRAMP}]}]},
        {"diagnosis": [{"condition": CRAMP}]},
        {"diagnosis": [{"condition": [{"concept": CRAMP}]}]},
    ],
)
def test_reasons_of_the_encounter_in_every_release(reason):
    base = facts(ENCOUNTER | reason)
    assert base.get("cramp").items[0].details["source"] == "encounter"
    assert base.get("cramp.visit").state is KNOWN


@pytest.mark.parametrize("field", ["reasonReference", "indication", "diagnosis"])
def test_an_encounter_that_refers_to_a_condition(field):
    reference = {"reference": "Condition/c1"}
    value = [{"condition": reference}] if field == "diagnosis" else [reference]
    old = condition(category=[coded("", "encounter-diagnosis")], recordedDate=day(900))
    assert state("cramp", old, ENCOUNTER | {field: value}) is KNOWN
    refuted = old | {"verificationStatus": coded("", "refuted")}
    assert state("cramp", refuted, ENCOUNTER | {field: value}) is ABSENT


def test_a_cancelled_encounter_gives_no_reason():
    assert state("cramp", ENCOUNTER | {"status": "cancelled", "reasonCode": [CRAMP]}) is ABSENT


def test_a_past_encounter_among_other_resources_gives_no_reason():
    bundle = {"resourceType": "Bundle"}  # not read
    assert state("cramp", bundle, condition("I10"), ENCOUNTER) is ABSENT


def test_the_order_at_hand_and_no_other_gives_its_reason():
    order = {"resourceType": "MedicationRequest", "id": "d1", "reasonCode": CRAMP}
    base = facts(drafts=(order, {"resourceType": "ServiceRequest", "id": "d2"}))
    assert base.get("cramp", draft=0).items[0].details["source"] == "order reason"
    assert base.get("cramp", draft=1).state is ABSENT
    assert base.get("cramp").state is ABSENT


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [CRAMP]},
        {"reasonCodeableConcept": CRAMP},
        {"reasonReference": {"reference": "Condition/c1"}},
        {"reasonReference": [{"reference": "#in"}], "contained": [condition() | {"id": "in"}]},
        {"reason": [{"reference": {"reference": "Condition/c1"}}]},
    ],
)
def test_reasons_of_an_order_in_every_release(reason):
    order = {"resourceType": "MedicationRequest", "id": "d1", **reason}
    resolved = condition(clinicalStatus=coded("", "resolved"))
    fact = facts(resolved, drafts=(order,)).get("cramp", draft=0)
    assert fact.items[0].details["source"] == "order reason"


def test_a_reason_that_leads_nowhere_is_unknown():
    order = {"resourceType": "ServiceRequest", "reasonReference": [{"reference": "Condition/x"}]}
    base = facts(drafts=(order,))
    fact = base.get("cramp", draft=0)
    assert (fact.state, fact.reasons) == (UNKNOWN, ("the reason for the order could not be read",))
    assert "cramp" in base.possible(0)
    assert base.get("draft.has-reason", draft=0).state is KNOWN


def test_a_reason_that_leads_nowhere_is_unknown_beside_one_that_can_be_read():
    other, lost = {"reference": "Condition/c1"}, {"reference": "Condition/x"}
    order = {"resourceType": "ServiceRequest", "reasonReference": [other, lost]}
    fact = facts(condition("G25.81"), drafts=(order,)).get("cramp", draft=0)
    assert (fact.state, fact.reasons) == (UNKNOWN, ("the reason for the order could not be read",))


def finding(**extra):
    return (
        {"resourceType": "Observation", "id": "f", "status": "final", "code": CRAMP}
        | {"effectiveDateTime": day(5)}
        | extra
    )


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"valueBoolean": True}, KNOWN),
        ({}, KNOWN),
        ({"valueBoolean": False}, ABSENT),
        ({"valueCodeableConcept": coded(SNOMED, "260385009")}, ABSENT),
        ({"status": "preliminary"}, ABSENT),
        ({"status": "entered-in-error"}, ABSENT),
        ({"effectiveDateTime": day(366)}, ABSENT),
        ({"effectiveDateTime": None}, UNKNOWN),
        ({"code": {"text": "finding"}, "valueCodeableConcept": CRAMP}, KNOWN),
    ],
)
def test_findings_by_observation(extra, expected):
    assert state("cramp", finding(**extra)) is expected


def test_a_later_delivery_ends_a_pregnancy():
    pregnancy = condition("Z34.90", recordedDate=day(100))
    delivery = condition("O80", recordedDate=day(50), id="c2")
    assert state("pregnancy", pregnancy) is KNOWN
    assert state("pregnancy", pregnancy, delivery) is ABSENT
    assert state("pregnancy", pregnancy, delivery | {"recordedDate": day(900)}) is KNOWN
    assert state("pregnancy", condition("Z34.90"), delivery) is UNKNOWN


@pytest.mark.parametrize(
    ("supply", "reason"),
    [
        (Supply.MISSING, "conditions were not supplied"),
        (Supply.FAILED, "conditions could not be read"),
        (Supply.INCOMPLETE, "conditions are incomplete"),
    ],
)
def test_without_all_conditions_a_problem_is_unknown(supply, reason):
    base = facts(supplies={"conditions": supply})
    assert (base.get("cramp").state, base.get("cramp").reasons) == (UNKNOWN, (reason,))
    assert {"cramp", "rls"} <= base.possible()


def test_without_all_conditions_what_is_there_counts():
    assert state("cramp", condition(), supplies={"conditions": Supply.INCOMPLETE}) is KNOWN


def test_the_encounter_matters_only_to_what_rests_on_it():
    base = facts(supplies={"encounter": Supply.MISSING})
    assert (base.get("cramp").state, base.get("cramp.visit").state) == (ABSENT, ABSENT)
    base = facts(supplies={"encounter": Supply.FAILED})
    assert (base.get("cramp").state, base.get("cramp.visit").state) == (ABSENT, UNKNOWN)


def test_codes_nobody_knows_are_counted_by_system():
    base = facts(condition("I10"), condition("urn-1") | {"code": coded("urn:local", "x1")})
    assert base.unknown_codes == {ICD10CM: 1, "urn:local": 1}
