"""A patient's chart as it stood at each encounter: what had been recorded by then, nothing later.

The status of an entry is that of the export: a drug that was stopped since is not seen as active
at an encounter before. What has no date is taken as always there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cds_service.population.patient_chart import PatientChart
from cds_service.population.recorded import recorded_at
from cds_service.protocol.entries import Entry
from cds_service.protocol.identity import without_version

_ORDERS = ("MedicationRequest", "ServiceRequest")
_NOT_HELD = ("planned", "cancelled", "entered-in-error")
_NEVER_SIGNED = ("draft", "entered-in-error", "cancelled")


@dataclass(frozen=True)
class Moment:
    """One opening of a chart, with the orders that were signed at that encounter.

    It shows what had been recorded by `until`, before those orders; all that it holds where `until`
    is None. Without an encounter it is opened at its last visit.
    """

    at: datetime
    chart: PatientChart
    encounter: Entry | None = None
    orders: tuple[Entry, ...] = ()
    until: datetime | None = None

    @cached_property
    def signed(self) -> frozenset[int]:
        """The orders, by identity."""
        return frozenset(map(id, self.orders))


def last(chart: PatientChart) -> Moment | None:
    """The chart opened once, at its last visit; None where nothing in it has a date."""
    at = chart.opened_at()
    if at is None:
        return None
    dated = [(moment, visit) for visit in _visits(chart) if (moment := recorded_at(visit.body))]
    newest = max(dated, key=lambda pair: pair[0], default=(at, None))
    return Moment(at, chart, newest[1])


def encounters(chart: PatientChart) -> list[Moment]:
    """The chart at each encounter that took place, in order of time."""
    held = [visit for visit in _visits(chart) if visit.body.get("status") not in _NOT_HELD]
    dated = [(at, visit) for visit in held if (at := recorded_at(visit.body)) is not None]
    dated.sort(key=lambda pair: pair[0])
    orders = _orders_by_encounter(chart)
    return [
        Moment(at, chart, visit, tuple(orders.get(str(visit.body.get("id") or ""), ())), at)
        for at, visit in dated
    ]


def _visits(chart: PatientChart) -> Sequence[Entry]:
    return chart.of_type("Encounter")


def _orders_by_encounter(chart: PatientChart) -> dict[str, list[Entry]]:
    orders: dict[str, list[Entry]] = {}
    for kind in _ORDERS:
        for order in chart.of_type(kind):
            encounter = order.body.get("encounter")
            reference = encounter.get("reference") if isinstance(encounter, dict) else None
            if isinstance(reference, str) and order.body.get("status") not in _NEVER_SIGNED:
                orders.setdefault(last_part(reference), []).append(order)
    return orders


def last_part(reference: str) -> str:
    """The id in a reference: relative, absolute, with a version, or a URN."""
    return without_version(reference).replace(":", "/").rpartition("/")[2]
