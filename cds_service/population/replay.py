"""A patient's chart as it stood at each encounter: what had been recorded by then, nothing later.

The status of an entry is that of the export: a drug that was stopped since is not seen as active
at an encounter before. What has no date is taken as always there.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property, partial
from typing import Any

from cds_service.facts.chart import Resource
from cds_service.population.chart_calls import PatientChart
from cds_service.protocol.identity import without_version

Json = Any
Entry = Mapping[str, Json]

_MOMENTS = {
    "Condition": ("recordedDate", "onsetDateTime", "onsetPeriod"),
    "Observation": ("issued", "effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    "DiagnosticReport": ("issued", "effectiveDateTime", "effectivePeriod"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("dateAsserted", "effectiveDateTime", "effectivePeriod"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "ServiceRequest": ("authoredOn",),
    "QuestionnaireResponse": ("authored",),
    "Encounter": ("period",),
}
_ORDERS = ("MedicationRequest", "ServiceRequest")
_NOT_HELD = ("planned", "cancelled", "entered-in-error")
_NEVER_SIGNED = ("draft", "entered-in-error", "cancelled")


@dataclass(frozen=True)
class Moment:
    """One opening of a chart, with the orders that were signed at that encounter.

    `open` gives the chart as it stood; it is put together only for who looks.
    """

    at: datetime
    open: Callable[[], PatientChart]
    encounter: Resource | None = None
    orders: tuple[Resource, ...] = ()

    @cached_property
    def chart(self) -> PatientChart:
        """The chart at this moment."""
        return self.open()


def last(chart: PatientChart) -> Moment | None:
    """The chart opened once, at its last visit; None where nothing in it has a date."""
    at = chart.opened_at()
    if at is None:
        return None
    visits = [v for v in chart.resources("Encounter") if recorded_at(v) is not None]
    visit = max(visits, key=lambda v: recorded_at(v) or at, default=None)
    return Moment(at, partial(chart.opened, chart.entries, visit), visit)


def encounters(chart: PatientChart) -> list[Moment]:
    """The chart at each encounter that took place, in order of time."""
    timeline = _Timeline(chart.entries)
    held = [v for v in chart.resources("Encounter") if v.get("status") not in _NOT_HELD]
    dated = [(at, visit) for visit in held if (at := recorded_at(visit)) is not None]
    orders = _orders_by_encounter(chart)
    moments = []
    for at, visit in sorted(dated, key=lambda pair: pair[0]):
        signed = tuple(orders.get(str(visit.get("id") or ""), ()))
        moments.append(
            Moment(at, partial(_opened, chart, timeline, at, visit, signed), visit, signed)
        )
    return moments


def _opened(
    chart: PatientChart,
    timeline: "_Timeline",
    at: datetime,
    visit: Resource,
    signed: Sequence[Resource],
) -> PatientChart:
    """The chart as it stood before the orders of the encounter were signed."""
    before = timeline.until(at)
    if signed:
        own = set(map(id, signed))
        before = [entry for entry in before if id(entry["resource"]) not in own]
    return chart.opened(before, visit)


def recorded_at(resource: Resource) -> datetime | None:
    """When an entry came into the chart; a day counts from its end if it is an encounter's."""
    kind = resource.get("resourceType")
    for name in _MOMENTS.get(str(kind), ()):
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("start")
        moment = _moment(value, end_of_day=kind == "Encounter")
        if moment is not None:
            return moment
    return None


class _Timeline:
    """Entries in the order in which they were recorded, those without a date first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        beginning = datetime.min.replace(tzinfo=UTC)
        dated = [(recorded_at(entry["resource"]) or beginning, entry) for entry in entries]
        dated.sort(key=lambda pair: pair[0])
        self._moments = [moment for moment, _ in dated]
        self._entries = [entry for _, entry in dated]

    def until(self, at: datetime) -> list[Entry]:
        return self._entries[: bisect_right(self._moments, at)]


def _orders_by_encounter(chart: PatientChart) -> dict[str, list[Resource]]:
    orders: dict[str, list[Resource]] = {}
    for kind in _ORDERS:
        for resource in chart.resources(kind):
            encounter = resource.get("encounter")
            reference = encounter.get("reference") if isinstance(encounter, dict) else None
            if isinstance(reference, str) and resource.get("status") not in _NEVER_SIGNED:
                orders.setdefault(last_part(reference), []).append(resource)
    return orders


def last_part(reference: str) -> str:
    """The id in a reference: relative, absolute, with a version, or a URN."""
    return without_version(reference).replace(":", "/").rpartition("/")[2]


def _moment(value: Json, *, end_of_day: bool) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            return datetime.combine(
                date.fromisoformat(value), time(23, 59) if end_of_day else time(), UTC
            )
        moment = datetime.fromisoformat(value) if len(value) > 10 else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
