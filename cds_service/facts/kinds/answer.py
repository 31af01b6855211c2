"""Answers to the project's own questionnaire (QuestionnaireResponse)."""

from collections.abc import Iterator
from typing import Any

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Answer
from cds_service.facts.fhir import objects, reference_of, string
from cds_service.facts.kinds.coded import is_answer
from cds_service.facts.model import Fact, Item, State
from cds_service.facts.query import Query, status_of

_STATUSES = ("completed", "amended")
_MAX_DEPTH = 8


def read(query: Query[Answer]) -> Fact:
    """A fact of kind `answer`. Nobody promises questionnaires: without one the fact is absent."""
    name = query.definition.name
    newest: tuple[dates.When, Resource] | None = None
    for resource in query.patient.index.answers:
        when = _authored(query, resource)
        if when and (newest is None or when.moment > newest[0].moment):
            newest = (when, resource)
    if newest is None or not _answered(query, newest[1]):
        return Fact(name, State.ABSENT)
    when, resource = newest
    item = Item(
        reference=reference_of(resource),
        text=query.definition.title,
        on=when.day,
        date_text=when.text,
        code=query.definition.link_id,
        details={"source": "questionnaire"},
    )
    return Fact(name, State.KNOWN, (item,))


def _authored(query: Query[Answer], resource: Resource) -> dates.When | None:
    """When a finished response to the fact's questionnaire was given, if inside the look-back."""
    if status_of(resource) not in _STATUSES or not _is_ours(query, resource):
        return None
    when = dates.parse(resource.get("authored"), query.patient.today)
    if when is None or not dates.inside(when.day, query.patient.today, query.days):
        return None
    return when


def _is_ours(query: Query[Answer], resource: Resource) -> bool:
    wanted, given = query.definition.questionnaire, resource.get("questionnaire")
    if isinstance(given, dict):  # STU3 has a Reference
        given = given.get("reference")
    return not wanted or string(given).split("|")[0] == wanted


def _answered(query: Query[Answer], resource: Resource) -> bool:
    link_id = query.definition.link_id
    if not link_id:
        return any(True for item in _items(resource, _MAX_DEPTH) if _given(item))
    return any(
        is_answer(query, answer)
        for item in _items(resource, _MAX_DEPTH)
        if string(item.get("linkId")) == link_id
        for answer in _given(item)
    )


def _items(part: Resource, depth: int) -> Iterator[Resource]:
    """All items, those inside groups (STU3: `group`, `question`) and answers included."""
    if depth == 0:
        return
    for key in ("item", "group", "question", "answer"):
        for child in objects(part.get(key)):
            if key != "answer":
                yield child
            yield from _items(child, depth - 1)


def _given(item: Resource) -> list[dict[str, Any]]:
    return [answer for answer in objects(item.get("answer")) if _says(answer)]


def _says(answer: Resource) -> bool:
    return any(key.startswith("value") and value is not None for key, value in answer.items())
