"""Single Conditions: status, certainty, dates; as R4, STU3 and DSTU2 write them."""

from datetime import date
from typing import NamedTuple

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.fhir import codes, reference_of

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_ENDED = frozenset({"inactive", "remission", "resolved"})
_RECORDED = ("recordedDate", "assertedDate", "dateRecorded")  # R4, STU3, DSTU2
_ABATEMENTS = ("abatementDateTime", "abatementAge", "abatementPeriod", "abatementRange")


class Dates(NamedTuple):
    """When a Condition was recorded and when it began; the later of the two dates it."""

    recorded: dates.When | None
    onset: dates.When | None

    @property
    def latest(self) -> dates.When | None:
        """The later date: a Condition recorded or begun inside a look-back is inside."""
        if self.recorded is None or self.onset is None:
            return self.recorded or self.onset
        return self.onset if self.onset.day > self.recorded.day else self.recorded


class Diagnosis(NamedTuple):
    """One Condition as read. `active`: its clinical status; `when`: the later of its dates."""

    reference: str
    verification: str
    active: bool
    encounter_only: bool
    when: dates.When | None


def diagnosis_of(resource: Resource, today: date) -> Diagnosis:
    """All that facts ask of a Condition beside its codes and its place on the body."""
    return Diagnosis(
        reference_of(resource),
        verification_of(resource),
        is_active(resource, today),
        encounter_only(resource),
        dates_of(resource, today).latest,
    )


def verification_of(resource: Resource) -> str:
    """ "confirmed" (also where it is missing), "suspected", "refuted", or "" for an error entry."""
    said = codes(resource.get("verificationStatus"))
    if not said or "confirmed" in said:
        return "confirmed"
    if "entered-in-error" in said:
        return ""
    return "refuted" if "refuted" in said else "suspected"


def is_active(resource: Resource, today: date) -> bool:
    """Whether the problem is current. Without a status it is, unless it has abated."""
    said = codes(resource.get("clinicalStatus"))
    if said & _ACTIVE:
        return True
    if said & _ENDED:
        return False
    return not has_abated(resource, today)


def has_abated(resource: Resource, today: date) -> bool:
    """Whether any form of abatement says that the problem is over."""
    when = dates.latest_day(resource.get("abatementDateTime"))
    if when is not None and when > today:
        return False
    if any(resource.get(key) for key in _ABATEMENTS):
        return True
    text = resource.get("abatementString")
    return bool(isinstance(text, str) and text) or resource.get("abatementBoolean") is True


def dates_of(resource: Resource, today: date) -> Dates:
    """The dates a Condition carries. An onset as an age or in words is no date."""
    recorded = onset = None
    for key in _RECORDED:
        recorded = recorded or dates.parse(resource.get(key), today)
    if "onsetDateTime" in resource:
        onset = dates.parse(resource["onsetDateTime"], today)
    if onset is None and isinstance(period := resource.get("onsetPeriod"), dict):
        onset = dates.parse(period.get("start"), today)
    return Dates(_past(recorded, today), _past(onset, today))


def _past(when: dates.When | None, today: date) -> dates.When | None:
    return None if when is None or dates.is_future(when.day, today) else when


def encounter_only(resource: Resource) -> bool:
    """Whether the Condition is a diagnosis of some encounter and not on the problem list."""
    said = codes(resource.get("category"))
    return "encounter-diagnosis" in said and "problem-list-item" not in said
