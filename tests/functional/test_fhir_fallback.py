"""Reading from a real FHIR server what prefetch did not bring: what is asked, what comes of it."""

import re
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support import calls, fixtures
from tests.support.calls import Caller, condition, medication_request, observation
from tests.support.fault_proxy import FaultProxy, iis, status
from tests.support.fhir_server import TOKEN, FhirServer, as_patient, from_server, resources_of
from tests.support.rows import row

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"


def with_encounter(call: Any) -> Any:
    """The call with the encounter that its context names."""
    call["prefetch"]["encounter"] = {
        "resourceType": "Encounter",
        "id": call["context"]["encounterId"],
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{call['context']['patientId']}"},
    }
    return call


CHARTS = {
    "rls": with_encounter(fixtures.request("patient-view/cramps-and-restless-legs")),
    "nothing": fixtures.request("patient-view/no-leg-complaint"),
    "select": fixtures.request("order-select/quinine"),
    "sign": fixtures.request("order-sign/quinine"),
    "long": calls.patient_view(
        conditions=[condition(ICD10, "G47.62"), condition(ICD10, "I70.211")],
        medicationRequests=[
            medication_request("", f"amlodipine {n} mg oral tablet", id=f"m-{n}") for n in range(45)
        ],
        observations=[
            observation("2276-4", "49.90", "ng/mL", id="o-1"),
            observation("41909-3", "35.5", "kg/m2", id="o-2"),
        ],
    ),
    "screen": calls.patient_view(
        conditions=[condition(ICD10, "I10")],
        medicationRequests=[medication_request("", "furosemide 40 mg oral tablet", id="m-1")],
        observations=[observation("2276-4", "20", "ng/mL", id="o-1")],
    ),
}
SERVICE = {"screen": "leg-symptoms-screen"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def plain(response: Any) -> str:
    """An answer without the uuids, which are new in each."""
    assert response.status_code == 200, response.text
    return UUID.sub("uuid", response.text)


@pytest.fixture(scope="module")
def charts(fhir: FhirServer) -> dict[str, Any]:
    """Calls with prefetch whose resources are in the server as well."""
    renamed = {name: as_patient(call, name) for name, call in CHARTS.items()}
    for call in renamed.values():
        fhir.put(resources_of(call))
    return renamed


def either_way(caller: Caller, chart: Any, ehr: FaultProxy, service: str) -> str:
    """The answer, which is the same for a chart as it was sent and as the server has it."""
    expected = plain(caller.send(chart, service))
    assert plain(caller.send(from_server(chart, ehr.base), service)) == expected
    return expected


@row("D2", "F1")
@pytest.mark.parametrize("name", CHARTS)
def test_the_same_chart_gives_the_same_cards(
    caller: Caller, charts: Any, ehr: FaultProxy, name: str
) -> None:
    expected = either_way(caller, charts[name], ehr, SERVICE.get(name, ""))
    assert ('"cards":[]' in expected) == (name == "nothing")
    assert ehr.seen


@pytest.mark.parametrize("name", CHARTS)
def test_a_front_like_iis_changes_no_card(
    caller: Caller, charts: Any, ehr: FaultProxy, name: str
) -> None:
    ehr.rule("", iis)
    either_way(caller, charts[name], ehr, SERVICE.get(name, ""))
    assert max(len(one.target) for one in ehr.seen) > 500  # long searches were among them


def test_parts_of_the_chart_give_the_same_cards(
    caller: Caller, charts: Any, ehr: FaultProxy
) -> None:
    expected = plain(caller.send(charts["rls"]))
    for key in charts["rls"]["prefetch"]:
        assert plain(caller.send(from_server(charts["rls"], ehr.base, key))) == expected, key


@row("D15", "F2")
def test_the_resolved_templates_are_asked_with_the_token(
    caller: Caller, charts: Any, ehr: FaultProxy
) -> None:
    call = from_server(charts["rls"], ehr.base)
    (service,) = [
        service
        for service in caller.client.get("/cds-services").json["services"]
        if service["id"] == "leg-cramps-patient-view"
    ]
    patient, encounter = call["context"]["patientId"], call["context"]["encounterId"]
    expected = {
        template.replace("{{context.patientId}}", patient).replace(
            "{{context.encounterId}}", encounter
        )
        for key, template in service["prefetch"].items()
        if key != "questionnaireResponses"  # read from prefetch alone
    }
    caller.cards(call)
    assert {unquote(target) for target in ehr.targets()} == expected
    assert {one.authorization for one in ehr.seen} == {f"Bearer {TOKEN}"}
    assert {one.headers["accept"] for one in ehr.seen} == {"application/fhir+json"}


def test_only_what_is_missing_is_asked(caller: Caller, charts: Any, ehr: FaultProxy) -> None:
    call = from_server(charts["rls"], ehr.base, "observations")
    call["prefetch"] |= {"procedures": None}
    caller.cards(call)
    assert [target.partition("?")[0] for target in ehr.targets()] == ["Observation"] * 4


def test_nothing_is_asked_when_all_is_there(caller: Caller, charts: Any, ehr: FaultProxy) -> None:
    call = from_server(charts["rls"], ehr.base, "none of them")
    assert caller.cards(call)["cards"]
    assert not ehr.seen


def test_without_an_encounter_none_is_asked_for(
    caller: Caller, charts: Any, ehr: FaultProxy
) -> None:
    call = from_server(charts["rls"], ehr.base)
    del call["context"]["encounterId"]
    caller.cards(call)
    assert not ehr.targets("Encounter")


@row("D7")
def test_the_rest_of_a_paginated_prefetch_is_read(
    caller: Caller, charts: Any, ehr: FaultProxy
) -> None:
    """With the token the next pages are followed (the proxy's server pages by 20)."""
    call = charts["long"]
    patient = call["context"]["patientId"]
    expected = plain(caller.send(call))
    answer = ehr.forward(f"MedicationRequest?patient={patient}&status=active&_count=20")
    assert len(answer.json["entry"]) == 20
    asked = from_server(call, ehr.base, "none of them")
    asked["prefetch"] = asked["prefetch"] | {"medicationRequests": answer.json}
    assert plain(caller.send(asked)) == expected
    assert len(ehr.targets("MedicationRequest")) == 2  # the second page and the third
    assert {one.authorization for one in ehr.seen} == {f"Bearer {TOKEN}"}


class TestNotAsked:
    """Calls whose server is left alone, and what they are told."""

    def refused(self, caller: Caller, call: Any) -> str:
        response = caller.send(call)
        assert response.status_code == 412
        said: str = response.json["issue"][0]["diagnostics"]
        assert TOKEN not in response.text
        return said

    def test_without_a_token(self, caller: Caller, charts: Any, ehr: FaultProxy) -> None:
        call = from_server(charts["rls"], ehr.base)
        del call["fhirAuthorization"]
        assert "fhirAuthorization was not sent" in self.refused(caller, call)
        assert not ehr.seen

    def test_the_public_sandbox(self, caller: Caller, charts: Any, ehr: FaultProxy) -> None:
        call = from_server(charts["rls"], "https://launch.smarthealthit.org/v/r4/fhir")
        assert "only a FHIR server on this machine" in self.refused(caller, call)
        call = from_server(charts["rls"], "https://launch.smarthealthit.org/v/r4/fhir", "encounter")
        assert caller.cards(call)["cards"]

    @row("F10")
    def test_a_token_for_another_patient(
        self, caller: Caller, charts: Any, ehr: FaultProxy
    ) -> None:
        call = from_server(charts["rls"], ehr.base)
        call["fhirAuthorization"]["patient"] = "somebody-else"
        assert "another patient" in self.refused(caller, call)
        assert not ehr.seen
        call["fhirAuthorization"]["patient"] = call["context"]["patientId"]
        assert caller.cards(call)["cards"]

    @row("F7")
    def test_a_token_that_is_spent(self, caller: Caller, charts: Any, ehr: FaultProxy) -> None:
        call = from_server(charts["rls"], ehr.base)
        call["fhirAuthorization"]["expires_in"] = 0
        assert "no longer valid" in self.refused(caller, call)
        assert not ehr.seen

    @pytest.mark.parametrize("token", ["a b", "a\r\nHost: evil", "é", "a\x00b"])
    def test_a_token_that_is_none(
        self, caller: Caller, charts: Any, ehr: FaultProxy, token: str
    ) -> None:
        call = from_server(charts["rls"], ehr.base, token=token)
        assert "characters" in self.refused(caller, call)
        assert not ehr.seen


def test_what_the_ehr_failed_to_read_is_tried_once_where_it_is_required(
    caller: Caller, charts: Any, ehr: FaultProxy
) -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    call = from_server(charts["rls"], ehr.base, "none of them")
    call["prefetch"] |= {"conditions": failed, "observations": failed}
    assert caller.cards(call)["cards"]
    assert [target.partition("?")[0] for target in ehr.targets()] == ["Condition"]
    ehr.rule("Condition", status(500))
    assert caller.send(call).status_code == 412


def test_of_another_patient_nothing_is_taken(caller: Caller, charts: Any, ehr: FaultProxy) -> None:
    """A server that ignores `patient`: what it sends is left out, and the list is not empty."""
    other = charts["long"]["context"]["patientId"]
    ehr.rule("Condition", lambda exchange: exchange.proxy.forward(f"Condition?patient={other}"))
    cards = caller.cards(from_server(charts["rls"], ehr.base))["cards"]
    assert cards[0]["summary"].startswith("If leg cramps are the concern")  # unknown, not absent


@row("F3", "F15")
def test_a_type_that_the_token_does_not_cover(caller: Caller, charts: Any, ehr: FaultProxy) -> None:
    ehr.rule("Observation", status(403))
    answer = caller.send(from_server(charts["rls"], ehr.base))
    assert answer.status_code == 200
    assert "could not be read" in answer.text
    ehr.rule("Condition", status(403))
    refused = caller.send(from_server(charts["rls"], ehr.base))
    assert refused.status_code == 412
    (issue,) = refused.json["issue"]
    assert issue["expression"] == ["prefetch.conditions"]
    assert "(forbidden)" in issue["diagnostics"]
    assert TOKEN not in refused.text
