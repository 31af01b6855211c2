"""Entries that a later event ended: a pregnancy by a delivery or a loss."""

from collections.abc import Sequence
from datetime import date

from cds_service.facts import dates
from cds_service.facts.definitions import FactDefinition
from cds_service.facts.diagnoses import dates_of, verification_of
from cds_service.facts.model import Item
from cds_service.facts.observations import when_of
from cds_service.facts.query import Query, status_of


def not_cleared(
    query: Query[FactDefinition], items: Sequence[Item]
) -> tuple[list[Item], list[str]]:
    """The items after the last entry of the fact's `clearedBy`, and why one is unclear.

    An item without a date may lie before or after; it is a reason only where nothing is left.
    """
    ended = _last_clearing(query)
    if ended is None:
        return list(items), []
    kept = [item for item in items if item.on is not None and item.on > ended]
    unclear = not kept and any(item.on is None for item in items)
    return kept, [undated(query)] if unclear else []


def undated(query: Query[FactDefinition]) -> str:
    """The reason of an entry that has no date where one is needed."""
    return f"an entry for {query.definition.title} has no usable date"


def _last_clearing(query: Query[FactDefinition]) -> date | None:
    """The day of the newest Condition or completed Procedure that ends what came before."""
    index, today = query.patient.index, query.patient.today
    cleared_by = query.definition.cleared_by
    if not cleared_by:
        return None
    days = [
        seen.latest.day
        for hit in index.conditions.get(cleared_by)
        if verification_of(hit.resource, query.patient.statuses) in ("confirmed", "suspected")
        and (seen := dates_of(hit.resource, today)).latest
    ]
    for hit in index.procedures.get(cleared_by):
        when = when_of(hit.resource, today)
        if when is not None and status_of(hit.resource) == "completed":
            days.append(when.day)
    past = [day for day in days if not dates.is_future(day, today)]
    return max(past, default=None)
