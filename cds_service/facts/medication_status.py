"""Whether a medication entry is in use (clinical section 2.1), and when it was given."""

from datetime import date
from typing import Any, NamedTuple

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.fhir import codes, is_true, objects, string
from cds_service.terminology.statuses import Statuses

# Proposals and options are not orders; `plan` is how US Core writes a reported medication.
_NOT_ORDERED = ("proposal", "option")
_NOT_TAKING = frozenset({"not-taking", "not-taken", "stopped", "on-hold", "never", "n"})
_REQUEST_DATES = ("authoredOn", "dateWritten")
_OTHER_DATES = ("effective", "occurence", "occurrence", "effectiveTime")  # R5 ballots misspelt one
_DISPENSE_DATES = ("whenHandedOver", "whenPrepared")
_LONGEST_SUPPLY = 366  # days; a longer one is a mistyped number


# All that FHIR has, of any release. "unknown" is no status that is understood.
_STATUSES = frozenset(
    {"active", "on-hold", "ended", "stopped", "completed", "cancelled", "entered-in-error", "draft"}
    | {"intended", "recorded", "not-taken", "in-progress", "not-done", "preparation", "declined"}
    | {"suspended", "rejected", "proposed", "planned"}
)
_TAKEN = "?"  # stands for the status by which an entry of its kind would count
_AS_TAKEN = {"MedicationAdministration": "completed", "MedicationDispense": "completed"}


class Usage(NamedTuple):
    """When an entry says that the drug was ordered or taken, and whether it is in use."""

    when: dates.When | None
    active: bool | None  # None: its status is missing or not understood


class Spans(NamedTuple):
    """For how many days an entry counts that says no end; None without a limit."""

    written: int | None  # a request
    handed_over: int | None  # what a pharmacy dispensed
    given: int | None  # a dose that was administered


def usage_of(resource: Resource, today: date, spans: Spans, words: Statuses) -> Usage:
    """When and whether the drug is taken. `words` are those that stand for a status."""
    when = recorded(resource, today)
    return Usage(when, _is_active(resource, when, today, spans, words))


def _is_active(
    resource: Resource, when: dates.When | None, today: date, spans: Spans, words: Statuses
) -> bool | None:
    """Whether the drug counts as being taken; None where no status that is understood says so.

    What is over for another reason (its period, "not taken") is over whatever the status.
    """
    status = string(resource.get("status")).lower()
    stands_for = words.medications.get(status, "")
    if stands_for or status in _STATUSES:
        return _holds(resource, stands_for or status, when, today, spans)
    return None if _holds(resource, _TAKEN, when, today, spans) else False


def _holds(
    resource: Resource, status: str, when: dates.When | None, today: date, spans: Spans
) -> bool:
    if status == _TAKEN:
        status = _AS_TAKEN.get(str(resource.get("resourceType")), "active")
    match resource.get("resourceType"):
        case "MedicationStatement" | "MedicationUsage":
            return _statement_active(resource, status, today)
        case "MedicationAdministration":
            return _administered(resource, status, when, today, spans.given)
        case "MedicationDispense":
            return _dispensed(resource, status, when, today, spans.handed_over)
    return status == "active" and _request_holds(resource, when, today, spans.written)


def _administered(
    resource: Resource, status: str, when: dates.When | None, today: date, span: int | None
) -> bool:
    """Whether a dose is being given now, or one that was given is recent."""
    if is_true(resource.get("wasNotGiven")) or is_true(resource.get("notGiven")):
        return False
    return status == "in-progress" or (status == "completed" and _within(when, today, span))


def _dispensed(
    resource: Resource, status: str, when: dates.When | None, today: date, span: int | None
) -> bool:
    """Whether what was handed over is recent, or lasts until today."""
    if status not in ("completed", "in-progress"):
        return False
    supply = resource.get("daysSupply")
    days = supply.get("value") if isinstance(supply, dict) else None
    lasts = days if isinstance(days, int | float) and 0 < days <= _LONGEST_SUPPLY else 0
    return _within(when, today, span) or _within(when, today, int(lasts))


def _within(when: dates.When | None, today: date, span: int | None) -> bool:
    return when is not None and span is not None and dates.inside(when.day, today, span)


def _statement_active(resource: Resource, status: str, today: date) -> bool:
    if status not in ("active", "intended", "recorded"):  # "recorded" is R5's
        return False
    if is_true(resource.get("wasNotTaken")) or codes(resource.get("taken")) & _NOT_TAKING:
        return False
    adherence = resource.get("adherence")
    if isinstance(adherence, dict) and codes(adherence.get("code")) & _NOT_TAKING:
        return False
    period = resource.get("effectivePeriod")
    return not (isinstance(period, dict) and dates.has_ended(period.get("end"), today))


def _request_holds(
    resource: Resource, written: dates.When | None, today: date, span: int | None
) -> bool:
    if is_true(resource.get("doNotPerform")):
        return False
    if string(resource.get("intent")).lower() in _NOT_ORDERED:
        return False
    ends = _ends(resource)
    if ends:
        return max(ends) >= today
    return written is None or span is None or dates.age_in_days(written.day, today) <= span


def _ends(resource: Resource) -> list[date]:
    """Ends of the prescription's validity, else of the dosage where each instruction has one. How
    much may be dispensed (expectedSupplyDuration, repeats) says nothing of when it is taken."""
    ends: list[date] = []
    dispense = resource.get("dispenseRequest")
    if isinstance(dispense, dict) and isinstance(dispense.get("validityPeriod"), dict):
        end = dates.latest_day(dispense["validityPeriod"].get("end"))
        if end is not None:
            return [end]
    for dosage in objects(resource.get("dosageInstruction")):
        end = dates.latest_day(_bounds(dosage).get("end"))
        if end is None:
            return []
        ends.append(end)
    return ends


def _bounds(dosage: Resource) -> Resource:
    value: Any = dosage
    for key in ("timing", "repeat", "boundsPeriod"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def recorded(resource: Resource, today: date) -> dates.When | None:
    """When a request was written, a drug handed over, or the drug was taken by what is said."""
    for key in (*_REQUEST_DATES, *_DISPENSE_DATES):
        when = dates.parse(resource.get(key), today)
        if when is not None:
            return when
    for key in _OTHER_DATES:
        when = dates.parse(resource.get(f"{key}DateTime"), today)
        when = when or dates.period(resource.get(f"{key}Period"), today)
        if when is not None:
            return when
    return dates.parse(resource.get("dateAsserted"), today)


def was_given(resource: Resource) -> bool:
    """Whether the entry says that the drug was administered or the course was completed."""
    if is_true(resource.get("doNotPerform")) or is_true(resource.get("wasNotGiven")):
        return False
    return string(resource.get("status")).lower() in ("completed", "in-progress")
