"""Procedures done: Procedure, and DiagnosticReport or Observation with the code."""

from collections.abc import Iterator

from cds_service.facts.definitions import Procedure
from cds_service.facts.fhir import reference_of
from cds_service.facts.hits import Hit
from cds_service.facts.model import Fact, Item
from cds_service.facts.observations import USABLE, date_of
from cds_service.facts.query import Query, newest_first, status_of

_DONE = {
    "Procedure": frozenset({"completed", "in-progress"}),
    "DiagnosticReport": USABLE | {"appended"},
    "Observation": USABLE,
}
_SOURCE = {"Procedure": "procedure", "DiagnosticReport": "report", "Observation": "observation"}


def read(query: Query[Procedure]) -> Fact:
    """A fact of kind `procedure`."""
    used: list[Item] = []
    past: list[Item] = []
    reasons: list[str] = []
    for hit in _hits(query):
        when = date_of(query, hit)
        holds = query.dated(when, query.days)
        if holds is None:
            reasons.append(f"an entry for {query.definition.title} has no usable date")
            continue
        item = Item(
            reference=reference_of(hit.resource),
            text=query.name_of(hit),
            on=when.day if when else None,
            date_text=when.text if when else "",
            code=hit.code,
            details={"source": _SOURCE[_kind(hit)], "status": status_of(hit.resource)},
        )
        (used if holds else past).append(item)
    unused = newest_first(past)[0] if past and not used else None
    return query.answer(newest_first(used), reasons, unused=unused)


def _hits(query: Query[Procedure]) -> Iterator[Hit]:
    for domain in ("procedures", "observations"):
        for hit in query.hits(domain):
            kind = _kind(hit)
            wanted = _SOURCE.get(kind) in query.definition.sources
            if wanted and status_of(hit.resource) in _DONE[kind]:
                yield hit


def _kind(hit: Hit) -> str:
    return str(hit.resource.get("resourceType"))
