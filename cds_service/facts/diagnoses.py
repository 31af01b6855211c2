"""Single Conditions: status, certainty, dates; as R4, STU3 and DSTU2 write them.

A status in words is read by the words of `statuses.json`.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.fhir import codes, objects, reference_of, string
from cds_service.terminology.codings import names_of
from cds_service.terminology.statuses import Statuses

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_ENDED = frozenset({"inactive", "remission", "resolved"})
_WORD = re.compile("[a-z\u00df-\u024f]+")
_RECORDED = ("recordedDate", "assertedDate", "dateRecorded")  # R4, STU3, DSTU2
# How sure a diagnosis is in ICD-10-GM, as an extension of the coding (de.basisprofil.r4) or as a
# code of the status (KBV): A excluded, V suspected, Z a state after it, G certain.
_CERTAINTY = "fhir.de/structuredefinition/icd-10-gm-diagnosesicherheit"
_CERTAINTY_CODES = "kbv_cs_sfhir_icd_diagnosesicherheit"
_EXCLUDED, _SUSPECTED, _STATE_AFTER = "A", "V", "Z"
# Of R4, STU3 and DSTU2; where one of them is sent, no words are looked at.
_VERIFICATIONS = frozenset(
    {"confirmed", "provisional", "differential", "unconfirmed", "refuted", "entered-in-error"}
)
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
    """One Condition as read. `active`: its clinical status, None where it is not understood;
    `when`: the later of its dates.
    """

    reference: str
    verification: str
    active: bool | None
    encounter_only: bool
    when: dates.When | None


def diagnosis_of(resource: Resource, today: date, words: Statuses) -> Diagnosis:
    """All that facts ask of a Condition beside its codes and its place on the body."""
    return Diagnosis(
        reference_of(resource),
        verification_of(resource, words),
        is_active(resource, today, words),
        encounter_only(resource),
        dates_of(resource, today).latest,
    )


def verification_of(resource: Resource, words: Statuses) -> str:
    """ "confirmed" (also where it is missing), "suspected", "refuted", or "" for an error entry."""
    status = resource.get("verificationStatus")
    certainty, given = _certainty(resource), codes(status)
    if _EXCLUDED in certainty:
        return "refuted"
    if not given.isdisjoint(_VERIFICATIONS):
        return _verification_by(given, words)
    if certainty:
        return "suspected" if _SUSPECTED in certainty else "confirmed"
    given |= _words(status)
    return _verification_by(given, words) if given else "confirmed"


def _verification_by(given: set[str], words: Statuses) -> str:
    """By codes of FHIR, or by words. "Not confirmed" and "not ruled out" are left open."""
    if "entered-in-error" in given or given & words.erroneous:
        return ""
    if given & words.negations:
        return "suspected"
    if "confirmed" in given or given & words.confirmed:
        return "confirmed"
    return "refuted" if "refuted" in given or given & words.refuted else "suspected"


def _certainty(resource: Resource) -> set[str]:
    """The letters that an ICD-10-GM coding, or the status, says the certainty by."""
    status, concept = resource.get("verificationStatus"), resource.get("code")
    letters = {
        string(coding.get("code"))
        for coding in _codings(status)
        if _CERTAINTY_CODES in string(coding.get("system")).lower()
    }
    for element in (resource, *_codings(concept)):
        for extension in objects(element.get("extension")):
            if string(extension.get("url")).lower().endswith(_CERTAINTY):
                value = extension.get("valueCoding")
                code = value.get("code") if isinstance(value, dict) else extension.get("valueCode")
                letters.add(string(code))
    return {letter.upper() for letter in letters}


def _codings(concept: object) -> Iterator[Resource]:
    if isinstance(concept, dict):
        yield from objects(concept.get("coding"))


def is_active(resource: Resource, today: date, words: Statuses) -> bool | None:
    """Whether the problem is current; None where its status is there and not understood.

    Without a status it is, unless it has abated.
    """
    status = resource.get("clinicalStatus")
    given = codes(status)
    if given & _ACTIVE:
        return True
    if given & _ENDED:
        return False
    given |= _words(status)
    if given:
        return _by_words(given, words)
    if _says_something(status):
        return None
    return _STATE_AFTER not in _certainty(resource) and not has_abated(resource, today)


def _says_something(status: object) -> bool:
    """Whether a status without words is there at all: `true`, 1."""
    return bool(status) and not isinstance(status, dict | list | str)


def _by_words(given: set[str], words: Statuses) -> bool | None:
    """What a status in words says. "No longer active" and "not resolved" are left open."""
    if given & words.negations:
        return None
    active = given & _ACTIVE or given & words.active
    ended = given & _ENDED or given & words.ended
    return None if bool(active) is bool(ended) else bool(active)


def _words(status: object) -> set[str]:
    """The words of a status: its texts and displays, and codes of more than one word."""
    texts = [*names_of(status), *codes(status)]
    return {word for text in texts for word in _WORD.findall(text.lower())}


def has_abated(resource: Resource, today: date) -> bool:
    """Whether any form of abatement says that the problem is over."""
    when = dates.parse(resource.get("abatementDateTime"), today)
    if when is not None and when.day > today:
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
    categories = codes(resource.get("category"))
    return "encounter-diagnosis" in categories and "problem-list-item" not in categories
