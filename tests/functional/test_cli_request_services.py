"""`cds request check` says what each service would make of a request, as the service does."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds_service.cli.main import main
from tests.support import fixtures

REVIEW, SCREEN = "leg-cramps-patient-view", "leg-symptoms-screen"


def check(tmp_path: Path, call: Any) -> Any:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(call))
    return CliRunner().invoke(main, ["request", "check", str(file)])


def test_the_state_of_each_key_and_what_is_left_out(tmp_path: Path) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    resource = call["prefetch"]["conditions"]["entry"][0]["resource"]
    resource["subject"] = {"reference": "Patient/marta-other"}
    del call["prefetch"]["procedures"]
    result = check(tmp_path, call)
    assert f"{REVIEW}: answered" in result.output
    assert "  left out: 1 (of another patient)" in result.output
    assert "  procedures              missing" in result.output
    assert "marta-other" not in result.output


@pytest.mark.parametrize("how", ["missing", "failed", "another patient"])
def test_a_refusal_is_told_and_leaves_with_1(client: FlaskClient, tmp_path: Path, how: str) -> None:
    call = fixtures.request("patient-view/cramps-and-restless-legs")
    if how == "missing":
        del call["prefetch"]["conditions"]
    elif how == "failed":
        outcome = {"severity": "error", "code": "forbidden"}
        call["prefetch"]["conditions"] = {"resourceType": "OperationOutcome", "issue": [outcome]}
    else:
        call["prefetch"]["patient"]["id"] = "somebody-else"
    answer = client.post(f"/cds-services/{REVIEW}", json=call).get_json()
    code = answer["issue"][0]["details"]["coding"][0]["code"]
    result = check(tmp_path, call)
    assert result.exit_code == 1
    assert f"{REVIEW}: refused with 412 {code}" in result.output
    assert (f"{SCREEN}: answered" in result.output) is (how != "another patient")


def test_a_hook_that_no_service_answers(tmp_path: Path) -> None:
    call = fixtures.request("patient-view/no-leg-complaint") | {"hook": "appointment-book"}
    result = check(tmp_path, call)
    assert result.exit_code == 1
    assert "No service answers this hook." in result.output
