"""Which status of an Observation counts, which date it has, whether it denies what it is about."""

from datetime import date, datetime
from operator import attrgetter
from typing import Any

from msgspec import MsgspecError
from msgspec.json import Decoder

from cds_service.facts import dates
from cds_service.facts.chart import Entry, Resource
from cds_service.facts.hits import Hit
from cds_service.facts.query import Query, status_of
from cds_service.protocol.raw import NOTHING, decoded, word
from cds_service.terminology.vocabulary import Vocabulary

USABLE = frozenset({"final", "amended", "corrected"})
PRELIMINARY = frozenset({"preliminary", "registered"})
RETRACTED = frozenset({"entered-in-error", "cancelled"})
# Any other does not say whether a result counts. Some systems file all results as `unknown`; no
# status, or one that FHIR does not have, is like it.

_MOMENTS = ("effectiveDateTime", "effectiveInstant", "performedDateTime", "occurrenceDateTime")
_INSTANT = Decoder(datetime)
# With a fraction `dates` decides: it cuts where the decoder rounds.
_IN_UTC = len('"2026-03-05T10:00:00Z"')
_PERIODS = ("effectivePeriod", "performedPeriod", "occurrencePeriod")


def status_usable(resource: Resource) -> bool:
    """Whether a result is final. A result without a status is not known to be."""
    return status_of(resource) in USABLE


def when_of(resource: Resource, today: date) -> dates.When | None:
    """When an observation, report or procedure was; failing that, when it was issued."""
    for key in _MOMENTS:
        if key in resource:
            when = dates.parse(resource[key], today)
            if when is not None:
                return when
    for key in _PERIODS:
        if key in resource:
            when = dates.period(resource[key], today)
            if when is not None:
                return when
    return _timing(resource, today) or dates.parse(resource.get("issued"), today)


def status_of_hit(hit: Hit) -> str:
    """The status of the Observation, without reading more of it than that takes."""
    if isinstance(hit.entry, Entry):
        return word(hit.entry.head.status).lower()
    return status_of(hit.resource)


def moment_of(hit: Hit, today: date) -> datetime | None:
    """The moment of `when_of` alone, which is all that putting results in order takes."""
    sent = hit.entry.head.effective_date_time if isinstance(hit.entry, Entry) else NOTHING
    if sent:
        if len(sent) == _IN_UTC:  # to the second, as nearly all systems write it
            try:
                moment: datetime = _INSTANT.decode(sent)
                return moment
            except MsgspecError:
                pass
        when = dates.parse(decoded(sent), today)
        if when is not None:
            return when.moment
    when = when_of(hit.resource, today)
    return when.moment if when else None


def date_of(query: Query[Any], hit: Hit) -> dates.When | None:
    """When an entry was; a result without a date of its own is as old as the first report that has
    it."""
    when = when_of(hit.resource, query.patient.today)
    return when or _of_reports(query, hit.entry)


def is_dated_by_report(query: Query[Any], hit: Hit) -> bool:
    """Whether the date of an entry is that of a report or panel."""
    return id(hit.entry) in query.patient.index.dated_by and (
        when_of(hit.resource, query.patient.today) is None
    )


def _of_reports(query: Query[Any], entry: object) -> dates.When | None:
    """The earliest date of the reports and panels of a result; of those that have none, of theirs.

    A loop and no recursion: panels may name each other, and stand in a row of any length.
    """
    dated_by, today = query.patient.index.dated_by, query.patient.today
    found: list[dates.When] = []
    seen, left = {id(entry)}, [entry]
    while left:
        for panel in dated_by.get(id(left.pop()), ()):
            if id(panel) in seen or status_of(panel.body) in RETRACTED:
                continue
            seen.add(id(panel))
            when = when_of(panel.body, today)
            if when is None:
                left.append(panel)
            else:
                found.append(when)
    return min(found, key=attrgetter("moment"), default=None)


def _timing(resource: Resource, today: date) -> dates.When | None:
    timing = resource.get("effectiveTiming")
    events = timing.get("event") if isinstance(timing, dict) else None
    moments = (
        [when for event in events if (when := dates.parse(event, today))]
        if isinstance(events, list)
        else []
    )
    return max(moments, key=lambda when: when.moment, default=None)


def is_denied(part: Resource, words: Vocabulary) -> bool:
    """Whether an Observation (or component) says that the finding is not there."""
    if part.get("valueBoolean") is False:
        return True
    answer = words.systems.codings(part.get("valueCodeableConcept"))
    return words.statuses.denies((system, code) for system, code, _ in answer)


def has_value(part: Resource) -> bool:
    """Whether an Observation or component has a value of any type."""
    return any(key.startswith("value") for key in part)
