"""`cds rules stats`: counts over charts, and nothing of a patient."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.population.chart_calls import call_of
from cds_service.population.judge import impersonal
from cds_service.population.patient_chart import PatientChart, charts_of
from cds_service.population.replay import Moment
from cds_service.population.survey import chart_files, read_charts
from cds_service.protocol.raw import encoded
from cds_service.rules.model import ServiceDefinition
from tests.support import vocabulary

HOOKS = Path(__file__).parent.parent.parent / "hooks"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NAME = "Zacharias-Unmistakable"
VISIT = "2020-03-04"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def patient(identifier: str = "p-4711", **more: Any) -> Json:
    return {"resourceType": "Patient", "id": identifier, "birthDate": "1950-01-01", **more}


def cramp(**more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c-1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": concept(ICD10, "G47.62"),
        **more,
    }


def hydrochlorothiazide(**more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "m-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, "5487"),
        "authoredOn": "2020-02-01",
        **more,
    }


def visit(**more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e-1",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": f"{VISIT}T09:00:00Z"},
        **more,
    }


def bundle(*resources: Json) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in resources],
    }


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """Two charts with a leg cramp, one of them on a diuretic; one without a complaint."""
    folder = tmp_path / "charts"
    (folder / "more").mkdir(parents=True)
    person = {"name": [{"family": NAME}]}
    with_drug = bundle(patient(**person), cramp(), hydrochlorothiazide(), visit())
    without = bundle(patient(), hydrochlorothiazide(), visit())
    (folder / "a.json").write_text(json.dumps(with_drug))
    (folder / "b.json").write_text(json.dumps(without))
    with gzip.open(folder / "more" / "c.json.gz", "wt") as file:
        json.dump(bundle(patient("p-2"), cramp(), visit()), file)
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CDS_SITE_DIR", "CDS_HOOKS_DIR", "CDS_NOW"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["rules", "stats", *map(str, arguments)])


def report(*arguments: object) -> Any:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def service(stats: Any, name: str = "leg-cramps-patient-view") -> Any:
    return next(entry for entry in stats["services"] if entry["service"] == name)


def test_how_often_rules_fire(charts: Path) -> None:
    stats = report(charts)
    review = service(stats)
    assert (stats["charts"], review["charts"]) == (3, 3)
    spread = {int(cards): charts for cards, charts in review["chartsByCards"].items()}
    assert (review["withCards"], spread[0], sum(spread.values())) == (1, 2, 3)
    assert review["cards"] == sum(cards * charts for cards, charts in spread.items()) > 0
    assert review["cards"] == sum(review["indicators"].values())
    (diuretic,) = [entry for entry in review["rules"] if entry["rule"] == "drug-review.diuretic"]
    assert (diuretic["fires"], diuretic["heads"], diuretic["unknown"]) == (1, 1, 0)
    assert "drug-review.diuretic" not in review["neverFire"]
    assert "drug-review.lithium" in review["neverFire"]
    assert review["complaint"] == {
        "no": {"charts": 1, "withCards": 0},
        "yes": {"charts": 2, "withCards": 1},
    }


def test_nothing_of_a_patient_is_printed(charts: Path) -> None:
    odd = cramp(code={"coding": [{"system": "http://example.org/local", "code": f"x-{NAME}"}]})
    (charts / "d.json").write_text(json.dumps(bundle(patient(f"p-{NAME}"), odd)))
    for style in ("text", "json"):
        result = run(charts, "--format", style, "--orders")
        assert result.exit_code == 0, result.output
        assert "http://example.org/local" in result.output
        for secret in (NAME, "p-4711", "p-2", "1950-01-01", VISIT):
            assert secret not in result.output


def test_why_a_rule_is_unknown(charts: Path) -> None:
    """A ferritin without a unit: the reason is told, the value is not."""
    ferritin = {
        "resourceType": "Observation",
        "id": "o-1",
        "status": "final",
        "code": concept("http://loinc.org", "2276-4"),
        "effectiveDateTime": "2020-03-01",
        "valueQuantity": {"value": 31.25},
    }
    rls = cramp(code=concept(ICD10, "G25.81"))
    (charts / "d.json").write_text(json.dumps(bundle(patient(), rls, ferritin, visit())))
    result = run(charts / "d.json", "--format", "json")
    (low,) = [
        r for r in service(json.loads(result.stdout))["rules"] if r["rule"] == "rls.low-ferritin"
    ]
    assert (low["fires"], low["unknown"]) == (0, 1)
    assert low["reasons"] == [{"reason": "lab.ferritin: a result has no unit", "charts": 1}]
    assert "31.25" not in result.output


def test_a_chart_is_opened_at_its_last_visit_or_on_the_day_named(charts: Path) -> None:
    """The prescription counts for 400 days; in 2026 it is long over."""
    assert service(report(charts))["withCards"] == 1
    assert service(report(charts, "--now", "2020-06-01"))["withCards"] == 1
    assert service(report(charts, "--now", "2026-06-01"))["withCards"] == 0


def test_orders_are_answered_as_if_they_were_being_signed(charts: Path) -> None:
    assert [entry["service"] for entry in report(charts)["services"]] == [
        "leg-cramps-patient-view",
        "leg-symptoms-screen",
    ]
    signing = service(report(charts, "--orders"), "leg-cramps-order-sign")
    (drug,) = [r for r in signing["rules"] if r["rule"] == "order.cramp-provoking-drug"]
    assert drug["fires"] == 1 and signing["withCards"] == 1


def test_several_processes_count_the_same(charts: Path) -> None:
    assert report(charts, "--jobs", 2) == report(charts)


def test_a_profile_can_be_tried(charts: Path) -> None:
    stats = report(charts, "--profile", "demo")
    assert stats["pack"]["profile"] == ["demo"]
    assert service(stats)["withCards"] == 2


def test_the_table_names_services_rules_and_what_never_fires(charts: Path) -> None:
    text = run(charts).stdout
    assert "3 charts, pack" in text and "profile seed-default" in text
    assert "leg-cramps-patient-view: 66.7 cards per 100 encounters; 1 of 3 charts" in text
    assert "leg cramps recorded, no: 1 charts, 0 with cards" in text
    assert "  never fire: " in text


def test_files_that_hold_no_chart_are_counted(charts: Path) -> None:
    (charts / "broken.json").write_text("{")
    (charts / "empty.json").write_text(json.dumps(bundle()))
    (charts / "cut.json.gz").write_bytes(gzip.compress(b"{}")[:-9])
    (charts / "notes.txt").write_text("not looked at")
    stats = report(charts)
    assert (stats["charts"], stats["leftOut"]) == (
        3,
        {"not JSON": 2, "no Bundle with a Patient": 1},
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"resourceType": "Patient", "id": "1"}'])
def test_a_folder_without_charts_is_refused(tmp_path: Path, content: str) -> None:
    assert run(tmp_path).exit_code == 1
    (tmp_path / "a.json").write_text(content)
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "holds a FHIR Bundle with a Patient" in result.stderr


def test_two_patients_in_one_bundle_are_two_charts(tmp_path: Path) -> None:
    first = {"subject": {"reference": "Patient/one"}}
    second = {"subject": {"reference": "Patient/two"}}
    both = bundle(
        patient("one"), patient("two"), cramp(**first), hydrochlorothiazide(**second), visit()
    )
    (tmp_path / "a.json").write_text(json.dumps(both))
    stats = report(tmp_path / "a.json")
    assert (stats["charts"], service(stats)["withCards"]) == (2, 0)


def review_service() -> ServiceDefinition:
    pack = load_pack(HOOKS, thorough=False)
    return next(service for service in pack.services if service.id == "leg-cramps-patient-view")


def sent(chart: PatientChart, key: str) -> Sequence[str]:
    systems = vocabulary.shipped().systems
    call = call_of(review_service(), Moment(NOW, chart), systems)
    return [entry.id for entry in call.readings[key].resources]


def test_a_key_holds_what_its_template_asks_for() -> None:
    ferritin = {"resourceType": "Observation", "code": concept("http://loinc.org", "2276-4")}
    other = {"resourceType": "Observation", "code": concept("http://loinc.org", "8302-2")}
    resources = [
        hydrochlorothiazide(id="active"),
        hydrochlorothiazide(id="stopped", status="stopped"),
        ferritin | {"id": "ferritin"},
        other | {"id": "height"},
        visit(id="old", period={"start": "2019-01-01"}),
        visit(id="new"),
    ]
    (chart,) = charts_of(encoded(bundle(patient(), *resources)))
    assert sent(chart, "medicationRequests") == ["active"]
    assert sent(chart, "ironResults") == ["ferritin"]
    assert sent(chart, "encounter") == ["new"]
    assert sent(chart, "procedures") == []


def test_values_are_taken_out_of_reasons() -> None:
    assert impersonal("lab.hba1c: Result '<75 ng/mL' cannot be compared with 50 ng/mL.") == (
        "lab.hba1c: Result '...' cannot be compared with # ng/mL."
    )


def test_files_named_are_read_whatever_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "export.txt").write_text(json.dumps(bundle(patient())))
    (tmp_path / "more.json").write_text("{}")
    assert chart_files([tmp_path / "export.txt"]) == [tmp_path / "export.txt"]
    assert chart_files([tmp_path, tmp_path / "more.json"]) == [tmp_path / "more.json"]
    assert not isinstance(read_charts(tmp_path / "export.txt"), str)
