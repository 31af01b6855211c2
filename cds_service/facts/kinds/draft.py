"""The draft order under evaluation: what it orders, why, and whether that is new."""

from msgspec.structs import replace

from cds_service.facts import availability
from cds_service.facts.chart_index import DraftIndex
from cds_service.facts.definitions import DraftDrug, DraftOrder, FactDefinition
from cds_service.facts.kinds.drug import DISPUTED, counts, item, matching, notes_of, spans
from cds_service.facts.kinds.order import draft_item, ordered_item
from cds_service.facts.medication_status import usage_of
from cds_service.facts.medications import Medication
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.query import Query, once
from cds_service.terminology.codings import text_of


def under_evaluation(query: Query[FactDefinition]) -> DraftIndex | None:
    """The draft that is asked about, if any."""
    drafts = query.patient.index.drafts
    if query.draft is None or not 0 <= query.draft < len(drafts):
        return None
    return drafts[query.draft]


def read_drug(query: Query[DraftDrug]) -> Fact:
    """A fact of kind `draft-drug`. A draft without a medication is simply no drug."""
    entry = under_evaluation(query)
    medication = entry.medication if entry else None
    name = query.definition.name
    sets = medication.sets | medication.disputed if medication else frozenset()
    if medication is None or sets.isdisjoint(query.definition.value_sets):
        return Fact(name, State.ABSENT)
    if not counts(query, medication):
        return Fact(name, State.ABSENT)
    noted = notes_of(medication)
    if medication.disputed and query.definition.disputed == "unknown":
        return Fact(name, State.UNKNOWN, (), (DISPUTED,), noted)
    if query.definition.in_use and not matching_in_use(query, medication):
        gaps = availability.medication_gaps(query.patient.chart)
        return Fact(name, State.UNKNOWN if gaps else State.ABSENT, reasons=gaps)
    drafted = item(query, medication)
    items = (replace(drafted, details={**drafted.details, "source": "draft"}),)
    return Fact(name, State.KNOWN, items, (), noted)


def matching_in_use(query: Query[FactDefinition], medication: Medication) -> bool:
    """Whether all ingredients of the draft that the fact is about are in use already.

    A thiazide that was taken alone is no new drug in a mixture; a loop diuretic beside it is one.
    """
    if renews(query):
        return True
    wanted = set(matching(query, medication)) or set(medication.ingredients)
    return bool(wanted) and wanted <= in_use(query, medication.local)


def renews(query: Query[FactDefinition]) -> bool:
    """Whether the draft names the prescription that it renews."""
    entry = under_evaluation(query)
    return entry is not None and isinstance(entry.draft.resource.get("priorPrescription"), dict)


def in_use(query: Query[FactDefinition], local: bool) -> set[str]:
    """Ingredients of all active medications, the draft itself aside.

    A gel does not make tablets of the same drug a renewal; `local` ones count for local drafts.
    """
    patient = query.patient
    entry = under_evaluation(query)
    own = entry.draft.reference if entry else ""
    longest = spans(patient)
    return {
        name
        for medication in patient.index.medications
        if medication.reference != own
        and (local or not medication.local)
        and usage_of(medication.resource, patient.today, longest, patient.statuses).active
        for name in medication.ingredients
    }


def read_order(query: Query[DraftOrder]) -> Fact:
    """A fact of kind `draft-order`."""
    entry = under_evaluation(query)
    sets = query.definition.value_sets
    hits = (hit for set_id in sets for hit in entry.orders.get(set_id)) if entry else ()
    items = [ordered_item(query, hit) for hit in once(hits)]
    return Fact(query.definition.name, State.KNOWN if items else State.ABSENT, tuple(items))


def subject(query: Query[FactDefinition]) -> Item | None:
    """The draft as an item, named as the chart names it; None where no draft is asked about."""
    entry = under_evaluation(query)
    if entry is None:
        return None
    if entry.medication is not None:
        return item(query, entry.medication)
    resource = entry.draft.resource
    return draft_item(query, resource, text_of(resource.get("code")) or query.definition.title, "")
