"""Drugs in use: requests, statements, dispenses and administrations, merged by ingredient."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from cds_service.facts import dates
from cds_service.facts import notes as phrases
from cds_service.facts.catalogue import NAMED
from cds_service.facts.definition_parts import MaxStrength
from cds_service.facts.definitions import DraftDrug, Drug, FactDefinition
from cds_service.facts.fhir import reference_of
from cds_service.facts.medication_status import Spans, Usage, usage_of, was_given
from cds_service.facts.medications import Medication
from cds_service.facts.model import Fact, Item
from cds_service.facts.notes import Note
from cds_service.facts.query import Patient, Query, newest_first, status_of
from cds_service.terminology.codings import RXNORM

# Settings: for how many days a request, a dispense and a dose count that say no end.
_SPANS = ("medication.max-age", "medication.dispensed-within", "medication.given-within")
_EVIDENCE = ("MedicationDispense", "MedicationAdministration")  # of use; no order or list says it
_ENDED = ("stopped", "not-taken", "cancelled")
DISPUTED = "the code and the name of an entry are different drugs"
_LONGEST_NAME = 60  # characters of the chart's words in a note
_MOST_NAMED = 3  # entries in a note; of more, two and a number of others
_MILLIGRAMS = re.compile(r"(\d+(?:\.\d+)?)\s*MG\b", re.IGNORECASE)


def read(query: Query[Drug]) -> Fact:
    """A fact of kind `drug`; with a look-back only what was started within it counts."""
    patient = query.patient
    entries = _filed(query)
    disputed = _filed(query, NAMED)  # their code or their name alone is of the fact
    if query.definition.uncounted:
        return query.answer(_uncounted(query, [*entries, *disputed]), [], notes(patient))
    used: list[Medication] = []
    past: list[Medication] = []
    reasons: list[str] = []
    for entry in (*entries, *disputed):
        if not counts(query, entry):
            continue
        holds = _in_use(query, entry)
        reason = _why_unknown(query, entry, holds)
        if reason:
            reasons.append(reason)
        else:
            (used if holds else past).append(entry)
    if query.days is not None:
        used = _started(query, used, entries)
    unused = item(query, _newest(patient, past)) if past and not used else None
    items = merged(newest_first(item(query, entry) for entry in used))
    return query.answer(items, reasons, notes(patient), unused)


def _newest(patient: Patient, entries: Sequence[Medication]) -> Medication:
    """The entry that `newest_first` would put in front, found without making items of the rest."""

    def day(entry: Medication) -> date:
        return _past_day(_usage(patient, entry).when, patient.today) or date.min

    return max(entries, key=day)


def _filed(query: Query[Drug], by: str = "") -> Sequence[Medication]:
    """The entries of the fact's value sets, each once, though several sets hold it."""
    drugs = query.patient.index.drugs
    filed = [drugs[by + set_id] for set_id in query.definition.value_sets if by + set_id in drugs]
    if len(filed) < 2:
        return filed[0] if filed else ()
    return list({id(entry): entry for entries in filed for entry in entries}.values())


def _uncounted(query: Query[Drug], entries: list[Medication]) -> list[Item]:
    """The entries that leave a fact of these value sets unknown, in the chart's words."""
    unclear = [
        entry
        for entry in entries
        if counts(query, entry) and _why_unknown(query, entry, _in_use(query, entry))
    ]
    return newest_first(replace(item(query, entry), text=_called(entry)) for entry in unclear)


def _why_unknown(query: Query[Drug], entry: Medication, holds: bool | None) -> str:
    """Why an entry leaves the fact unknown; "" where it counts, or does not."""
    title = query.definition.title
    if entry.disputed and query.definition.disputed == "unknown" and holds is not False:
        return DISPUTED
    if holds is not None:
        return ""
    if _usage(query.patient, entry).active is None:
        return f"an entry for {title} has no status that is understood"
    return f"an entry for {title} has no date"


def _started(
    query: Query[Drug], used: list[Medication], entries: Sequence[Medication]
) -> list[Medication]:
    """Those of a fact with a look-back whose ingredient was not in use before it: a renewal is no
    start."""
    before: set[str] = set()
    for entry in entries:
        when = _usage(query.patient, entry).when
        if when and not dates.inside(when.day, query.patient.today, query.days):
            before.update(matching(query, entry))
    return [entry for entry in used if not before.issuperset(matching(query, entry) or {""})]


def counts(query: Query[Drug | DraftDrug], entry: Medication) -> bool:
    """Whether the product is one that the fact means, by route and strength."""
    if query.definition.routes == "injected" and not entry.injected:
        return False
    if entry.local and query.definition.routes == "systemic":
        return False
    limit = query.definition.max_strength
    return limit is None or _strong_enough(query, entry, limit)


def _strong_enough(query: Query[Drug | DraftDrug], entry: Medication, limit: MaxStrength) -> bool:
    """Other ingredients of the fact's sets count whatever the strength of the limited one."""
    if limit.ingredient not in entry.ingredients:
        return True
    if any(name != limit.ingredient for name in matching(query, entry)):
        return True
    strength = _strength(query, entry, limit.ingredient)
    bound = limit.milligrams
    if bound is None:
        bound = Decimal(str(query.patient.settings[limit.setting]))
    return strength is not None and strength > bound


def _strength(query: Query[Drug | DraftDrug], entry: Medication, ingredient: str) -> Decimal | None:
    """Milligrams of one ingredient, from the chart's words or the product's name.

    Of a mixture the number behind the ingredient counts, else the first.
    """
    product = query.patient.terminology.drugs.product(RXNORM, entry.code)
    text = f"{entry.text} {product.name if product else ''}"
    behind = re.search(rf"\b{re.escape(ingredient)}\b[^/\d]*{_MILLIGRAMS.pattern}", text, re.I)
    match = behind or _MILLIGRAMS.search(text)
    return Decimal(match.group(1)) if match else None


def _in_use(query: Query[Drug], entry: Medication) -> bool | None:
    """Whether the entry is active, or was given within the fact's time; None: no telling date."""
    patient = query.patient
    when, active = _usage(patient, entry)
    if active is None:
        return None if query.dated(when, query.days) is not False else False
    if active and not _was_stopped(patient, entry):
        return query.dated(when, query.days)
    given_within = patient.days(query.definition.given_within)
    if given_within is None or not was_given(entry.resource) or when is None:
        return False
    return dates.inside(when.day, patient.today, given_within)


def _usage(patient: Patient, entry: Medication) -> Usage:
    """When the entry is dated and whether it is active; read once, as many facts ask."""
    known = patient.index.usage.get(id(entry))
    if known is None:
        known = usage_of(entry.resource, patient.today, spans(patient), patient.statuses)
        patient.index.usage[id(entry)] = known
    return known


def spans(patient: Patient) -> Spans:
    """How long entries count that say no end."""
    known: Spans | None = patient.index.spans
    if known is None:
        days = (patient.days(name if name in patient.settings else "") for name in _SPANS)
        known = patient.index.spans = Spans(*days)
    return known


def _was_stopped(patient: Patient, entry: Medication) -> bool:
    """Whether an order or a statement says that what was handed over or given was stopped."""
    if entry.resource.get("resourceType") not in _EVIDENCE:
        return False
    return any(
        status_of(other.resource) in _ENDED and set(entry.ingredients) <= set(other.ingredients)
        for other in patient.index.medications
        if other.ingredients and other.resource.get("resourceType") not in _EVIDENCE
    )


def matching(query: Query[FactDefinition], entry: Medication) -> tuple[str, ...]:
    """The entry's ingredients that belong to the fact's own value sets."""
    wanted = frozenset(query.definition.value_sets)
    of_ingredient = query.patient.terminology.sets_of_ingredient
    return tuple([name for name in entry.ingredients if not wanted.isdisjoint(of_ingredient(name))])


def item(query: Query[FactDefinition], entry: Medication) -> Item:
    """The chart entry, named by the ingredients that matter here."""
    today, resource = query.patient.today, entry.resource
    when = _usage(query.patient, entry).when
    details = {
        "source": str(resource.get("resourceType", "")),
        "status": status_of(resource),
        "product": entry.text,
    }
    return Item(
        reference=reference_of(resource),
        text=" / ".join(matching(query, entry)) or entry.name or _titled(query),
        on=_past_day(when, today),
        date_text=when.text if when else "",
        code=entry.code,
        via=entry.via,
        ingredients=entry.ingredients,
        details={key: value for key, value in details.items() if value},
    )


def _titled(query: Query[FactDefinition]) -> str:
    """What a drug that a code alone names is called: a code is no name for a clinician."""
    return query.definition.title.removeprefix("active ").removesuffix(" (this order)")


def unrecognised(patient: Patient) -> int:
    """How many active medications nothing recognises, each drug once."""
    entries = (entry for entry in patient.index.medications if not entry.known)
    return len({entry.text.lower() for entry in entries if _usage(patient, entry).active})


def _past_day(when: dates.When | None, today: date) -> date | None:
    return when.day if when and not dates.is_future(when.day, today) else None


def merged(items: Iterable[Item]) -> list[Item]:
    """One item for each ingredient: the same drug is often both requested and stated."""
    by_name: dict[str, Item] = {}
    for entry in items:
        key = entry.text.lower()
        first = by_name.get(key)
        if first is None:
            by_name[key] = entry
            continue
        if "also" not in first.details:
            first = replace(first, details={**first.details, "also": entry.reference})
        if first.via == "name" and entry.via == "code":
            first = replace(first, via="code", code=entry.code)
        by_name[key] = first
    return list(by_name.values())


def notes(patient: Patient) -> tuple[str, ...]:
    """What every card on drugs says of medications that did not count (clinical section 2.4)."""
    known = patient.index.drug_notes
    if known is None:
        known = patient.index.drug_notes = tuple(_notes(patient))
    return known


def _notes(patient: Patient) -> list[str]:
    told: list[str] = []
    if count := patient.index.unreadable_medications:
        phrase = phrases.MANY_UNREADABLE if count > 1 else phrases.ONE_UNREADABLE
        told.append(Note(phrase, count=str(count)))
    disputed = [entry for entry in patient.index.medications if entry.disputed]
    told += _note(disputed, phrases.DISPUTED, phrases.DISPUTED_MORE)
    strange = [
        entry
        for entry in patient.index.medications
        if entry.sets and _usage(patient, entry).active is None
    ]
    return [*told, *_note(strange, phrases.NO_STATUS, phrases.NO_STATUS_MORE)]


def notes_of(entry: Medication) -> tuple[str, ...]:
    """What a card on a draft says of it, in the chart's words, where code and name disagree."""
    if not entry.disputed:
        return ()
    return tuple(_note([entry], phrases.DISPUTED_DRAFT, phrases.DISPUTED_DRAFT))


def _note(entries: Sequence[Medication], phrase: str, with_more: str) -> list[str]:
    """A note that names entries in the chart's words, whatever their order: all of up to three,
    of more the first two."""
    if not entries:
        return []
    names = sorted({_called(entry) for entry in entries})
    if len(names) <= _MOST_NAMED:
        return [Note(phrase, names=", ".join(names))]
    first = names[: _MOST_NAMED - 1]
    return [Note(with_more, names=", ".join(first), count=str(len(names) - len(first)))]


def _called(entry: Medication) -> str:
    """The drug in the chart's words, or what its codes stand for: a code is no name."""
    return (
        entry.name[:_LONGEST_NAME] or " or ".join(entry.ingredients) or "a drug by its code alone"
    )
