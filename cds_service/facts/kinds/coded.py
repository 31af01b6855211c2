"""Observations with a coded answer: pregnancy status, smoking status. The newest one counts."""

from cds_service.facts.chart import Resource
from cds_service.facts.clearing import not_cleared
from cds_service.facts.definitions import Answer, Coded
from cds_service.facts.fhir import reference_of
from cds_service.facts.hits import Hit
from cds_service.facts.model import Fact, Item
from cds_service.facts.observations import date_of, has_value, status_usable
from cds_service.facts.query import Query, status_of
from cds_service.terminology.codings import text_of


def read(query: Query[Coded]) -> Fact:
    """A fact of kind `coded`."""
    dated: list[Item] = []
    past: list[Item] = []
    yes: set[int] = set()
    reasons: list[str] = []
    for hit in query.hits("observations"):
        part = hit.component or hit.resource
        if not status_usable(hit.resource) or not has_value(part):
            continue
        when = date_of(query, hit)
        holds = query.dated(when, query.days)
        item = _item(query, hit, part)
        if holds is None:
            reasons.append(f"an entry for {query.definition.title} has no usable date")
            continue
        (dated if holds else past).append(item)
        if is_answer(query, part):
            yes.add(id(item))
    if not dated:
        return query.answer((), reasons, unused=_newest(past))
    newest = max(map(_at, dated))
    items = [item for item in dated if id(item) in yes and _at(item) == newest]
    return query.answer(*not_cleared(query, items))


def is_answer(query: Query[Coded | Answer], part: Resource) -> bool:
    """Whether a part's value is one of the fact's answers; any value where it names none."""
    answers = query.definition.answers
    return not answers or any(_matches(query, part, answer) for answer in answers)


def _matches(query: Query[Coded | Answer], part: Resource, answer: str) -> bool:
    for key, value in part.items():
        if not key.startswith("value"):
            continue
        if isinstance(value, bool):
            if str(value).lower() == answer:
                return True
        elif isinstance(value, str):
            if value.strip().lower() == answer.lower():
                return True
        elif isinstance(value, dict) and _coded_as(query, value, answer):
            return True
    return False


def _coded_as(query: Query[Coded | Answer], value: Resource, answer: str) -> bool:
    terminology = query.patient.terminology
    return any(
        code == answer or answer in terminology.sets_of(system, code)
        for system, code, _ in terminology.vocabulary.systems.codings(value)
    )


def _item(query: Query[Coded], hit: Hit, part: Resource) -> Item:
    when = date_of(query, hit)
    return Item(
        reference=reference_of(hit.resource),
        text=text_of(part.get("valueCodeableConcept")) or query.definition.title,
        on=when.day if when else None,
        date_text=when.text if when else "",
        code=hit.code,
        details={"status": status_of(hit.resource), "source": "observation"},
    )


def _at(item: Item) -> int:
    return item.on.toordinal() if item.on else 0


def _newest(items: list[Item]) -> Item | None:
    return max(items, key=_at, default=None)
