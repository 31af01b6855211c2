"""The draft order under evaluation: what it orders, why, and whether that is new."""

from dataclasses import replace

from cds_service.facts.chart_index import DraftIndex
from cds_service.facts.kinds.drug import counts, item
from cds_service.facts.kinds.order import draft_item, ordered_item
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.query import Query, once
from cds_service.terminology.codings import text_of


def under_evaluation(query: Query) -> DraftIndex | None:
    """The draft that is asked about, if any."""
    drafts = query.patient.index.drafts
    if query.draft is None or not 0 <= query.draft < len(drafts):
        return None
    return drafts[query.draft]


def read_drug(query: Query) -> Fact:
    """A fact of kind `draft-drug`. A draft without a medication is simply no drug."""
    entry = under_evaluation(query)
    medication = entry.medication if entry else None
    name = query.definition.name
    if medication is None or medication.sets.isdisjoint(query.definition.value_sets):
        return Fact(name, State.ABSENT)
    if not counts(query, medication):
        return Fact(name, State.ABSENT)
    found = item(query, medication)
    return Fact(name, State.KNOWN, (replace(found, details={**found.details, "source": "draft"}),))


def read_order(query: Query) -> Fact:
    """A fact of kind `draft-order`."""
    entry = under_evaluation(query)
    sets = query.definition.value_sets
    hits = (hit for set_id in sets for hit in entry.orders.get(set_id, ())) if entry else ()
    items = [ordered_item(query, hit) for hit in once(hits)]
    return Fact(query.definition.name, State.KNOWN if items else State.ABSENT, tuple(items))


def subject(query: Query) -> Item | None:
    """The draft as an item, named as the chart names it; None where no draft is asked about."""
    entry = under_evaluation(query)
    if entry is None:
        return None
    if entry.medication is not None:
        return item(query, entry.medication)
    resource = entry.draft.resource
    return draft_item(query, resource, text_of(resource.get("code")) or query.definition.title, "")
