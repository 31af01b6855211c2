"""Problems: Conditions, reasons of the encounter and of the order, and coded findings."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from cds_service.facts import dates
from cds_service.facts.body_sites import right_site
from cds_service.facts.chart import Resource
from cds_service.facts.clearing import not_cleared, undated
from cds_service.facts.definitions import Problem
from cds_service.facts.diagnoses import Diagnosis, diagnosis_of, verification_of
from cds_service.facts.entry_words import words_fit
from cds_service.facts.fhir import reference_key, reference_of
from cds_service.facts.hits import Hit
from cds_service.facts.model import Fact, Item
from cds_service.facts.observations import date_of, is_denied, status_usable
from cds_service.facts.query import Query, newest_first, once, status_of
from cds_service.facts.unread import Unread, may_concern

_REFUTED = frozenset({"refuted"})


class Found(NamedTuple):
    """An entry that names the problem. `counts` is None where it may; `reason` then says why it is
    not known, where that is not its date.
    """

    item: Item
    counts: bool | None
    reason: str = ""


def read(query: Query[Problem]) -> Fact:
    """A fact of kind `problem`."""
    entries = _distinct(_all(query))
    usable = newest_first(entry.item for entry in entries if entry.counts)
    reasons = [entry.reason or undated(query) for entry in entries if entry.counts is None]
    usable, unclear = not_cleared(query, usable)
    reasons += unclear
    if not usable:
        reasons += [*_unread_reasons(query), *_unread_conditions(query)]
    past = newest_first(entry.item for entry in entries if entry.counts is False)
    return query.answer(usable, reasons, unused=past[0] if past and not usable else None)


def _all(query: Query[Problem]) -> Iterator[Found]:
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


def _distinct(entries: Iterator[Found]) -> list[Found]:
    """One entry a resource; of two of the same resource the one that counts."""
    by_reference: dict[str, Found] = {}
    for number, entry in enumerate(entries):
        reference = entry.item.reference
        key = reference if "/" in reference else f"{reference}#{number}"
        known = by_reference.get(key)
        if known is None or (entry.counts and not known.counts):
            by_reference[key] = entry
    return list(by_reference.values())


def _draft_reasons(query: Query[Problem]) -> Iterator[Hit]:
    drafts = query.patient.index.drafts
    if query.draft is None or not 0 <= query.draft < len(drafts):
        return iter(())
    reasons = drafts[query.draft].reasons
    return once(hit for set_id in query.definition.value_sets for hit in reasons.get(set_id))


def _unread_reasons(query: Query[Problem]) -> list[str]:
    """A reason given by a reference that leads nowhere may be the problem asked for."""
    drafts = query.patient.index.drafts
    if "order-reason" not in query.definition.sources or query.draft is None:
        return []
    given = drafts[query.draft].given if 0 <= query.draft < len(drafts) else ()
    unread = any(reason.concept is None for reason in given)
    return ["the reason for the order could not be read"] if unread else []


def _unread_conditions(query: Query[Problem]) -> list[str]:
    """Why Conditions without a code that the fact's sets could know leave it unknown."""
    patient, definition = query.patient, query.definition
    if not patient.unread or "condition" not in definition.sources:
        return []
    systems = patient.coverage.get(definition.name)
    if systems is None:
        return []
    entries = [
        entry
        for entry in patient.unread
        if may_concern(definition, entry, systems)
        and any(_counts(query, resource) for resource in entry.resources)
    ]
    reasons = [f"an entry named as {definition.title} has no code" for e in entries if e.named]
    others = [entry for entry in entries if not entry.named]
    if others and _leave_unknown(query, systems, others):
        reasons.append("problems are recorded in words or codes that are not read here")
    return reasons


def _leave_unknown(
    query: Query[Problem], systems: frozenset[str], others: Sequence[Unread]
) -> bool:
    """Whether Conditions that could be anything leave the fact unknown.

    Words alone do where the chart has nothing else, and of a complaint they do not: they would say
    it. Where only some entries are in words, the rest of the list is taken to be whole.
    """
    coded, any_entry = any(entry.systems for entry in others), query.definition.unread == "entry"
    uncovered = [entry for entry in query.patient.unread if not entry.systems & systems]
    conditions = sum(len(entry.entries) for entry in uncovered)
    nothing_covered = conditions == query.patient.index.conditions_on_file
    return (coded and (any_entry or nothing_covered)) or (any_entry and nothing_covered)


def _counts(query: Query[Problem], resource: Resource) -> bool:
    """Whether a Condition would count if its code were one of the fact's."""
    definition, diagnosis = query.definition, _diagnosis(query, resource)
    if diagnosis.verification not in definition.verification:
        return False
    if diagnosis.active is False and not _status_is_nothing_to(definition):
        return False
    return query.dated(diagnosis.when, query.days) is not False


def _condition(query: Query[Problem], hit: Hit) -> Found | None:
    resource, diagnosis = hit.resource, _diagnosis(query, hit.resource)
    item = _named(query, hit, diagnosis)
    if item is None:
        return None
    ignored = _status_is_nothing_to(query.definition)
    if not (ignored or diagnosis.active is not False):
        return Found(item, False)
    days = query.days
    if days is None and diagnosis.encounter_only and not _of_this_encounter(query, resource):
        days = query.patient.days(query.definition.encounter_lookback)
    counts = query.dated(diagnosis.when, days)
    if counts is not False and diagnosis.active is None and not ignored:
        return Found(item, None, f"an entry for {query.definition.title} has a status unknown here")
    return Found(item, counts)


def _named(query: Query[Problem], hit: Hit, diagnosis: Diagnosis) -> Item | None:
    """The Condition where it names the problem; found once for all look-backs of the fact."""
    read: dict[tuple[str, int], Item | None] = query.patient.index.values
    key = (query.definition.name, id(hit))
    if key not in read:
        fits = (
            diagnosis.verification in query.definition.verification
            and right_site(query, hit.resource)
            and words_fit(query, hit)
        )
        read[key] = _item(query, hit, diagnosis) if fits else None
    return read[key]


def _diagnosis(query: Query[Problem], resource: Resource) -> Diagnosis:
    """The Condition as read; once, as several facts ask for the same one."""
    known = query.patient.index.diagnoses.get(id(resource))
    if known is None:
        known = diagnosis_of(resource, query.patient.today, query.patient.statuses)
        query.patient.index.diagnoses[id(resource)] = known
    return known


def _status_is_nothing_to(definition: Problem) -> bool:
    """Refuted problems carry no clinical status worth the name."""
    return definition.clinical == "any" or definition.verification == _REFUTED


def _of_this_encounter(query: Query[Problem], resource: Resource) -> bool:
    key = reference_key(resource.get("encounter") or resource.get("context"))
    return bool(key) and any(reference_of(e) == key for e in query.patient.index.encounters)


def _item(query: Query[Problem], hit: Hit, diagnosis: Diagnosis) -> Item:
    when = diagnosis.when
    source = "encounter diagnosis" if diagnosis.encounter_only else "problem list"
    return Item(
        reference=diagnosis.reference,
        text=query.name_of(hit),
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        details={"source": source, "verification": diagnosis.verification},
    )


def _reason(query: Query[Problem], hit: Hit) -> Found | None:
    """A reason of the encounter or order at hand is of today, whenever it was recorded."""
    if hit.source == "encounter" and "encounter" not in query.definition.sources:
        return None
    resource = hit.resource
    is_condition = resource.get("resourceType") == "Condition"
    statuses = query.patient.statuses
    verification = verification_of(resource, statuses) if is_condition else "confirmed"
    if verification not in query.definition.verification:
        return None
    if (is_condition and not right_site(query, resource)) or not words_fit(query, hit):
        return None
    if not is_condition and status_of(resource) in ("entered-in-error", "cancelled"):
        return None
    today = query.patient.today
    item = Item(
        reference=reference_of(resource),
        text=query.name_of(hit),
        on=today,
        date_text=_started(resource, today),
        code=hit.code,
        details={"source": hit.source.replace("-", " "), "verification": verification},
    )
    return Found(item, True)


def _started(resource: Resource, today: date) -> str:
    period = resource.get("period")
    when = dates.parse(period.get("start"), today) if isinstance(period, dict) else None
    return when.text if when else ""


def _finding(query: Query[Problem], hit: Hit, domain: str) -> Found | None:
    """A finding by its own code, or as the value of an Observation; denied ones are none."""
    resource = hit.resource
    if not status_usable(resource) or "confirmed" not in query.definition.verification:
        return None
    if domain == "observations" and is_denied(
        hit.component or resource, query.patient.terminology.vocabulary
    ):
        return None
    if not (right_site(query, resource) and words_fit(query, hit)):
        return None
    when = date_of(query, hit)
    days = query.days
    if days is None:
        days = query.patient.days(query.definition.encounter_lookback)
    item = Item(
        reference=reference_of(resource),
        text=query.name_of(hit),
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        details={"source": "observation", "status": status_of(resource)},
    )
    return Found(item, query.dated(when, days))
