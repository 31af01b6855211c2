"""Sections C, F and U: the service call, the token in it, and the contexts of the hooks."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support import fixtures
from tests.support.calls import SERVICE_OF, Caller
from tests.support.rows import row

REVIEW = f"/cds-services/{SERVICE_OF['patient-view']}"
TOKEN = {
    "access_token": "opaque",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "Patient.Read (R4) user/*.rs",
    "subject": "cds",
}


@pytest.fixture
def view() -> Any:
    return fixtures.request("patient-view/cramps-and-restless-legs")


@pytest.fixture
def select() -> Any:
    return fixtures.request("order-select/quinine")


@pytest.fixture
def sign() -> Any:
    return fixtures.request("order-sign/quinine")


def refused(caller: Caller, call: Any, place: str, service: str = "") -> None:
    """400, naming the place."""
    response = caller.send(call, service)
    assert response.status_code == 400
    assert response.json["issue"][0]["expression"] == [place]


@row("C1")
def test_only_post_of_an_object(client: FlaskClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert client.open(REVIEW, method=method).status_code == 405
    for body in (b"", b"[]", b'{"hook":', b"null", b'"x"'):
        response = client.post(REVIEW, data=body)
        assert (response.status_code, response.json["resourceType"]) == (400, "OperationOutcome")


@row("C2")
def test_every_listed_service_answers(client: FlaskClient) -> None:
    for service in client.get("/cds-services").json["services"]:
        name = {"patient-view": "cramps-and-restless-legs"}.get(service["hook"], "quinine")
        call = fixtures.request(f"{service['hook']}/{name}")
        assert client.post(f"/cds-services/{service['id']}", json=call).status_code == 200
    assert client.post("/cds-services/unknown", json={}).status_code == 404


@row("C3", "C9", "U2", "U4")
@pytest.mark.parametrize(
    "place", ["hook", "hookInstance", "context", "context.userId", "context.patientId"]
)
@pytest.mark.parametrize(
    "name", ["patient-view/no-leg-complaint", "order-select/quinine", "order-sign/quinine"]
)
def test_required_fields(caller: Caller, name: str, place: str) -> None:
    call = fixtures.request(name)
    service = SERVICE_OF[call["hook"]]
    holder, field = (call["context"], place[8:]) if "." in place else (call, place)
    holder[field] = None
    refused(caller, call, place, service)
    del holder[field]
    refused(caller, call, place, service)
    holder[field] = 7
    refused(caller, call, place, service)


@row("C4")
def test_the_hook_must_be_the_services(caller: Caller, view: Any) -> None:
    refused(caller, view | {"hook": "order-select"}, "hook", SERVICE_OF["patient-view"])
    refused(caller, view, "hook", SERVICE_OF["order-sign"])


@row("C5", "C11", "C12")
def test_hook_instances(caller: Caller, view: Any) -> None:
    first = caller.cards(view)
    assert len(caller.cards(view)["cards"]) == len(first["cards"])
    assert caller.send(view | {"hookInstance": "not-a-uuid"}).status_code == 200


@row("C6", "C8", "F4")
def test_authorization_is_optional(caller: Caller, view: Any) -> None:
    assert caller.send(view | {"fhirAuthorization": None}).status_code == 200
    both = view | {"fhirServer": "https://ehr.example.org/fhir", "fhirAuthorization": TOKEN}
    assert caller.send(both).status_code == 200
    assert caller.send(view | {"fhirAuthorization": TOKEN}).status_code == 200


@row("F5", "F6", "F7", "F8", "F9")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("access_token", 5),
        ("token_type", "mac"),
        ("expires_in", "5 min"),
        ("scope", 1),
        ("subject", {}),
    ],
)
def test_authorization_fields(caller: Caller, view: Any, field: str, wrong: Any) -> None:
    view["fhirServer"] = "https://ehr.example.org/fhir"
    left = {name: value for name, value in TOKEN.items() if name != field}
    for unusable in (TOKEN | {field: wrong}, left):
        call = view | {"fhirAuthorization": unusable}
        assert caller.send(call).status_code == 200  # all that is needed came with the call
        assert caller.send(call | {"prefetch": {}}).status_code == 412


@row("F5")
@pytest.mark.parametrize("token", [None, ""])
def test_an_empty_token_means_none(caller: Caller, view: Any, token: Any) -> None:
    view["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer"}
    assert caller.send(view).status_code == 200


def test_a_client_that_never_logged_in_gets_its_order_sign_card(caller: Caller, sign: Any) -> None:
    """As the CRD request generator sends it: all of the authorization but the token."""
    sign["fhirServer"] = "https://ehr.example.org/fhir"
    left = {name: value for name, value in TOKEN.items() if name != "access_token"}
    answer = caller.send(sign | {"fhirAuthorization": left})
    assert answer.status_code == 200
    assert answer.json["cards"]


@row("C10")
@pytest.mark.parametrize("prefetch", [None, {}])
def test_prefetch_may_be_absent(caller: Caller, select: Any, prefetch: Any) -> None:
    assert caller.send(select | {"prefetch": prefetch}).status_code == 200
    del select["prefetch"]
    assert caller.send(select).status_code == 200
    for wrong in ([], "x", 1):
        refused(caller, select | {"prefetch": wrong}, "prefetch")


@row("U1")
def test_orders_of_other_fhir_versions(caller: Caller, select: Any) -> None:
    """Read as far as they go: what matters is that they are no error."""
    assert caller.send(fixtures.request("order-select/dstu2-order")).status_code == 200
    draft = select["context"]["draftOrders"]["entry"][0]["resource"]
    draft["resourceType"] = "ProcedureRequest"
    select["context"]["selections"] = ["ProcedureRequest/draft-1"]
    assert caller.send(select).status_code == 200
    draft |= {"resourceType": "MedicationRequest", "medication": {"concept": {"text": "x"}}}
    del draft["medicationCodeableConcept"]  # R5
    select["context"]["selections"] = ["MedicationRequest/draft-1"]
    assert caller.send(select).status_code == 200


@row("U3", "U4")
@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "RelatedPerson/1", "1"])
@pytest.mark.parametrize("form", ["{}", "Patient/{}", "https://ehr.example.org/fhir/Patient/{}"])
def test_users_and_patients_in_any_form(caller: Caller, view: Any, user: str, form: str) -> None:
    expected = [card["summary"] for card in caller.cards(view)["cards"]]
    view["context"]["userId"] = user
    view["context"]["patientId"] = form.format(view["context"]["patientId"])
    assert [card["summary"] for card in caller.cards(view)["cards"]] == expected


@row("U6")
@pytest.mark.parametrize("selections", [None, "MedicationRequest/draft-1", {}])
def test_selections_are_required(caller: Caller, select: Any, selections: Any) -> None:
    select["context"]["selections"] = selections
    refused(caller, select, "context.selections")
    del select["context"]["selections"]
    refused(caller, select, "context.selections")


@row("U6", "U9")
@pytest.mark.parametrize(
    "selections", [[], ["MedicationRequest/another"], ["ServiceRequest/draft-1"]]
)
def test_only_selected_orders_get_cards(caller: Caller, select: Any, selections: list[str]) -> None:
    assert caller.cards(select)["cards"]
    select["context"]["selections"] = selections
    assert caller.cards(select) == {"cards": []}


@row("U7")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("orders", [None, [], {"resourceType": "List"}, "x"])
def test_draft_orders_are_required(caller: Caller, hook: str, orders: Any) -> None:
    call = fixtures.request(f"{hook}/quinine")
    call["context"]["draftOrders"] = orders
    refused(caller, call, "context.draftOrders")


@row("U7")
def test_a_second_visit_to_the_sandbox_screen_is_refused(caller: Caller) -> None:
    refused(caller, fixtures.request("order-select/without-draft-orders"), "context.selections")


@row("U7")
def test_a_medication_beside_its_order(caller: Caller, select: Any) -> None:
    orders = select["context"]["draftOrders"]
    del orders["type"]
    draft = orders["entry"][0]["resource"]
    concept = draft.pop("medicationCodeableConcept")
    draft["medicationReference"] = {"reference": "Medication/m-7"}
    medication = {"resourceType": "Medication", "id": "m-7", "code": concept}
    orders["entry"].append({"resource": medication})
    (card,) = caller.cards(select)["cards"]
    assert card["indicator"] == "critical"


@row("U8")
@pytest.mark.parametrize("selection", ["MedicationRequest/draft-1", "draft-1"])
def test_selections_name_orders(caller: Caller, select: Any, selection: str) -> None:
    select["context"]["selections"] = [selection]
    assert caller.cards(select)["cards"][0]["indicator"] == "critical"


@row("U10")
def test_unfinished_orders(caller: Caller, select: Any) -> None:
    draft = select["context"]["draftOrders"]["entry"][0]["resource"]
    for field in ("status", "intent", "authoredOn", "reasonCode"):
        del draft[field]
    assert caller.cards(select)["cards"]
    assert caller.cards(fixtures.request("order-select/no-medication-yet")) == {"cards": []}


@row("U11")
@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unheard-of"])
def test_orders_that_are_no_drafts_any_more(caller: Caller, sign: Any, status: str) -> None:
    sign["context"]["draftOrders"]["entry"][0]["resource"]["status"] = status
    assert caller.cards(sign)["cards"][0]["indicator"] == "critical"
