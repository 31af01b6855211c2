"""The state of each prefetch key, and what a chart is made of (rows D1 to D17)."""

from typing import Any

import pytest

from cds_service.errors import PreconditionFailed
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.gather import prefetch
from cds_service.gather.chart import gather
from cds_service.gather.fallback import Fetched
from cds_service.gather.manners import FEW_CODES, queries
from cds_service.protocol.model import DraftOrder, HookRequest
from cds_service.protocol.raw import encoded
from tests.support.fake_runtime import service

PATIENT = {"resourceType": "Patient", "id": "p"}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}
MIXED = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}, {}]}


def resource(kind: str, identifier: str = "1", subject: str = "Patient/p") -> dict[str, Any]:
    return {"resourceType": kind, "id": identifier, "subject": {"reference": subject}}


CONDITION = resource("Condition")


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": r} for r in resources], **more}


def nested(depth: int) -> dict[str, Any]:
    """A Bundle around so many others, of which the innermost holds a Condition."""
    return bundle(nested(depth - 1) if depth else CONDITION)


def chart(
    *, required: tuple[str, ...] = (), drafts: tuple[DraftOrder, ...] = (), **prefetch: Any
) -> Chart:
    sent = {key: encoded(value) for key, value in prefetch.items()}
    request = HookRequest("patient-view", "i", "p", "P/1", prefetch=sent, drafts=drafts)
    return gather(request, service(required=frozenset(required)))


PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "return", "resource": CONDITION}, {"name": "n", "valueInteger": 1}],
}
NEXT = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]


@pytest.mark.parametrize(
    ("value", "supply", "count"),
    [
        pytest.param(None, Supply.EMPTY, 0, id="null"),
        pytest.param({"resourceType": "Bundle"}, Supply.EMPTY, 0, id="Bundle without entry"),
        pytest.param(bundle(total=0), Supply.EMPTY, 0, id="empty Bundle"),
        pytest.param(bundle(WARNING, total=0), Supply.EMPTY, 0, id="Bundle with a warning only"),
        pytest.param(bundle(CONDITION), Supply.SUPPLIED, 1, id="Bundle"),
        pytest.param(bundle(CONDITION, WARNING), Supply.SUPPLIED, 1, id="match and warning"),
        pytest.param(CONDITION, Supply.SUPPLIED, 1, id="single resource"),
        pytest.param({"response": {}, "resource": CONDITION}, Supply.SUPPLIED, 1, id="wrapped"),
        pytest.param(bundle(bundle(CONDITION)), Supply.SUPPLIED, 1, id="batch answer"),
        pytest.param(ERROR, Supply.FAILED, 0, id="OperationOutcome"),
        pytest.param(WARNING, Supply.FAILED, 0, id="OperationOutcome with a warning as value"),
        pytest.param(bundle(ERROR), Supply.FAILED, 0, id="Bundle with an error only"),
        pytest.param(bundle(MIXED), Supply.FAILED, 0, id="an issue without severity is an error"),
        pytest.param(
            {"response": {"status": "403 Forbidden"}}, Supply.FAILED, 0, id="wrapped failure"
        ),
        pytest.param({"response": {"status": "200"}}, Supply.EMPTY, 0, id="wrapped nothing"),
        pytest.param(bundle(CONDITION, ERROR), Supply.INCOMPLETE, 1, id="match and error"),
        pytest.param(bundle(CONDITION, link=NEXT), Supply.INCOMPLETE, 1, id="next page"),
        pytest.param(bundle(link=NEXT), Supply.INCOMPLETE, 0, id="empty first page"),
        pytest.param(bundle(CONDITION, total=9), Supply.INCOMPLETE, 1, id="fewer than total"),
        pytest.param(bundle(CONDITION, None), Supply.INCOMPLETE, 1, id="unreadable entry"),
        pytest.param(bundle({}, CONDITION), Supply.INCOMPLETE, 1, id="first entry without a type"),
        pytest.param(nested(3), Supply.SUPPLIED, 1, id="Bundles as deep as they are read"),
        pytest.param(nested(4), Supply.MISSING, 0, id="Bundles too deep"),
        pytest.param(bundle(bundle(CONDITION, link=NEXT)), Supply.INCOMPLETE, 1, id="inner next"),
        pytest.param(bundle(None, "x"), Supply.MISSING, 0, id="nothing readable"),
        pytest.param("<html>404</html>", Supply.MISSING, 0, id="text"),
        pytest.param([CONDITION], Supply.SUPPLIED, 1, id="list"),
        pytest.param([{"resource": CONDITION}], Supply.SUPPLIED, 1, id="list of entries"),
        pytest.param([], Supply.MISSING, 0, id="empty list"),
        pytest.param([7], Supply.MISSING, 0, id="list of something else"),
        pytest.param(PARAMETERS, Supply.SUPPLIED, 1, id="Parameters"),
        pytest.param(7, Supply.MISSING, 0, id="number"),
        pytest.param({}, Supply.MISSING, 0, id="object without resourceType"),
        pytest.param({"resourceType": 5}, Supply.MISSING, 0, id="resourceType of another type"),
        pytest.param(PATIENT, Supply.MISSING, 0, id="another resource type"),
        pytest.param(bundle(PATIENT), Supply.MISSING, 0, id="Bundle of another type"),
    ],
)
def test_the_state_of_a_key(value: Any, supply: Supply, count: int) -> None:
    slot = chart(conditions=value).slot("conditions")
    assert (slot.supply, len(slot.resources)) == (supply, count)
    assert bool(slot.problem) == (not supply.complete)


def test_a_key_that_was_not_sent_is_missing() -> None:
    gathered = chart()
    assert set(gathered.slots) == set(PREFETCH_KEYS)
    assert {slot.supply for slot in gathered.slots.values()} == {Supply.MISSING}


def test_a_patient_may_come_as_a_bundle() -> None:
    assert chart(patient=bundle(PATIENT)).slot("patient").supply is Supply.SUPPLIED


def test_supporting_resources_are_kept() -> None:
    medication = {"resourceType": "Medication", "id": "m"}
    given = resource("MedicationAdministration")
    gathered = chart(medicationRequests=bundle(resource("MedicationRequest"), medication, given))
    assert [other.body for other in gathered.others] == [medication, given]
    assert gathered.slot("medicationRequests").supply is Supply.SUPPLIED


class TestForeignKeys:
    """A key under another name is accepted by what its resources are."""

    @pytest.mark.parametrize(
        ("value", "supply"),
        [
            pytest.param(bundle(CONDITION), Supply.SUPPLIED, id="one kind"),
            pytest.param(bundle(CONDITION, link=NEXT), Supply.INCOMPLETE, id="next page"),
            pytest.param(CONDITION, Supply.INCOMPLETE, id="single resource"),
            pytest.param(bundle(CONDITION, PATIENT), Supply.INCOMPLETE, id="beside includes"),
            pytest.param(bundle(), Supply.MISSING, id="empty Bundle says nothing"),
            pytest.param(None, Supply.MISSING, id="null says nothing"),
            pytest.param(ERROR, Supply.MISSING, id="failure says nothing"),
        ],
    )
    def test_conditions_under_another_name(self, value: Any, supply: Supply) -> None:
        slot = chart(problemList=value).slot("conditions")
        assert slot.supply is supply
        assert len(slot.resources) == (supply is not Supply.MISSING)

    def test_observations_may_be_a_narrower_query(self) -> None:
        gathered = chart(ferritin=bundle(resource("Observation")))
        assert gathered.slot("observations").supply is Supply.INCOMPLETE

    def test_a_single_patient_is_the_whole_answer(self) -> None:
        assert chart(item1=PATIENT).slot("patient").supply is Supply.SUPPLIED

    def test_several_keys_are_joined_without_repeats(self) -> None:
        known = bundle(CONDITION, resource("Condition", "2"))
        extra = bundle(resource("Condition", "2"), resource("Condition", "3"))
        slot = chart(conditions=known, more=extra).slot("conditions")
        assert [r.id for r in slot.resources] == ["1", "2", "3"]
        assert slot.supply is Supply.SUPPLIED

    def test_the_worst_of_several_foreign_keys_counts(self) -> None:
        slot = chart(a=bundle(CONDITION), b=bundle(resource("Condition", "2"), link=NEXT)).slot(
            "conditions"
        )
        assert (slot.supply, len(slot.resources)) == (Supply.INCOMPLETE, 2)

    def test_the_known_name_decides(self) -> None:
        foreign = bundle(resource("Observation"))
        assert chart(observations=None, ferritin=foreign).slot("observations").supply is (
            Supply.SUPPLIED
        )
        assert chart(conditions=ERROR, problems=bundle(CONDITION)).slot("conditions").supply is (
            Supply.INCOMPLETE
        )


class TestOtherPatients:
    """What belongs to somebody else is left out and counted."""

    @pytest.mark.parametrize(
        "reference",
        ["Patient/p", "https://e/fhir/Patient/p", "Patient/p/_history/3", "p", "#p", "urn:uuid:p"],
    )
    def test_this_patient(self, reference: str) -> None:
        gathered = chart(conditions=bundle(resource("Condition", subject=reference)))
        assert (len(gathered.slot("conditions").resources), dict(gathered.dropped)) == (1, {})

    @pytest.mark.parametrize("reference", ["Patient/q", "https://e/Patient/q", "Group/p", "q"])
    def test_another_patient(self, reference: str) -> None:
        gathered = chart(
            conditions=bundle(CONDITION, resource("Condition", "2", subject=reference))
        )
        assert [r.id for r in gathered.slot("conditions").resources] == ["1"]
        assert dict(gathered.dropped) == {"other-patient": 1}

    @pytest.mark.parametrize("member", ["subject", "patient"])
    def test_neighbours_of_several_patients(self, member: str) -> None:
        """What one entry says of its patient holds for the next only while the words are the
        same, in either member (`patient`: DSTU2)."""
        owners = ("p", "q", "q", "p", "p", "r")
        entries = [
            {
                "resourceType": "Condition",
                "id": str(number),
                member: {"reference": f"Patient/{owner}"},
            }
            for number, owner in enumerate(owners)
        ]
        gathered = chart(conditions=bundle(*entries))
        assert [entry.id for entry in gathered.slot("conditions").resources] == ["0", "3", "4"]
        assert dict(gathered.dropped) == {"other-patient": 3}

    @pytest.mark.parametrize("subject", [None, {}, "Patient/q", {"display": "x"}, [1]])
    def test_an_unreadable_subject_is_no_other_patient(self, subject: Any) -> None:
        gathered = chart(conditions=bundle(CONDITION | {"subject": subject}))
        assert len(gathered.slot("conditions").resources) == 1

    def test_a_urn_is_judged_by_the_patient_it_names(self) -> None:
        def with_patient(identifier: str) -> Chart:
            entry = {
                "fullUrl": "urn:uuid:1",
                "resource": {"resourceType": "Patient", "id": identifier},
            }
            return chart(
                patient={"resourceType": "Bundle", "entry": [entry]},
                conditions=bundle(resource("Condition", subject="urn:uuid:1")),
            )

        assert len(with_patient("p").slot("conditions").resources) == 1
        assert with_patient("q").dropped == {"other-patient": 2}

    def test_only_other_patients_resources_are_not_an_empty_list(self) -> None:
        slot = chart(conditions=bundle(resource("Condition", subject="Patient/q"))).slot(
            "conditions"
        )
        assert slot.supply is Supply.INCOMPLETE

    def test_the_wrong_patient_is_missing(self) -> None:
        with pytest.raises(PreconditionFailed) as caught:
            chart(required=("patient",), patient={"resourceType": "Patient", "id": "q"})
        assert "another patient" in caught.value.message

    def test_a_draft_for_another_patient_is_left_out(self) -> None:
        orders = tuple(
            DraftOrder(resource("MedicationRequest", subject=f"Patient/{who}"), "", True)
            for who in "pq"
        )
        gathered = chart(drafts=orders)
        assert (len(gathered.drafts), dict(gathered.dropped)) == (1, {"other-patient": 1})


@pytest.mark.parametrize(
    ("prefetch", "code", "lacking"),
    [
        ({}, "data-missing", "conditions was not sent"),
        (
            {"conditions": ERROR},
            "data-failed",
            "conditions could not be read by the EHR (OperationOutcome)",
        ),
        ({"conditions": "x"}, "data-missing", "conditions is not a FHIR resource"),
        ({"conditions": PATIENT}, "data-missing", "conditions holds no Condition"),
    ],
)
def test_required_data_that_cannot_be_had(prefetch: Any, code: str, lacking: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        chart(required=("conditions",), **prefetch)
    assert (caught.value.status, caught.value.code) == (412, code)
    assert f"did not get: {lacking}." in caught.value.message
    assert caught.value.expression == "prefetch.conditions"


@pytest.mark.parametrize("value", [None, bundle(), bundle(CONDITION, link=NEXT)])
def test_required_data_that_is_empty_or_incomplete_is_enough(value: Any) -> None:
    assert chart(required=("conditions",), conditions=value)


def test_what_a_fallback_reads_counts_as_prefetched() -> None:
    asked: dict[str, str] = {}

    class Server:
        def fetch(self, _request: Any, wanted: Any, _held: Any) -> Fetched:
            asked.update(wanted)
            return Fetched({"conditions": prefetch.read(encoded(bundle(CONDITION)))})

    request = HookRequest("patient-view", "i", "p", "P/1", prefetch={"patient": encoded(PATIENT)})
    templates = {"patient": "Patient/{{context.patientId}}", "conditions": "Condition?patient=x"}
    review = service(prefetch=templates, required=frozenset({"conditions"}))
    gathered = gather(request, review, Server())
    assert asked == {"conditions": "Condition?patient=x"}
    assert gathered.slot("conditions").supply is Supply.SUPPLIED


@pytest.mark.parametrize("depth", [2, 240])
def test_what_is_wrapped_again_and_again_is_no_resource(depth: int) -> None:
    value: Any = {"resourceType": "Bundle", "entry": []}
    for _ in range(depth):
        value = {"resource": value}
    reading = prefetch.read(encoded(value))
    assert (reading.supply, reading.unreadable) == (Supply.MISSING, 1)


@pytest.mark.parametrize(("count", "forms"), [(1, 2), (FEW_CODES, 2), (FEW_CODES + 1, 4)])
def test_only_a_long_list_of_codes_is_asked_for_as_a_form_and_in_parts(
    count: int, forms: int
) -> None:
    codes = [f"{number}-0" for number in range(count)]
    template = f"Observation?patient={{{{context.patientId}}}}&code={','.join(codes)}"
    asked = queries(template, lambda token: "p")
    assert (len(asked), any(query.post for query in asked)) == (forms, forms > 2)
    in_parts = [[query.relative, *query.more] for query in asked if query.more]
    told = [code for query in in_parts for part in query for code in part.split("=")[2].split(",")]
    assert told == (codes if forms > 2 else [])
