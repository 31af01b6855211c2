"""A patient's FHIR Bundle as the calls that an EHR would make when it opens that chart.

Each prefetch key gets what its template asks for: resources of the type, with the template's
`status` and `code`. The chart is opened at its last visit, unless a moment is given, so that old
records are not all out of date.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cds_service.facts.chart import Resource
from cds_service.gather.subject import Subject
from cds_service.protocol.entries import Entry
from cds_service.protocol.entries import entry as sent
from cds_service.protocol.model import DraftOrder, HookRequest
from cds_service.protocol.raw import NULL, Raw, encoded
from cds_service.rules.model import ServiceDefinition
from cds_service.terminology.codings import codings

Json = Any
_INSTANCE = "00000000-0000-4000-8000-000000000000"
_DATES = ("authoredOn", "effectiveDateTime", "recordedDate", "issued", "authored", "onsetDateTime")
_PERIODS = ("period", "effectivePeriod", "performedPeriod")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OTHERS = (
    "Medication", "MedicationAdministration", "MedicationDispense", "QuestionnaireResponse",
    "DiagnosticReport",
)  # fmt: skip


class PatientChart:
    """One patient's part of a Bundle, as Bundle entries; sorted by type and by code only once.

    An entry that has its resource as JSON already carries it as "line".
    """

    def __init__(
        self,
        patient_id: str,
        entries: Sequence[Mapping[str, Json]],
        encounter: Resource | None = None,
    ) -> None:
        """`encounter` is the visit at which the chart is opened, by default the last one."""
        self.patient_id = patient_id
        self.entries = entries
        self.encounter = encounter
        self._codes: dict[int, frozenset[tuple[str, str]]] = {}  # by identity of the resource
        self._asked: dict[str, Sequence[Mapping[str, Json]]] = {}  # by template
        self._answers: dict[str, Raw] = {}  # by template: services share them

    def opened(
        self, entries: Sequence[Mapping[str, Json]], encounter: Resource | None
    ) -> "PatientChart":
        """A part of this chart, opened at an encounter; what is known of codes is shared."""
        part = PatientChart(self.patient_id, entries, encounter)
        part._codes = self._codes
        return part

    def opened_at(self) -> datetime | None:
        """The end of the day of the last visit, else of the newest entry; None without a date."""
        visits = [_day(r) for r in self.resources("Encounter")]
        newest = max(visits, default="") or max(map(_day, self.resources()), default="")
        if not newest:
            return None
        return datetime.combine(date.fromisoformat(newest), time(23, 59), UTC)

    def resources(self, kind: str = "") -> Iterator[Resource]:
        """The resources, or those of one type."""
        for entry in self.of_type(kind) if kind else self.entries:
            yield entry["resource"]

    def of_type(self, kind: str) -> Sequence[Mapping[str, Json]]:
        """The entries whose resource is of one type."""
        return self._by_type.get(kind, ())

    def asked(self, template: str) -> Sequence[Mapping[str, Json]]:
        """The entries that a prefetch template asks for."""
        if template not in self._asked:
            self._asked[template] = list(_matches(self, query_of(template)))
        return self._asked[template]

    def answer(self, template: str) -> Raw:
        """What an EHR would send for a prefetch template."""
        if template not in self._answers:
            entries, query = self.asked(template), query_of(template)
            single = query.instance or query.kind == "Patient"
            self._answers[template] = _single(entries) if single else _bundle(entries)
        return self._answers[template]

    @cached_property
    def others(self) -> Raw | None:
        """What no template asks for and a call may carry all the same; None without any."""
        entries = [entry for kind in _OTHERS for entry in self.of_type(kind)]
        return _bundle(entries) if entries else None

    def codes(self, resource: Resource) -> frozenset[tuple[str, str]]:
        """System and code of each coding of a resource's `code`."""
        known = self._codes.get(id(resource))
        if known is None:
            known = frozenset((system, code) for system, code, _ in codings(resource.get("code")))
            self._codes[id(resource)] = known
        return known

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        by_type: dict[str, list[Mapping[str, Json]]] = {}
        for entry in self.entries:
            by_type.setdefault(str(entry["resource"].get("resourceType")), []).append(entry)
        return by_type


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


def request_for(
    service: ServiceDefinition, chart: PatientChart, drafts: tuple[DraftOrder, ...] | None = None
) -> HookRequest:
    """The call for a service. For order hooks every active order of the chart is a draft, unless
    `drafts` are given."""
    prefetch = {key: chart.answer(template) for key, template in service.prefetch.items()}
    if chart.others is not None:
        prefetch["others"] = chart.others
    if drafts is None:
        drafts = () if service.hook == "patient-view" else tuple(_drafts(service, chart, prefetch))
    return HookRequest(
        hook=service.hook,
        hook_instance=_INSTANCE,
        patient_id=chart.patient_id,
        user_id="Practitioner/stats",
        prefetch=prefetch,
        drafts=drafts,
    )


class Query(NamedTuple):
    """A prefetch template, read. None: any status, any code."""

    kind: str
    instance: bool
    statuses: frozenset[str] | None
    codes: frozenset[tuple[str, str]] | None


@lru_cache(maxsize=256)
def query_of(template: str) -> Query:
    """What a prefetch template asks for."""
    parts = urlsplit(template)
    kind, _, instance = parts.path.partition("/")
    asked = parse_qs(parts.query)
    statuses = frozenset(asked["status"][0].split(",")) if "status" in asked else None
    codes = None
    if "code" in asked:
        pairs = (one.rpartition("|") for one in asked["code"][0].split(","))
        codes = frozenset((system, code) for system, _, code in pairs)
    return Query(kind, bool(instance), statuses, codes)


def _matches(chart: PatientChart, query: Query) -> Iterator[Mapping[str, Json]]:
    entries = chart.of_type(query.kind)
    if query.kind == "Patient":
        yield next(e for e in entries if e["resource"].get("id") == chart.patient_id)
    elif query.instance and chart.encounter is not None:  # Encounter/{{context.encounterId}}
        yield {"resource": chart.encounter}
    elif query.instance:
        yield from sorted(entries, key=lambda e: _day(e["resource"]), reverse=True)[:1]
    else:
        yield from (entry for entry in entries if _asked_for(chart, entry["resource"], query))


def _asked_for(chart: PatientChart, resource: Resource, query: Query) -> bool:
    if query.statuses is not None and resource.get("status") not in query.statuses:
        return False
    return query.codes is None or not query.codes.isdisjoint(chart.codes(resource))


def _drafts(
    service: ServiceDefinition, chart: PatientChart, prefetch: dict[str, Raw]
) -> Iterator[DraftOrder]:
    """Take the active orders out of the chart and give them as drafts."""
    for key in ("medicationRequests", "serviceRequests"):
        if key not in prefetch:
            continue
        for entry in chart.asked(service.prefetch[key]):
            resource = entry["resource"]
            reference = f"{resource['resourceType']}/{resource.get('id', '')}"
            yield DraftOrder({**resource, "status": "draft"}, reference, selected=True)
        prefetch[key] = _bundle(())


def _single(entries: Sequence[Mapping[str, Json]]) -> Raw:
    return Raw(_line(entries[0])) if entries else NULL


def _bundle(entries: Iterable[Mapping[str, Json]]) -> Raw:
    parts = b",".join(map(_element, entries))
    return Raw(b'{"resourceType":"Bundle","type":"searchset","entry":[' + parts + b"]}")


def _element(entry: Mapping[str, Json]) -> bytes:
    url = entry.get("fullUrl")
    named = b'"fullUrl":' + bytes(encoded(url)) + b"," if url else b""
    return b"{" + named + b'"resource":' + _line(entry) + b"}"


def _line(entry: Mapping[str, Json]) -> bytes:
    return entry.get("line") or bytes(encoded(entry["resource"]))


def _day(resource: Resource) -> str:
    """The day of an entry, "2024-05-17"; "" where it has none."""
    found = [resource.get(name) for name in _DATES]
    for name in _PERIODS:
        period = resource.get(name)
        found.append(period.get("start") if isinstance(period, dict) else None)
    days = [value[:10] for value in found if isinstance(value, str) and _is_day(value[:10])]
    return max(days, default="")


def _is_day(text: str) -> bool:
    if _DAY.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
