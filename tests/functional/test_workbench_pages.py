"""Calls, Tokens, Feedback and Questionnaire, and the command that opens the workbench alone."""

import html
import io
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.store.in_force import InForce
from cds_service.web.app import workbench_app
from cds_service.workbench.bench import EXTENSION, Bench
from tests.support.calls import NOW
from tests.support.pages import post

CALL = Path("fixtures/requests/patient-view/cramps-and-restless-legs.json").read_bytes()
REVIEW = "/cds-services/leg-cramps-patient-view"


def test_calls_are_listed_without_anything_of_a_patient(workbench: FlaskClient) -> None:
    secret = b"Zebedee-3391"
    call = json.loads(CALL)
    call["context"]["patientId"] = secret.decode()
    workbench.post(REVIEW, json=call)
    workbench.post(f"/cds-services/{secret.decode()}", json=call)
    workbench.post(REVIEW, data=b"{" + secret, content_type="application/json")
    shown = workbench.get("/workbench/calls").text
    assert "leg-cramps-patient-view" in shown
    assert "request-malformed" in shown or "not-json" in shown or "400" in shown
    assert secret.decode() not in shown


def test_the_list_holds_the_last_fifty(workbench: FlaskClient) -> None:
    for _ in range(55):
        workbench.get("/cds-services")
    assert workbench.get("/workbench/calls").text.count("<tr><td>") == 50


def test_a_token_that_was_made_is_accepted_by_its_own_entry(workbench: FlaskClient) -> None:
    made = post(workbench, "/workbench/tokens/make", {"issuer": "https://ehr.example.org"}).text
    token = _block(made, "made").removeprefix("Authorization: Bearer ")
    entry = json.loads(_block(made, "made-entry"))
    fields = {"token": token, "keys": json.dumps(entry["clients"][0]["keys"]["set"])}
    shown = post(workbench, "/workbench/tokens/explain", fields).text
    fails = re.findall(r"<tr><td>([^<]+)</td><td><span class=\"truth error\">", shown)
    assert fails == ["issuer (iss)"]  # nobody is registered in a trial
    assert "signature" in shown


def _block(text: str, name: str) -> str:
    found = re.search(rf'<pre id="{name}"[^>]*>(.*?)</pre>', text, re.S)
    assert found, name
    return html.unescape(found[1])


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "Bearer a.b", "é" * 9000])
def test_what_is_no_token_is_said(workbench: FlaskClient, text: str) -> None:
    answer = post(workbench, "/workbench/tokens/explain", {"token": text})
    assert answer.status_code == 200
    assert "readable" in answer.text


def test_a_key_that_is_none_is_said(workbench: FlaskClient) -> None:
    answer = post(workbench, "/workbench/tokens/make", {"pem": "x", "kid": "y"})
    assert answer.status_code == 400
    assert "private key" in answer.text


def test_feedback_stands_by_rule(workbench: FlaskClient) -> None:
    empty = workbench.get("/workbench/feedback").text
    assert "Feedback" in empty
    card = workbench.post(REVIEW, data=CALL, content_type="application/json").get_json()["cards"][0]
    entry = {"card": card["uuid"], "outcome": "overridden"}
    entry["outcomeTimestamp"] = "2026-11-21T09:00:00Z"
    answer = workbench.post(f"{REVIEW}/feedback", json={"feedback": [entry]})
    assert answer.status_code == 200
    assert "By rule and version" in workbench.get("/workbench/feedback").text
    assert "overridden" in workbench.get("/workbench/feedback/export.csv").text


def test_home_tells_what_was_put_in_force(workbench_app: Flask) -> None:
    bench: Bench = workbench_app.extensions[EXTENSION]
    with workbench_app.test_request_context():
        store = bench.runtime().store
    assert store
    changed = InForce(
        "here:site", "2026-11-27T09:30:00+00:00", "f" * 64, "1.0.0", "1.0", "seed-default", "live",
        "ann", changes=("setting ferritin.low: 50 -> 75",),
    )  # fmt: skip
    assert store.add_in_force(changed)
    page = workbench_app.test_client().get("/workbench").text
    assert "2026-11-27 09:30" in page
    assert "setting ferritin.low: 50 -&gt; 75" in page


def test_answers_become_fhir_and_feed_try(workbench: FlaskClient) -> None:
    fields = {"Q2": "yes", "Q3": "yes", "Q1": "urge"}
    given = post(workbench, "/workbench/questionnaire/answers.json", fields)
    response = json.loads(given.data)
    assert response["resourceType"] == "QuestionnaireResponse"
    answered = {item["linkId"]: item["answer"][0] for item in response["item"]}
    assert answered["Q2"] == {"valueBoolean": True}
    assert answered["Q1"]["valueCoding"]["code"] == "urge"
    shown = post(workbench, "/workbench/questionnaire/answers", fields).text
    found = re.search(r'<textarea name="chart" hidden>(.*?)</textarea>', shown, re.S)
    assert found
    tried = post(workbench, "/workbench/try", {"chart": html.unescape(found[1])}).text
    assert "rls.ferritin-missing" in tried


def test_beside_a_service_that_requires_tokens_it_runs_alone(tmp_path: Path) -> None:
    settings = Settings(
        auth="required",
        public_url="https://cds.example.org",
        database_url=f"sqlite:///{tmp_path}/test.sqlite3",
        now=NOW,
        workbench="local",
    )
    client = workbench_app(settings, edit=False).test_client()
    home = client.get("/", headers={"Accept": "text/html"})
    assert home.status_code == 200
    assert "https://cds.example.org/cds-services" in home.text
    assert client.get("/cds-services").status_code == 404
    assert client.post(REVIEW, data=CALL, content_type="application/json").status_code == 404
    assert client.get("/workbench/try").status_code == 200
    assert client.get("/", headers={"Host": "cds.example.org"}).status_code in (200, 403)
    assert client.get("/workbench", headers={"Host": "cds.example.org"}).status_code == 403


def test_a_run_is_opened_and_what_is_none_is_said(workbench: FlaskClient, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from cds_service.cli import main

    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"}},
            {
                "resource": {
                    "resourceType": "Encounter",
                    "id": "e1",
                    "status": "finished",
                    "class": {"code": "AMB"},
                    "subject": {"reference": "Patient/p1"},
                    "period": {"start": "2026-01-02", "end": "2026-01-02"},
                }
            },
        ],
    }
    (tmp_path / "chart.json").write_text(json.dumps(bundle))
    out = str(tmp_path / "run")
    arguments = ["population", "run", str(tmp_path / "chart.json"), "--out", out, "--jobs", "1"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    summary = (tmp_path / "run" / "summary.json").read_bytes()
    fields = {"summary": (io.BytesIO(summary), "summary.json")}
    assert "How much a clinician would see" in post(workbench, "/workbench/burden", fields).text
    for content in (b"", b"{}", b"[1]", b'{"services": 1}', b"\xff"):
        fields = {"summary": (io.BytesIO(content), "summary.json")}
        assert post(workbench, "/workbench/burden", fields).status_code == 400, content
