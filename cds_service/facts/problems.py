"""Problems: Conditions, reasons of the encounter and of the order, and coded findings."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from cds_service.facts import dates
from cds_service.facts.body_sites import right_site
from cds_service.facts.chart import Resource
from cds_service.facts.conditions import (
    Dates,
    dates_of,
    encounter_only,
    is_active,
    verification_of,
)
from cds_service.facts.fhir import reference_key, reference_of
from cds_service.facts.index import Hit
from cds_service.facts.model import Fact, Item
from cds_service.facts.observations import is_denied, status_usable, when_of
from cds_service.facts.query import Query, newest_first, once, status_of


class Found(NamedTuple):
    """An entry that names the problem. `counts` is None where only a date could tell."""

    item: Item
    counts: bool | None


def read(query: Query) -> Fact:
    """A fact of kind `problem`."""
    found = _distinct(_all(query))
    usable = newest_first(entry.item for entry in found if entry.counts)
    reasons = [_undated(query) for entry in found if entry.counts is None]
    if query.definition.cleared_by:
        usable, unclear = _not_cleared(query, usable)
        reasons += unclear
    if not usable:
        reasons += _unread_reasons(query)
    past = newest_first(entry.item for entry in found if entry.counts is False)
    return query.answer(usable, reasons, unused=past[0] if past and not usable else None)


def _undated(query: Query) -> str:
    return f"an entry for {query.definition.title} has no usable date"


def _all(query: Query) -> Iterator[Found]:
    sources = query.definition.sources
    if "condition" in sources:
        yield from (f for hit in query.hits("conditions") if (f := _condition(query, hit)))
    if "encounter" in sources:
        yield from (f for hit in query.hits("reasons") if (f := _reason(query, hit)))
    if "order-reason" in sources:
        yield from (f for hit in _draft_reasons(query) if (f := _reason(query, hit)))
    if "observation" in sources:
        for domain in ("observations", "findings"):
            yield from (f for hit in query.hits(domain) if (f := _finding(query, hit, domain)))


def _distinct(found: Iterator[Found]) -> list[Found]:
    """One entry a resource; of two of the same resource the one that counts."""
    by_reference: dict[str, Found] = {}
    for number, entry in enumerate(found):
        reference = entry.item.reference
        key = reference if "/" in reference else f"{reference}#{number}"
        known = by_reference.get(key)
        if known is None or (entry.counts and not known.counts):
            by_reference[key] = entry
    return list(by_reference.values())


def _draft_reasons(query: Query) -> Iterator[Hit]:
    drafts = query.patient.index.drafts
    if query.draft is None or not 0 <= query.draft < len(drafts):
        return iter(())
    reasons = drafts[query.draft].reasons
    return once(hit for set_id in query.definition.value_sets for hit in reasons.get(set_id, ()))


def _unread_reasons(query: Query) -> list[str]:
    """A reason given by a reference that leads nowhere may be the problem asked for."""
    drafts = query.patient.index.drafts
    if "order-reason" not in query.definition.sources or query.draft is None:
        return []
    given = drafts[query.draft].given if 0 <= query.draft < len(drafts) else ()
    unread = any(reason.concept is None for reason in given)
    return ["the reason for the order could not be read"] if unread else []


def _condition(query: Query, hit: Hit) -> Found | None:
    resource, today = hit.resource, query.patient.today
    verification = verification_of(resource)
    if verification not in query.definition.verification:
        return None
    if not right_site(query, resource):
        return None
    seen = dates_of(resource, today)
    source = _source(resource)
    item = _item(query, hit, seen, source, verification)
    if not _clinically_counts(query, resource, today):
        return Found(item, False)
    days = query.days
    if days is None and encounter_only(resource) and not _of_this_encounter(query, resource):
        days = query.patient.days(query.definition.encounter_lookback)
    return Found(item, query.dated(seen.latest, days))


def _clinically_counts(query: Query, resource: Resource, today: date) -> bool:
    """Refuted problems carry no clinical status worth the name."""
    definition = query.definition
    if definition.clinical == "any" or definition.verification == frozenset({"refuted"}):
        return True
    return is_active(resource, today)


def _source(resource: Resource) -> str:
    return "encounter diagnosis" if encounter_only(resource) else "problem list"


def _of_this_encounter(query: Query, resource: Resource) -> bool:
    key = reference_key(resource.get("encounter") or resource.get("context"))
    return bool(key) and any(reference_of(e) == key for e in query.patient.index.encounters)


def _item(query: Query, hit: Hit, seen: Dates, source: str, verification: str) -> Item:
    when = seen.latest
    return Item(
        reference=reference_of(hit.resource),
        text=query.name_of(hit),
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        details={"source": source, "verification": verification},
    )


def _reason(query: Query, hit: Hit) -> Found | None:
    """A reason of the encounter or order at hand is of today, whenever it was recorded."""
    if hit.source == "encounter" and "encounter" not in query.definition.sources:
        return None
    resource = hit.resource
    is_condition = resource.get("resourceType") == "Condition"
    verification = verification_of(resource) if is_condition else "confirmed"
    if verification not in query.definition.verification:
        return None
    if is_condition and not right_site(query, resource):
        return None
    if not is_condition and status_of(resource) in ("entered-in-error", "cancelled"):
        return None
    today = query.patient.today
    item = Item(
        reference=reference_of(resource),
        text=query.name_of(hit) if is_condition else _display(query, hit),
        on=today,
        date_text=_started(resource, today),
        code=hit.code,
        details={"source": hit.source.replace("-", " "), "verification": verification},
    )
    return Found(item, True)


def _display(query: Query, hit: Hit) -> str:
    return query.patient.terminology.display(hit.set_id, hit.system, hit.code) or hit.code


def _started(resource: Resource, today: date) -> str:
    period = resource.get("period")
    when = dates.parse(period.get("start"), today) if isinstance(period, dict) else None
    return when.text if when else ""


def _finding(query: Query, hit: Hit, domain: str) -> Found | None:
    """A finding by its own code, or as the value of an Observation; denied ones are none."""
    resource = hit.resource
    if not status_usable(resource) or "confirmed" not in query.definition.verification:
        return None
    if domain == "observations" and is_denied(hit.component or resource):
        return None
    if not right_site(query, resource):
        return None
    when = when_of(resource, query.patient.today)
    days = query.days
    if days is None:
        days = query.patient.days(query.definition.encounter_lookback)
    item = Item(
        reference=reference_of(resource),
        text=_display(query, hit),
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        details={"source": "observation", "status": status_of(resource)},
    )
    return Found(item, query.dated(when, days))


def _not_cleared(query: Query, items: list[Item]) -> tuple[list[Item], list[str]]:
    """Drop what a later entry ended (a pregnancy by a delivery); what has no date is unclear."""
    ended = _last_clearing(query)
    if ended is None:
        return items, []
    kept = [item for item in items if item.on is not None and item.on > ended]
    unclear = any(item.on is None for item in items)
    return kept, [_undated(query)] if unclear and not kept else []


def _last_clearing(query: Query) -> date | None:
    index, today = query.patient.index, query.patient.today
    cleared_by = query.definition.cleared_by
    days = [
        seen.latest.day
        for hit in index.conditions.get(cleared_by, ())
        if verification_of(hit.resource) in ("confirmed", "suspected")
        and (seen := dates_of(hit.resource, today)).latest
    ]
    for hit in index.procedures.get(cleared_by, ()):
        when = when_of(hit.resource, today)
        if when is not None and status_of(hit.resource) == "completed":
            days.append(when.day)
    past = [day for day in days if not dates.is_future(day, today)]
    return max(past, default=None)
