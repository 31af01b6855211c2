"""When an entry came into a chart, and the day that it is of."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from cds_service.protocol.entries import Resource

Json = Any
BEGINNING = datetime.min.replace(tzinfo=UTC)  # of what has no date: it was always there

_MOMENTS: Mapping[str, tuple[str, ...]] = {
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
_DATES = ("authoredOn", "effectiveDateTime", "recordedDate", "issued", "authored", "onsetDateTime")
_PERIODS = ("period", "effectivePeriod", "performedPeriod")
_MOST_DAYS = 50_000  # remembered: a century and more
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def day_of(resource: Resource) -> str:
    """The newest day that an entry names, "2024-05-17"; "" where it has none."""
    dates = [resource.get(name) for name in _DATES]
    for name in _PERIODS:
        period = resource.get(name)
        dates.append(period.get("start") if isinstance(period, dict) else None)
    days = [value[:10] for value in dates if isinstance(value, str) and _is_day(value[:10])]
    return max(days, default="")


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


@lru_cache(maxsize=_MOST_DAYS)
def _is_day(text: str) -> bool:
    if _DAY.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
