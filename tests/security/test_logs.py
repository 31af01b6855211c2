"""Nothing of a patient and no token reaches a log, an error or a metric."""

import json
from typing import Any

import pytest

from cds_service import logs
from cds_service.config import Settings
from cds_service.web.app import create_app
from tests.support import fixtures
from tests.support.fake_runtime import FakeRuntime, service
from tests.support.rows import row

SECRETS = ("pat-secret", "tok-secret", "Marta", "Lind", "doc-secret", "enc-secret", "free-secret")
REVIEW = "/cds-services/review"


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Any:
    """Everything logged since the last look, as text and as entries."""
    logs.configure("DEBUG")

    def read() -> tuple[str, list[dict[str, Any]]]:
        text = capsys.readouterr().err
        return text, [json.loads(line) for line in text.splitlines()]

    yield read
    logs.configure("CRITICAL")


def secret_call() -> dict[str, Any]:
    call = json.loads(
        json.dumps(fixtures.request("patient-view/cramps-and-restless-legs")).replace(
            "marta-lind", "pat-secret"
        )
    )
    call["context"] |= {"userId": "Practitioner/doc-secret", "encounterId": "enc-secret"}
    token = {"access_token": "tok-secret", "token_type": "Bearer", "expires_in": 300}
    call["fhirAuthorization"] = token | {"scope": "s", "subject": "cds"}
    call["fhirServer"] = "https://ehr.example.org/fhir"
    call["prefetch"]["conditions"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/Lind"
    return call


@row("F12")
def test_a_call_is_logged_without_its_content(written: Any) -> None:
    web = create_app(Settings(auth="off"), FakeRuntime(service())).test_client()
    call = secret_call()
    assert web.post(REVIEW, json=call).status_code == 200
    text, (entry,) = written()
    assert entry["event"] == "call"
    assert entry["hook_instance"] == call["hookInstance"]
    assert entry["dropped"] == {"other-patient": 1}
    assert not [secret for secret in SECRETS if secret in text]
    assert "withheld" not in entry


def test_a_hook_instance_that_is_no_uuid_is_not_logged(written: Any) -> None:
    web = create_app(Settings(auth="off"), FakeRuntime(service())).test_client()
    web.post(REVIEW, json=secret_call() | {"hookInstance": "free-secret"})
    text, _ = written()
    assert "free-secret" not in text


def test_a_fault_is_logged_by_type_and_place(written: Any) -> None:
    runtime = FakeRuntime(service())
    runtime.error = ValueError("Marta Lind, ferritin 32, tok-secret")
    web = create_app(Settings(auth="off"), runtime).test_client()
    response = web.post(REVIEW, json=secret_call())
    text, (entry,) = written()
    assert entry["event"] == "fault"
    assert entry["exception"] == "builtins.ValueError"
    assert any("web/invoke.py" in frame for frame in entry["frames"])
    assert entry["error_id"] in response.get_data(as_text=True)
    assert not [secret for secret in SECRETS if secret in text]


def test_bad_requests_and_feedback_are_quiet(written: Any) -> None:
    web = create_app(Settings(auth="off"), FakeRuntime(service())).test_client()
    call = secret_call()
    web.post(REVIEW, json=call | {"hook": "order-sign"})
    web.post(REVIEW, json=call | {"prefetch": {}})
    feedback = fixtures.request("feedback/overridden-by-epic")
    feedback["feedback"][0]["overrideReasons"]["userComment"] = "free-secret"
    assert web.post(f"{REVIEW}/feedback", json=feedback).status_code == 200
    text, _ = written()
    assert not [secret for secret in SECRETS if secret in text]
    metrics = web.get("/metrics").get_data(as_text=True)
    assert not [secret for secret in SECRETS if secret in metrics]


def test_keys_that_are_not_allowed_are_withheld_by_name(written: Any) -> None:
    logs.logger().info("event", patient="pat-secret", status=200)
    text, (entry,) = written()
    assert "pat-secret" not in text
    assert (entry["withheld"], entry["status"]) == (["patient"], 200)


def test_a_chained_exception_shows_only_types(written: Any) -> None:
    try:
        try:
            raise KeyError("pat-secret")
        except KeyError as error:
            raise ValueError("tok-secret") from error
    except ValueError as error:
        logs.logger().error("fault", **logs.describe_exception(error))
    text, (entry,) = written()
    assert entry["cause"] == "builtins.KeyError"
    assert "secret" not in text


def test_a_refusal_for_missing_data_names_service_key_and_reason(written: Any) -> None:
    app = create_app(Settings(auth="off"), FakeRuntime(service()))  # type: ignore[arg-type]
    call = secret_call() | {"prefetch": {}}
    assert app.test_client().post(REVIEW, json=call).status_code == 412
    [line] = [entry for entry in written()[1] if entry["event"] == "refused"]
    assert (line["service"], line["key"], line["code"]) == ("review", "patient", "data-missing")
    assert "patient was not sent" in line["hint"]
