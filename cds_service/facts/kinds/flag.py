"""Flags: what a condition over facts cannot say. Each has a name, a reader and tests."""

from collections.abc import Callable, Mapping

from cds_service.facts import availability, dates
from cds_service.facts.chart import Supply
from cds_service.facts.clearing import not_cleared
from cds_service.facts.definitions import Flag
from cds_service.facts.fhir import reference_of
from cds_service.facts.kinds import draft
from cds_service.facts.kinds.person import read_deceased
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.observations import date_of, status_usable
from cds_service.facts.query import Query
from cds_service.facts.reasons import Reason


def draft_any(query: Query[Flag]) -> Fact:
    """A draft order is under evaluation."""
    return _about_draft(query, True)


def draft_drug_known(query: Query[Flag]) -> Fact:
    """The draft is for a medication whose ingredients are known."""
    entry = draft.under_evaluation(query)
    medication = entry.medication if entry else None
    return _about_draft(query, medication is not None and bool(medication.ingredients))


def draft_has_reason(query: Query[Flag]) -> Fact:
    """The draft gives a reason, whether or not anybody here can read it; words alone that are a
    name of the flag's sets are none.
    """
    entry = draft.under_evaluation(query)
    given = entry.given if entry else ()
    items = tuple(
        Item(reference_of(entry.draft.resource), reason.text, details={"source": "order reason"})
        for reason in given
        if entry and not _named_alone(query, reason)
    )
    return Fact(query.definition.name, State.KNOWN if items else State.ABSENT, items)


def _named_alone(query: Query[Flag], reason: Reason) -> bool:
    """Whether a reason is in words that equal a name of one of the flag's sets, without a code."""
    if reason.concept is None or query.patient.terminology.vocabulary.systems.codings(
        reason.concept
    ):
        return False
    named = query.patient.index.names_of_problems.sets_of(reason.text)
    return not named.isdisjoint(query.definition.value_sets)


def draft_renewal(query: Query[Flag]) -> Fact:
    """Every ingredient of the draft is in use already, or the draft names what it renews."""
    entry = draft.under_evaluation(query)
    medication = entry.medication if entry else None
    if entry is None or medication is None:
        return Fact(query.definition.name, State.ABSENT)
    if draft.renews(query):
        return _about_draft(query, True)
    wanted = set(medication.ingredients)
    if wanted and wanted <= draft.in_use(query, medication.local):
        return _about_draft(query, True)
    gaps = availability.medication_gaps(query.patient.chart)
    return Fact(query.definition.name, State.UNKNOWN if gaps else State.ABSENT, reasons=gaps)


def _about_draft(query: Query[Flag], holds: bool) -> Fact:
    subject = draft.subject(query)
    if subject is None or not holds:
        return Fact(query.definition.name, State.ABSENT)
    return Fact(query.definition.name, State.KNOWN, (subject,))


def due_ahead(query: Query[Flag]) -> Fact:
    """An expected delivery date that lies ahead, unless the pregnancy has ended since."""
    today = query.patient.today
    items: list[Item] = []
    for hit in query.hits("observations"):
        part = hit.component or hit.resource
        due = dates.latest_day(part.get("valueDateTime"))
        if due is None or due < today or not status_usable(hit.resource):
            continue
        when = date_of(query, hit)
        items.append(
            Item(
                reference=reference_of(hit.resource),
                text=query.definition.title,
                on=when.day if when else None,
                date_text=when.text if when else "",
                code=hit.code,
                details={"due": due.isoformat()},
            )
        )
    kept, unclear = not_cleared(query, items)
    gaps = availability.gaps(query.patient.chart, ("observations",))
    return query.answer(kept, (*gaps, *unclear))


def conditions_unavailable(query: Query[Flag]) -> Fact:
    """Conditions were not supplied or could not be read: whatever they would say is unknown."""
    supply = query.patient.chart.slot("conditions").supply
    if supply not in (Supply.MISSING, Supply.FAILED):
        return Fact(query.definition.name, State.ABSENT)
    return Fact(query.definition.name, State.KNOWN, (Item("", ""),))


FLAGS: Mapping[str, Callable[[Query[Flag]], Fact]] = {
    "chart.conditions-unavailable": conditions_unavailable,
    "patient.deceased": read_deceased,
    "pregnancy.due-ahead": due_ahead,
    "draft.any": draft_any,
    "draft.drug-known": draft_drug_known,
    "draft.has-reason": draft_has_reason,
    "draft.renewal": draft_renewal,
}
