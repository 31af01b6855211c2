"""A patient's FHIR Bundle as the calls that an EHR would make when it opens that chart.

Each prefetch key gets what its template asks for: resources of the type, with the template's
`status` and `code`. The chart is opened at its last visit, unless a moment is given, so that old
records are not all out of date.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cds_service.facts.chart import Resource
from cds_service.gather.subject import Subject
from cds_service.protocol.entries import Entry
from cds_service.protocol.entries import entry as sent
from cds_service.protocol.model import DraftOrder, HookRequest
from cds_service.protocol.raw import encoded
from cds_service.rules.model import ServiceDefinition
from cds_service.terminology.codings import codings

Json = Any
_INSTANCE = "00000000-0000-4000-8000-000000000000"
_DATES = ("authoredOn", "effectiveDateTime", "recordedDate", "issued", "authored", "onsetDateTime")
_PERIODS = ("period", "effectivePeriod", "performedPeriod")
_OTHERS = (
    "Medication", "MedicationAdministration", "MedicationDispense", "QuestionnaireResponse",
    "DiagnosticReport",
)  # fmt: skip


@dataclass(frozen=True)
class PatientChart:
    """One patient's part of a Bundle, as Bundle entries."""

    patient_id: str
    entries: Sequence[Mapping[str, Json]]

    def opened_at(self) -> datetime | None:
        """The end of the day of the last visit, else of the newest entry; None without a date."""
        visits = [_day(r) for r in self.resources("Encounter")]
        newest = max(visits, default="") or max(map(_day, self.resources()), default="")
        if not newest:
            return None
        return datetime.combine(datetime.fromisoformat(newest).date(), time(23, 59), UTC)

    def resources(self, kind: str = "") -> Iterator[Resource]:
        """The resources, or those of one type."""
        for entry in self.entries:
            resource = entry["resource"]
            if not kind or resource.get("resourceType") == kind:
                yield resource


def charts_of(bundle: Json) -> list[PatientChart]:
    """A chart for each Patient with an id in a Bundle; none for anything else."""
    found = bundle.get("entry") if isinstance(bundle, dict) else None
    entries = [
        entry
        for entry in (found if isinstance(found, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]
    patients = [e for e in entries if e["resource"].get("resourceType") == "Patient"]
    people = {str(e.get("fullUrl")): sent(e["resource"]) for e in patients}
    ids = [e["resource"].get("id") for e in patients]
    return [_chart(name, entries, people) for name in ids if isinstance(name, str) and name]


def _chart(
    patient_id: str, entries: Sequence[Mapping[str, Json]], people: Mapping[str, Entry]
) -> PatientChart:
    subject = Subject(patient_id, people)
    return PatientChart(patient_id, [e for e in entries if _owned(subject, e["resource"])])


def _owned(subject: Subject, resource: Resource) -> bool:
    return bool(resource.get("resourceType")) and subject.owns(sent(resource))


def request_for(service: ServiceDefinition, chart: PatientChart) -> HookRequest:
    """The call for a service. For order hooks every active order of the chart is a draft."""
    prefetch = {key: _answer(chart, template) for key, template in service.prefetch.items()}
    others = [entry for entry in chart.entries if entry["resource"].get("resourceType") in _OTHERS]
    if others:
        prefetch["others"] = _bundle(others)
    drafts: tuple[DraftOrder, ...] = ()
    if service.hook != "patient-view":
        drafts = tuple(_drafts(prefetch))
    return HookRequest(
        hook=service.hook,
        hook_instance=_INSTANCE,
        patient_id=chart.patient_id,
        user_id="Practitioner/stats",
        prefetch={key: encoded(value) for key, value in prefetch.items()},
        drafts=drafts,
    )


def _answer(chart: PatientChart, template: str) -> Json:
    parts = urlsplit(template)
    kind, _, instance = parts.path.partition("/")
    found = [entry for entry in chart.entries if entry["resource"].get("resourceType") == kind]
    if kind == "Patient":
        return next(e["resource"] for e in found if e["resource"].get("id") == chart.patient_id)
    if instance:  # Encounter/{{context.encounterId}}: the last visit
        return max((entry["resource"] for entry in found), key=_day, default=None)
    query = parse_qs(parts.query)
    return _bundle(entry for entry in found if _asked_for(entry["resource"], query))


def _asked_for(resource: Resource, query: Mapping[str, Sequence[str]]) -> bool:
    if "status" in query and resource.get("status") not in query["status"][0].split(","):
        return False
    if "code" not in query:
        return True
    wanted = set(query["code"][0].split(","))
    return any(f"{system}|{code}" in wanted for system, code, _ in codings(resource.get("code")))


def _drafts(prefetch: dict[str, Json]) -> Iterator[DraftOrder]:
    """Take the active orders out of the chart and give them as drafts."""
    for key in ("medicationRequests", "serviceRequests"):
        if key not in prefetch:
            continue
        for entry in prefetch[key]["entry"]:
            resource = entry["resource"]
            reference = f"{resource['resourceType']}/{resource.get('id', '')}"
            yield DraftOrder({**resource, "status": "draft"}, reference, selected=True)
        prefetch[key] = _bundle(())


def _bundle(entries: Iterable[Mapping[str, Json]]) -> Json:
    kept = [
        {key: entry[key] for key in ("fullUrl", "resource") if key in entry} for entry in entries
    ]
    return {"resourceType": "Bundle", "type": "searchset", "entry": kept}


def _day(resource: Resource) -> str:
    """The day of an entry, "2024-05-17"; "" where it has none."""
    found = [resource.get(name) for name in _DATES]
    for name in _PERIODS:
        period = resource.get(name)
        found.append(period.get("start") if isinstance(period, dict) else None)
    days = [value[:10] for value in found if isinstance(value, str) and _is_day(value[:10])]
    return max(days, default="")


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return True
