"""A patient's chart as the calls that an EHR would make when it opens that chart.

Each prefetch key gets what its template asks for: resources of the type, with the template's
`status` and `code`. Nothing is written as JSON to be read again: the answers to the templates are
given as the service reads them (`gather.prefetch.Reading`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cds_service.gather import prefetch
from cds_service.gather.prefetch import Reading
from cds_service.population.patient_chart import query_of
from cds_service.population.replay import Moment
from cds_service.protocol.entries import Entry
from cds_service.protocol.model import DraftOrder, HookRequest
from cds_service.rules.model import ServiceDefinition
from cds_service.terminology.code_systems import CodeSystems

_INSTANCE = "00000000-0000-4000-8000-000000000000"
_VIEW = "patient-view"


class Call(NamedTuple):
    """A request, and by prefetch key what came with it."""

    request: HookRequest
    readings: Mapping[str, Reading]


def call_of(
    service: ServiceDefinition, moment: Moment, systems: CodeSystems, orders: Sequence[Entry] = ()
) -> Call:
    """The call for a service at a moment, with `orders` as drafts. Without any, every active order
    of the chart is a draft where the hook is one of orders."""
    readings = {
        key: _answer(moment, template, systems) for key, template in service.prefetch.items()
    }
    others = moment.chart.others(moment.until)
    if others is not None:
        readings["others"] = others
    if not orders and service.hook != _VIEW:
        orders = tuple(_active_orders(service, moment, systems, readings))
    request = HookRequest(
        hook=service.hook,
        hook_instance=_INSTANCE,
        patient_id=moment.chart.patient_id,
        user_id="Practitioner/stats",
        drafts=tuple(map(_draft, orders)),
    )
    return Call(request, readings)


def _answer(moment: Moment, template: str, systems: CodeSystems) -> Reading:
    query, chart = query_of(template), moment.chart
    if query.kind == "Patient":
        return chart.person
    if query.instance and moment.encounter is not None:  # Encounter/{{context.encounterId}}
        return chart.single(moment.encounter)
    if query.instance:
        return chart.last_visit
    return chart.answer(template, systems, moment.until, moment.signed)


def _active_orders(
    service: ServiceDefinition,
    moment: Moment,
    systems: CodeSystems,
    readings: dict[str, Reading],
) -> Iterator[Entry]:
    """Take the active orders out of the chart."""
    for key in ("medicationRequests", "serviceRequests"):
        if key in readings:
            yield from moment.chart.asked(service.prefetch[key], systems)
            readings[key] = prefetch.listed(())


def _draft(order: Entry) -> DraftOrder:
    resource = order.body
    reference = f"{resource['resourceType']}/{resource.get('id', '')}"
    return DraftOrder({**resource, "status": "draft"}, reference, selected=True)
