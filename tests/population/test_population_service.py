"""A run's rows are what the running service answers: encounters of a sample are sent to it as an
EHR would, with prefetch put together here from the templates that discovery names.

CDS_POPULATION_SAMPLE says how many encounters (200 by hand); by default 20.
"""

import json
import os
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.population import local
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.rows import CALL
from cds_service.population.source import source_files
from tests.support.large_export import patient
from tests.support.population import ICD10, write_export
from tests.support.server import serving

Json = dict[str, Any]
SAMPLE = int(os.environ.get("CDS_POPULATION_SAMPLE", "20"))
VISIT = "2021-03-01T08:00:00Z"  # of all the project's own charts
SALT = "a salt for tests"
ROOT = Path(__file__).parent.parent.parent
DATES = (
    "recordedDate issued authoredOn dateAsserted effectiveDateTime effectivePeriod "
    "performedDateTime performedPeriod onsetDateTime period"
)


@pytest.fixture(scope="module")
def charts() -> list[list[Json]]:
    """Charts with a visit at VISIT: every tenth. Half of them record leg cramps too, so that the
    order of a diuretic has something to be asked about."""
    patients = [patient(10 * number) for number in range(SAMPLE)]
    return [
        [*resources, cramp(resources)] if number % 2 else resources
        for number, resources in enumerate(patients)
    ]


@pytest.fixture(scope="module")
def rows(charts: list[list[Json]], tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Of the calls at VISIT, as a run judges them."""
    place = tmp_path_factory.mktemp("sample")
    source = write_export(place / "export", [resource for chart in charts for resource in chart])
    folder = RunFolder(place / "run")
    folder.open({}, again=False)
    plan = RunPlan(hooks=str(ROOT / "hooks"), salt=SALT)
    local.run(source_files([str(source)]), plan, folder, 1, lambda stage, done, total: None)
    return [row for table in folder.tables(CALL) for row in table.to_pylist()]


def test_the_service_answers_what_the_run_says(
    charts: list[list[Json]],
    rows: list[Json],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CDS_SITE_DIR", raising=False)
    with serving(tmp_path, CDS_NOW=VISIT) as address:
        services = fetched(f"{address}/cds-services")["services"]
        answers = {
            (hashed(visit_of(chart)["id"]), service["id"]): cards(
                fetched(f"{address}/cds-services/{service['id']}", call(chart, service))
            )
            for chart in charts
            for service in services
            if service["hook"] in ("patient-view", "order-sign")
        }
    run = {
        (row["encounter"], row["service"]): (row["cards"], row["indicator"] or "")
        for row in rows
        if (row["encounter"], row["service"]) in answers
    }
    assert run == answers
    for hook in ("patient-view", "order-sign"):
        assert sum(number for (_, name), (number, _) in answers.items() if hook in name), hook


def cramp(chart: list[Json]) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"cramp-{person(chart)['id']}",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": ICD10, "code": "G47.62"}]},
        "recordedDate": "2021-02-20",
        "subject": {"reference": f"Patient/{person(chart)['id']}"},
    }


def person(chart: list[Json]) -> Json:
    return next(resource for resource in chart if resource["resourceType"] == "Patient")


def call(chart: list[Json], service: Json) -> Json:
    """The request of an EHR that opens the chart at VISIT, or signs the visit's orders there."""
    visit = visit_of(chart)
    known = [resource for resource in chart if recorded(resource) <= moment(VISIT)]
    signed = [
        resource
        for resource in known
        if ends(resource.get("encounter"), visit["id"]) and order(resource)
    ]
    # Not yet, when the chart is opened.
    known = [resource for resource in known if resource not in signed]
    medications = [resource for resource in chart if resource["resourceType"] == "Medication"]
    context: Json = {
        "userId": "Practitioner/d1",
        "patientId": person(chart)["id"],
        "encounterId": visit["id"],
    }
    if service["hook"] == "order-sign":
        drafts = [{"resource": {**resource, "status": "draft"}} for resource in signed]
        drafts += referred(drafts, medications)
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": drafts}
    return {
        "hook": service["hook"],
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "context": context,
        "prefetch": {
            key: answered(template, known, visit, medications)
            for key, template in service["prefetch"].items()
        },
    }


def answered(template: str, known: list[Json], visit: Json, medications: list[Json]) -> Json:
    """What a FHIR server gives for a prefetch template."""
    parts = urlsplit(template)
    kind, _, instance = parts.path.partition("/")
    if kind == "Encounter" and instance:
        return visit
    of_kind = [resource for resource in known if resource["resourceType"] == kind]
    if instance:
        return of_kind[0]
    asked = parse_qs(parts.query)
    statuses = asked.get("status", [""])[0].split(",")
    codes = set(asked["code"][0].split(",")) if "code" in asked else None
    entries = [
        {"resource": resource}
        for resource in of_kind
        if (statuses == [""] or resource.get("status") in statuses)
        and (codes is None or codes & set(coded(resource)))
    ]
    entries += [
        {**entry, "search": {"mode": "include"}} for entry in referred(entries, medications)
    ]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def referred(entries: list[Json], medications: list[Json]) -> list[Json]:
    """The entries of the drugs that entries refer to."""
    named = [entry["resource"].get("medicationReference") for entry in entries]
    return [
        {"resource": resource}
        for resource in medications
        if any(ends(reference, resource["id"]) for reference in named)
    ]


def coded(resource: Json) -> Iterator[str]:
    for coding in resource.get("code", {}).get("coding", ()):
        yield f"{coding.get('system')}|{coding.get('code')}"


def order(resource: Json) -> bool:
    return resource["resourceType"] in ("MedicationRequest", "ServiceRequest")


def visit_of(chart: list[Json]) -> Json:
    """The encounter at VISIT."""
    return next(
        resource
        for resource in chart
        if resource["resourceType"] == "Encounter"
        and resource.get("period", {}).get("start") == VISIT
    )


def ends(reference: Any, identifier: str) -> bool:
    return isinstance(reference, dict) and reference.get("reference", "").endswith(f"/{identifier}")


def recorded(resource: Json) -> datetime:
    """When an entry came into the chart; what has no date was always there."""
    for name in DATES.split():
        value = resource.get(name)
        text = value.get("start") if isinstance(value, dict) else value
        if isinstance(text, str) and len(text) >= 10:
            return moment(text)
    return datetime.min.replace(tzinfo=UTC)


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def cards(answer: Json) -> tuple[int, str]:
    """How many cards, and the strongest indicator."""
    indicators = [card["indicator"] for card in answer["cards"]]
    ranks = ("info", "warning", "critical")
    return len(indicators), max(indicators, key=ranks.index, default="")


def hashed(name: str) -> str:
    return blake2b(name.encode(), key=SALT.encode(), digest_size=10).hexdigest()


def fetched(address: str, body: Json | None = None) -> Any:
    content = json.dumps(body).encode() if body else None
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
