"""Errors of every route: a valid OperationOutcome, a stable code, CORS, nothing of the inside."""

import re
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.errors import ServiceError
from cds_service.protocol.codes import CODES, SYSTEM
from cds_service.web.app import create_app
from tests.support import fixtures
from tests.support.fake_runtime import FakeRuntime, service

REVIEW = "/cds-services/review"
CALL = fixtures.request("patient-view/no-leg-complaint")
R4_ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown",
    "expired", "forbidden", "suppressed", "processing", "not-supported", "duplicate",
    "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
    "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
}  # fmt: skip


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime(service(), service("sign", "order-sign"))


@pytest.fixture
def web(runtime: FakeRuntime) -> FlaskClient:
    settings = Settings(auth="off", cors_origins=("*",), max_body_bytes=100_000, max_resources=5)
    return create_app(settings, runtime).test_client()


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in CALL.items() if key != field}


def post(body: Any, path: str = REVIEW, **more: Any) -> dict[str, Any]:
    kind = "data" if isinstance(body, bytes) else "json"
    return {"method": "POST", "path": path, kind: body, **more}


MANY = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {}}] * 6}
ACCEPTED = {"card": "c", "outcome": "accepted", "outcomeTimestamp": "2026-11-21T09:00:00Z"}
OTHER = {"resourceType": "Patient", "id": "somebody-else"}
CASES = [
    ("body-empty", post(b"")),
    ("json-malformed", post(b"{")),
    ("json-duplicate-key", post(b'{"a":1,"a":2}')),
    ("json-duplicate-key", post(b'{"a":1,"a" :2}')),
    ("json-duplicate-key", post(b'{"a":1,"\\u0061":2}')),
    ("json-duplicate-key", post(b'{"a":1,"a":2,"b":"\\u0022:"}')),
    ("json-duplicate-key", post(b'{"a":1,"a":2,"b":"\\"\\u003a"}')),
    ("json-duplicate-key", post(b'{"a":1,"a":2,"bbb":1e9}')),
    ("json-too-deep", post(b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}")),
    ("body-not-object", post(b"[]")),
    ("field-missing", post(without("context"))),
    ("field-invalid", post(CALL | {"prefetch": 5})),
    ("hook-mismatch", post(CALL, "/cds-services/sign")),
    ("feedback-incomplete", post({"feedback": [ACCEPTED]}, f"{REVIEW}/feedback")),
    ("service-unknown", post(CALL, "/cds-services/none")),
    ("service-unknown", post({"feedback": []}, "/cds-services/none/feedback")),
    ("not-found", {"path": "/elsewhere"}),
    ("not-found", {"path": "/schemas/none"}),
    ("method-not-allowed", {"path": REVIEW, "method": "PUT"}),
    ("method-not-allowed", {"path": "/cds-services", "method": "DELETE"}),
    ("data-missing", post(CALL | {"prefetch": {}})),
    ("data-failed", post(CALL | {"prefetch": {"patient": {"resourceType": "OperationOutcome"}}})),
    ("data-of-another-patient", post(CALL | {"prefetch": {"patient": OTHER}})),
    ("body-too-large", post(b" " * 100_001)),
    ("too-many-resources", post(CALL | {"prefetch": {"conditions": MANY}})),
    ("media-type", post(b"{}", content_type="text/plain")),
]


def check(response: Any, code: str) -> None:
    assert response.status_code == CODES[code][0]
    assert response.mimetype == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    outcome = response.get_json()
    OperationOutcome.model_validate(outcome)
    (issue,) = outcome["issue"]
    assert issue["details"] == {"coding": [{"system": SYSTEM, "code": code}]}
    assert issue["severity"] in ("error", "fatal")
    assert issue["code"] in R4_ISSUE_TYPES
    assert issue["diagnostics"]


@pytest.mark.parametrize(("code", "call"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_errors(web: FlaskClient, code: str, call: dict[str, Any]) -> None:
    check(web.open(headers={"Origin": "https://ehr.example.org"}, **call), code)


@pytest.mark.parametrize("path", [REVIEW, f"{REVIEW}/feedback"])
def test_a_fault_of_ours_is_a_500_with_an_id_and_nothing_else(
    web: FlaskClient, runtime: FakeRuntime, path: str
) -> None:
    runtime.error = RuntimeError("marta-lind ferritin 32")
    body = CALL if path == REVIEW else fixtures.request("feedback/dismissed")
    response = web.post(path, json=body)
    check(response, "internal")
    text = response.get_data(as_text=True)
    assert re.search(r"Error id: [0-9a-f-]{36}", text)
    assert "marta" not in text and "RuntimeError" not in text and "cards" not in text


@pytest.mark.parametrize("code", ["rules-failed", "storage-unavailable"])
def test_errors_of_the_service_layer(web: FlaskClient, runtime: FakeRuntime, code: str) -> None:
    runtime.error = ServiceError(CODES[code][0], code, "No.", "exception")
    check(web.post(REVIEW, json=CALL), code)


def test_an_error_quotes_nothing_of_the_request(web: FlaskClient) -> None:
    body = {
        "hook": "secret",
        "hookInstance": "secret",
        "context": {"patientId": "secret", "userId": "secret"},
        "secret": "secret",
    }
    for changed in (body, body | {"hook": "patient-view"}, body | {"context": "secret"}):
        response = web.post(REVIEW, json=changed)
        assert response.status_code in (400, 412)
        assert "secret" not in response.get_data(as_text=True)


def test_every_code_has_a_test_or_is_raised_elsewhere() -> None:
    """A code that no test can provoke is not part of the contract."""
    provoked = {code for code, _ in CASES} | {"internal", "rules-failed", "storage-unavailable"}
    provoked |= {"unauthorized"}  # tests/security/test_tokens_hostile.py
    provoked |= {"overloaded"}  # tests/faults/test_crowds.py
    assert set(CODES) - provoked == {"request-malformed", "unavailable"}  # made by the WSGI server
