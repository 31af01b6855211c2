"""Reading a service call: what is required, what is put right, what is refused."""

import json
from typing import Any

import orjson
import pytest

from cds_service.errors import BadRequest
from cds_service.protocol.request import parse_request
from tests.support import fixtures

LONG_ID = "eX" + "a.b-c_" * 32  # 194 characters, as Epic sends


def view(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "5f0a2b6e-1c3d-4e5f-8a9b-000000000001",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
    }
    return request | changes


def select(selections: Any, *entries: Any) -> dict[str, Any]:
    context = view()["context"] | {
        "selections": selections,
        "draftOrders": {"resourceType": "Bundle", "entry": list(entries)},
    }
    return view(hook="order-select", context=context)


def draft(identifier: str, resource_type: str = "MedicationRequest", **more: Any) -> dict[str, Any]:
    return {"resource": {"resourceType": resource_type, "id": identifier, **more}}


def refusal(content: Any, hook: str = "patient-view") -> BadRequest:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    with pytest.raises(BadRequest) as caught:
        parse_request(hook, body)
    return caught.value


def test_the_minimum_is_read() -> None:
    request = parse_request("patient-view", orjson.dumps(view()))
    assert (request.hook, request.patient_id, request.user_id) == (
        "patient-view",
        "p",
        "Practitioner/1",
    )
    assert (request.prefetch, request.drafts, request.fhir_authorization) == ({}, (), None)
    assert request.warnings == ()


@pytest.mark.parametrize(
    ("sent", "used"),
    [
        ("Patient/p", "p"),
        ("https://ehr.example.org/fhir/Patient/p", "p"),
        ("Patient/p/_history/2", "p"),
        (LONG_ID, LONG_ID),
        ("draft\u2011id 7", "draft\u2011id 7"),
    ],
)
def test_patient_id_is_made_bare(sent: str, used: str) -> None:
    request = parse_request("patient-view", view(context={"userId": "P/1", "patientId": sent}))
    assert request.patient_id == used
    assert bool(request.warnings) == (sent != used)


def test_warnings_hold_no_values() -> None:
    context = {"userId": "1234secret", "patientId": "Patient/secret", "encounterId": 99}
    request = parse_request("patient-view", view(hookInstance="secret", context=context))
    assert len(request.warnings) == 4
    assert "secret" not in " ".join(request.warnings)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"text"', id="string"),
        pytest.param(b'{"hook": "patient-view",}', id="trailing comma"),
        pytest.param(b'{"hook": "patient-view" /* c */}', id="comment"),
        pytest.param(b'{"hook": "pati', id="cut off"),
        pytest.param(b'{"hook": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"hook": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"hook": NaN}', id="NaN"),
        pytest.param(b'{"hook": 1e400}', id="too large a number"),
        pytest.param(b'{"hook": ' + b"9" * 5000 + b"}", id="too long a number"),
        pytest.param(b'{"a": ' + b"[" * 100_000, id="very deep"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert refusal(body).status == 400


@pytest.mark.parametrize("spaces", ["", " ", "\n  "])
@pytest.mark.parametrize(
    "pair", ['"hook":"patient-view","hook":"order-sign"', '"a":{"id":"1","x":"b:","id":"2"}']
)
def test_a_duplicate_key_is_refused(pair: str, spaces: str) -> None:
    body = ("{" + pair.replace('":', f'"{spaces}:{spaces}') + "}").encode()
    assert refusal(body).code == "json-duplicate-key"


@pytest.mark.parametrize("filler", ["", "x" * 20_000])
@pytest.mark.parametrize("name", ["hook", "patientId", "prefetch", "conditions"])
def test_a_name_that_decides_the_call_comes_once(filler: str, name: str) -> None:
    call = view(extension={"filler": filler}, prefetch={"conditions": None})
    body = json.dumps(call).replace(f'"{name}":', f'"{name}": null, "{name}":', 1)
    escaped = body.replace(f'"{name}":', f'"{name[:-1]}\\u{ord(name[-1]):04x}":', 1)
    assert refusal(body.encode()).code == "json-duplicate-key"
    assert refusal(escaped.encode()).code == "json-duplicate-key"


@pytest.mark.parametrize("filler", ["", "x" * 20_000])
def test_inside_of_a_resource_the_last_of_two_equal_names_counts(filler: str) -> None:
    draft = f'{{"resourceType":"MedicationRequest","id":"1","id":"d","note":"{filler}"}}'
    call = json.dumps(select(["MedicationRequest/d"], {"resource": "HERE"})).encode()
    request = parse_request("order-select", call.replace(b'"HERE"', draft.encode()))
    assert [(order.reference, order.selected) for order in request.drafts] == [
        ("MedicationRequest/d", True)
    ]


def test_text_that_looks_like_keys_is_no_duplicate() -> None:
    text = 'a":1,"b' + '":"' * 3
    body = json.dumps(view(extension={"t": text, "u": [":x", '\\":']}), indent=1).encode()
    assert parse_request("patient-view", body).patient_id == "p"


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse_request("patient-view", b"\xef\xbb\xbf" + orjson.dumps(view())).patient_id == "p"


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    "place", ["hook", "hookInstance", "context", "context.userId", "context.patientId"]
)
def test_a_missing_field_is_named(place: str, empty: str | None) -> None:
    request = view()
    holder = request["context"] if place.startswith("context.") else request
    name = place.removeprefix("context.")
    if place != "context" or empty is None:
        holder[name] = empty
        error = refusal(request)
        assert (error.status, error.expression) == (400, place)
    del holder[name]
    assert refusal(request).expression == place


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"hook": 1}, "hook"),
        ({"hookInstance": {}}, "hookInstance"),
        ({"context": []}, "context"),
        ({"context": {"userId": 5, "patientId": "p"}}, "context.userId"),
        ({"context": {"userId": "P/1", "patientId": ["p"]}}, "context.patientId"),
        ({"context": {"userId": "P/1", "patientId": "Patient//"}}, "context.patientId"),
        ({"prefetch": "none"}, "prefetch"),
        ({"prefetch": []}, "prefetch"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(changes: dict[str, Any], place: str) -> None:
    error = refusal(view(**changes))
    assert error.expression == place


def test_extension_and_unknown_fields_are_ignored() -> None:
    request = view(extension="not an object", user="x", item2=None)
    request["context"] |= {"extension": [], "medications": {}}
    assert parse_request("patient-view", request).patient_id == "p"


def test_selections_match_however_they_are_written() -> None:
    order = {"resourceType": "MedicationRequest", "id": "d"}
    for selection in ("MedicationRequest/d", "d", "https://e/fhir/MedicationRequest/d"):
        request = parse_request("order-select", select([selection], {"resource": order}))
        assert [d.selected for d in request.drafts] == [True]
    by_url = {"fullUrl": "urn:uuid:7", "resource": order}
    assert parse_request("order-select", select(["urn:uuid:7"], by_url)).drafts[0].selected


def test_a_selection_selects_by_type_and_id() -> None:
    body = select(
        ["ServiceRequest/1", "MedicationRequest/9"], draft("1"), draft("1", "ServiceRequest")
    )
    drafts = parse_request("order-select", body).drafts
    assert [d.selected for d in drafts] == [False, True]


@pytest.mark.parametrize("identifier", [LONG_ID, "draft\u2011rx\u20111"])
def test_ids_of_any_form_are_kept(identifier: str) -> None:
    request = parse_request(
        "order-select", select([f"MedicationRequest/{identifier}"], draft(identifier))
    )
    assert request.drafts[0].reference == f"MedicationRequest/{identifier}"
    assert request.drafts[0].selected


def test_entries_are_read_as_they_come() -> None:
    bare = {"resourceType": "MedicationRequest", "id": "bare"}
    nameless = {"resource": {"resourceType": "ServiceRequest"}}
    medication = {"resource": {"resourceType": "Medication", "id": "m"}}
    body = select(
        ["MedicationRequest/bare"], bare, nameless, medication, None, {}, "x", {"resource": 1}
    )
    request = parse_request("order-select", body)
    assert [(d.reference, d.selected) for d in request.drafts] == [
        ("MedicationRequest/bare", True),
        ("", False),
    ]
    assert [other.id for other in request.others] == ["m"]
    assert any("entry without a resource" in warning for warning in request.warnings)


def test_without_entry_there_are_no_drafts() -> None:
    context = view()["context"] | {"draftOrders": {"resourceType": "Bundle"}}
    assert parse_request("order-sign", view(hook="order-sign", context=context)).drafts == ()


def test_all_orders_are_selected_when_signing() -> None:
    body = fixtures.request("order-sign/quinine")
    assert [d.selected for d in parse_request("order-sign", body).drafts] == [True]


@pytest.mark.parametrize(
    "orders", [[], "x", {}, {"resourceType": "List"}, {"resourceType": "Bundle", "entry": {}}]
)
def test_draft_orders_that_are_no_bundle_are_refused(orders: Any) -> None:
    context = view()["context"] | {"draftOrders": orders}
    error = refusal(view(hook="order-sign", context=context), "order-sign")
    assert error.expression.startswith("context.draftOrders")


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/d/_history/2",
        "https://e/fhir/MedicationRequest/d/_history/2",
        " MedicationRequest/d ",
        {"reference": "MedicationRequest/d"},
        {"reference": "MedicationRequest/d/_history/1", "type": "MedicationRequest"},
    ],
)
def test_a_selection_may_have_a_version_or_be_a_reference(selection: Any) -> None:
    assert parse_request("order-select", select([selection], draft("d"))).drafts[0].selected


@pytest.mark.parametrize("url", ["https://e/fhir/MedicationRequest/d", "MedicationRequest/d"])
@pytest.mark.parametrize("selection", ["MedicationRequest/d", "https://e/fhir/MedicationRequest/d"])
def test_a_draft_without_an_id_is_known_by_its_address(url: str, selection: str) -> None:
    entry = {"fullUrl": f"{url}/_history/3", "resource": {"resourceType": "MedicationRequest"}}
    request = parse_request("order-select", select([selection], entry))
    assert [(order.reference, order.selected) for order in request.drafts] == [
        ("MedicationRequest/d", True)
    ]


@pytest.mark.parametrize("odd", [None, 7, True, ["MedicationRequest/d"], {"x": 1}])
def test_a_selection_that_is_no_text_is_refused(odd: Any) -> None:
    error = refusal(select([odd, "MedicationRequest/d"], draft("d")), "order-select")
    assert (error.code, error.expression) == ("field-invalid", "context.selections")


@pytest.mark.parametrize("selection", ["medicationrequest/d", "#d", "x"])
def test_where_no_selection_is_a_reference_every_order_counts(selection: str) -> None:
    request = parse_request("order-select", select([selection], draft("d"), draft("e")))
    assert [order.selected for order in request.drafts] == [True, True]
    assert any("no selection is a reference" in warning for warning in request.warnings)


def test_a_selection_of_what_is_no_order_selects_no_order() -> None:
    other = {"resource": {"resourceType": "Medication", "id": "m"}}
    request = parse_request("order-select", select(["Medication/m"], draft("d"), other))
    assert [order.selected for order in request.drafts] == [False]


def test_selections_that_name_nothing_are_refused() -> None:
    assert refusal(select(["", " "], draft("d")), "order-select").code == "field-invalid"
    request = parse_request("order-select", select(["", "MedicationRequest/d"], draft("d")))
    assert request.drafts[0].selected


@pytest.mark.parametrize("name", ["dstu2-order", "no-medication-yet", "quinine-from-sandbox"])
def test_what_the_sandbox_sends_is_read(name: str) -> None:
    request = parse_request("order-select", fixtures.request(f"order-select/{name}"))
    assert [d.selected for d in request.drafts] == [True]


TOKEN = {
    "access_token": "opaque",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "Patient.Read (R4)",
    "subject": "cds",
}


def test_a_token_is_read_and_not_shown() -> None:
    request = parse_request(
        "patient-view", view(fhirServer="https://e/fhir", fhirAuthorization=TOKEN)
    )
    assert request.fhir_authorization is not None
    assert request.fhir_authorization.access_token == "opaque"
    assert "opaque" not in repr(request)


@pytest.mark.parametrize("token", [None, ""])
def test_an_empty_token_is_no_token(token: str | None) -> None:
    request = parse_request("patient-view", view(fhirAuthorization={"access_token": token}))
    assert request.fhir_authorization is None


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"access_token": 5}, "fhirAuthorization.access_token"),
        ({"token_type": "mac"}, "fhirAuthorization.token_type"),
        ({"expires_in": "300"}, "fhirAuthorization.expires_in"),
        ({"expires_in": True}, "fhirAuthorization.expires_in"),
        ({"expires_in": 1.5}, "fhirAuthorization.expires_in"),
        ({"scope": None}, "fhirAuthorization.scope"),
        ({"subject": 1}, "fhirAuthorization.subject"),
    ],
)
def test_a_wrong_authorization_is_ignored_and_its_field_named(
    changes: dict[str, Any], place: str
) -> None:
    call = view(fhirServer="https://e", fhirAuthorization=TOKEN | changes)
    request = parse_request("patient-view", call)
    assert request.fhir_authorization is None
    assert any(place in warning for warning in request.warnings)


def test_an_authorization_that_is_no_object_is_ignored() -> None:
    request = parse_request("patient-view", view(fhirAuthorization="opaque"))
    assert request.fhir_authorization is None
    assert "opaque" not in repr(request.warnings)


def test_token_type_in_any_case() -> None:
    request = view(fhirServer="https://e", fhirAuthorization=TOKEN | {"token_type": "bearer"})
    assert parse_request("patient-view", request).fhir_authorization is not None
