"""Orders: what is already ordered, on file or as another draft of the same call."""

from collections.abc import Iterator

from msgspec.structs import replace

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import FactDefinition, Order
from cds_service.facts.fhir import is_true, reference_of, string
from cds_service.facts.hits import Hit
from cds_service.facts.medications import Medication
from cds_service.facts.model import Fact, Item
from cds_service.facts.query import Query, newest_first, once, status_of

# DSTU2's DiagnosticOrder has more states before the result.
_OPEN = frozenset({"active", "on-hold", "requested", "accepted", "in-progress", "planned"})
_DATES = ("authoredOn", "orderedOn", "dateWritten")


def read(query: Query[Order]) -> Fact:
    """A fact of kind `order`: open orders inside the look-back, and all other drafts."""
    used: list[Item] = []
    past: list[Item] = []
    reasons: list[str] = []
    for hit in query.hits("orders"):
        if status_of(hit.resource) not in _OPEN or is_true(hit.resource.get("doNotPerform")):
            continue
        when = _ordered_on(query, hit.resource)
        holds = query.dated(when, query.days)
        if holds is None:
            reasons.append(f"an order for {query.definition.title} has no usable date")
        else:
            (used if holds else past).append(_item(query, hit, when))
    counting = [*newest_first(used), *_drafts(query)]
    unused = newest_first(past)[0] if past and not counting else None
    return query.answer(counting, reasons, unused=unused)


def _ordered_on(query: Query[Order], resource: Resource) -> dates.When | None:
    for key in _DATES:
        when = dates.parse(resource.get(key), query.patient.today)
        if when is not None:
            return when
    return None


def _item(query: Query[Order], hit: Hit, when: dates.When | None) -> Item:
    return Item(
        reference=reference_of(hit.resource),
        text=query.name_of(hit),
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        via="name" if hit.by_name else "code",
        details={"source": "order", "status": status_of(hit.resource)},
    )


def _drafts(query: Query[Order]) -> Iterator[Item]:
    sets = query.definition.value_sets
    for number, entry in enumerate(query.patient.index.drafts):
        if number == query.draft:
            continue
        for hit in once(hit for set_id in sets for hit in entry.orders.get(set_id)):
            yield ordered_item(query, hit)
        medication = entry.medication
        if medication is not None and not medication.sets.isdisjoint(sets):
            yield medication_item(query, medication)


def ordered_item(query: Query[FactDefinition], hit: Hit) -> Item:
    """A draft order of a test as an item."""
    item = draft_item(query, hit.resource, query.name_of(hit), hit.code)
    return replace(item, via="name") if hit.by_name else item


def draft_item(query: Query[FactDefinition], resource: Resource, text: str, code: str) -> Item:
    """A draft order as an item. It has no date that matters: it is being written now."""
    return Item(
        reference=reference_of(resource),
        text=text,
        on=query.patient.today,
        date_text=string(resource.get("authoredOn"))[:10],
        code=code,
        details={"source": "draft", "status": status_of(resource)},
    )


def medication_item(query: Query[FactDefinition], entry: Medication) -> Item:
    """A draft medication order as an item of an order fact."""
    return draft_item(query, entry.resource, entry.text, entry.code)
