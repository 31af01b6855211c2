"""What the Try page gives to take away, and what it says of charts that it cannot read."""

import html
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.cards.compose import compose
from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.packs.locate import hooks_dir
from cds_service.ruletests.testing import run_tests
from cds_service.workbench.ready import patients
from tests.support.pages import chart, post

READY = [one.id for one in patients()]


@pytest.mark.parametrize("patient", READY)
def test_the_chart_of_each_ready_patient_is_a_test_that_passes(
    workbench: FlaskClient, tmp_path: Path, patient: str
) -> None:
    held = chart(workbench, patient)
    answer = post(workbench, "/workbench/try/case.test.json", {"chart": held})
    assert answer.status_code == 200
    site = tmp_path / "site"
    (site / "rules").mkdir(parents=True)
    (site / "site.json").write_text("{}")
    file = site / "rules" / "case.test.json"
    file.write_bytes(answer.data)
    report = run_tests(hooks_dir({}), site, [file], compose)
    assert report.passed, report


@pytest.mark.parametrize("patient", READY)
def test_the_request_of_each_ready_patient_is_a_call_that_a_service_answers(
    workbench: FlaskClient, patient: str
) -> None:
    held = chart(workbench, patient)
    for service in ("leg-cramps-patient-view", "leg-symptoms-screen"):
        fields = {"chart": held, "service": service}
        call = post(workbench, "/workbench/try/request.json", fields).data
        answer = workbench.post(
            f"/cds-services/{service}", data=call, content_type="application/json"
        )
        shown = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"})
        for card in answer.get_json()["cards"]:
            assert card["summary"] in html.unescape(shown.text)


def test_a_site_patch_has_only_what_was_changed(workbench: FlaskClient) -> None:
    fields = {
        "chart": chart(workbench, "ferritin-52"),
        "set.ferritin.low": "75",
        "set.ferritin.lookback": "365",
        "rule.rls.low-ferritin": "shadow",
        "profile": "seed-default",
        "profile.here": "1",
        "profile.was": "seed-default",
    }
    patch = post(workbench, "/workbench/try/site.json", fields).get_json()
    assert patch["settings"] == {"ferritin.low": 75}
    assert patch["rules"] == {"rls.low-ferritin": {"status": "shadow"}}
    assert "profile" not in patch


def test_a_value_out_of_bounds_is_said_and_not_used(workbench: FlaskClient) -> None:
    fields = {"chart": chart(workbench, "ferritin-52"), "set.ferritin.low": "100000"}
    answer = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"})
    assert answer.status_code == 400
    assert "ferritin.low is at most" in answer.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to read"),
        ("{", "not JSON"),
        ("[1]", "JSON object"),
        ('{"a": 1}', "no FHIR resource"),
    ],
)
def test_what_is_no_chart_is_said(workbench: FlaskClient, text: str, words: str) -> None:
    fields = {"chart": "{}", "text": text, "op": '{"do": "read"}'}
    answer = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"})
    assert answer.status_code == 400
    assert words in answer.text


@pytest.mark.parametrize(
    "op", ["x", "[]", '{"do":"add"}', '{"do":"remove","key":"r99"}', '{"do":1}']
)
def test_an_operation_that_no_button_has_is_no_fault(workbench: FlaskClient, op: str) -> None:
    fields = {"chart": chart(workbench, "quiet"), "op": op}
    assert post(workbench, "/workbench/try", fields).status_code in (200, 400)


def test_a_captured_call_keeps_its_gaps(workbench: FlaskClient) -> None:
    call = Path("fixtures/requests/patient-view/conditions-not-readable.json").read_text()
    fields = {"chart": "{}", "text": call, "op": '{"do": "read"}'}
    answer = post(workbench, "/workbench/try", fields)
    assert answer.status_code == 200
    assert "412" in answer.text


def test_numbers_come_back_as_they_were_sent(workbench: FlaskClient) -> None:
    held = chart(workbench, "claudication")
    fields = {"chart": held}
    again = post(workbench, "/workbench/try/chart.json", fields).data
    assert json.loads(again, parse_float=Decimal) == json.loads(held, parse_float=Decimal)


def test_a_change_is_compared_on_other_charts(workbench: FlaskClient) -> None:
    call = Path("fixtures/requests/patient-view/cramps-and-restless-legs.json").read_bytes()
    fields = {
        "chart": chart(workbench, "quiet"),
        "rule.rls.low-ferritin": "retired",
        "charts": (io.BytesIO(call), "mine.json"),
    }
    shown = post(workbench, "/workbench/try/compare", fields).text
    assert "mine.json" in shown
    assert "Restless legs, ferritin 40, on iron" in shown
    assert "loses" in shown


def test_a_file_that_is_no_chart_is_named(workbench: FlaskClient) -> None:
    fields = {"chart": chart(workbench, "quiet"), "charts": (io.BytesIO(b"x"), "odd.json")}
    answer = post(workbench, "/workbench/try/compare", fields, **{"HX-Request": "true"})
    assert answer.status_code == 400
    assert "odd.json" in answer.text


def test_without_leave_a_change_is_not_saved(workbench: FlaskClient) -> None:
    fields = {"chart": chart(workbench, "quiet"), "set.ferritin.low": "75"}
    assert post(workbench, "/workbench/try/save-site", fields).status_code in (403, 404)


def test_a_chart_that_is_too_large_is_said(
    workbench: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(workbench.application.config, "MAX_CONTENT_LENGTH", 2000)
    fields = {"chart": "{}", "text": " " * 3000, "op": '{"do": "read"}'}
    answer = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"})
    assert answer.status_code == 413
    assert "more than the service reads" in answer.text
    assert 'id="flash"' in answer.text


def test_of_several_patients_in_a_file_one_is_chosen(workbench: FlaskClient) -> None:
    people = [{"resourceType": "Patient", "id": f"person-{number}"} for number in range(3)]
    problems = [
        {
            "resourceType": "Condition",
            "id": f"problem-{one['id']}",
            "code": {"text": f"Trouble of {one['id']}"},
            "subject": {"reference": f"https://ehr.example/fhir/Patient/{one['id']}"},
        }
        for one in people
    ]
    fields = {
        "chart": chart(workbench, "ferritin-52"),
        "text": "\n".join(json.dumps(one) for one in [*people, *problems]),
    }
    first = post(workbench, "/workbench/try", {**fields, "op": json.dumps({"do": "read"})})
    assert "Trouble of person-0" in first.text and "Trouble of person-1" not in first.text
    assert "The text holds 3 patients" in first.text and ">person-2</button>" in first.text
    asked = json.dumps({"do": "read", "patient": "person-2"})
    second = post(workbench, "/workbench/try", {**fields, "op": asked})
    assert "Trouble of person-2" in second.text and "Trouble of person-0" not in second.text


def test_a_card_says_what_an_override_sends_and_how_long_a_summary_may_be(
    workbench: FlaskClient,
) -> None:
    fields = {"chart": chart(workbench, "ferritin-52"), "set.ferritin.low": "75"}
    page = html.unescape(post(workbench, "/workbench/try", fields).text)
    assert '"outcome": "overridden"' in page and '"overrideReason"' in page
    assert f"of {LONGEST_SUMMARY} characters" in page


def test_a_chart_with_information_alone_says_what_would_warn(workbench: FlaskClient) -> None:
    page = html.unescape(
        post(workbench, "/workbench/try", {"chart": chart(workbench, "ferritin-52")}).text
    )
    said = page[page.index("No warning. The nearest:") :][:400]
    assert "Low ferritin with restless legs" in said and "below 50 ng/mL" in said
    fields = {"chart": chart(workbench, "ferritin-52"), "set.ferritin.low": "75"}
    with_change = post(workbench, "/workbench/try", fields)
    assert "No warning." not in with_change.text


def test_the_nearest_rule_is_one_that_reads_the_chart(workbench: FlaskClient) -> None:
    """Of rules as far away, that which sees an entry: a ferritin alone lacks restless legs."""
    held = json.loads(chart(workbench, "ferritin-52"))
    kept = [one for one in held["resources"] if one["resourceType"] in ("Patient", "Observation")]
    fields = {"chart": json.dumps({**held, "resources": kept})}
    shown = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"}).text
    nearest = shown[shown.index("No card. The nearest:") :][:300]
    assert 'data-why="rls.guideline-band"' in nearest
    assert "restless legs syndrome is recorded" in nearest


def test_an_undone_chart_comes_back_whatever_the_rows_say(workbench: FlaskClient) -> None:
    held = chart(workbench, "ferritin-52")
    number = [one["resourceType"] for one in json.loads(held)["resources"]].index("Observation")
    rows = {f"r{number}.here": "1", f"r{number}.value": "49"}
    script = {"HX-Request": "true"}
    edited = post(workbench, "/workbench/try", {"chart": held, **rows}, **script).text
    undone = post(workbench, "/workbench/try", {"chart": held, **rows, "undo": "1"}, **script).text
    assert "RLS with ferritin 49" in edited
    assert "RLS with ferritin 52" in undone


def test_no_knob_moves_away_when_it_is_turned(workbench: FlaskClient) -> None:
    def knobs(**fields: str) -> list[str]:
        held = {"chart": chart(workbench, "ferritin-52"), **fields}
        page = post(workbench, "/workbench/try", held, **{"HX-Request": "true"}).text
        return re.findall(r'data-knob="([^"]+)"', page)

    assert "ferritin.low" in knobs()
    assert knobs() == knobs(**{"set.ferritin.low": "75"})


def test_a_change_says_what_it_does_to_the_chart(workbench: FlaskClient) -> None:
    fields = {"chart": chart(workbench, "ferritin-52"), "set.ferritin.low": "75"}
    page = post(workbench, "/workbench/try", fields, **{"HX-Request": "true"}).text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Your change: ferritin.low 50 → 75 ng/mL; on this chart 1 card new, 1 card gone" in words
