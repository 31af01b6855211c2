"""What each service would make of a request: the state of each prefetch key, or the refusal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.config import DEFAULT_MAX_RESOURCES
from cds_service.errors import ServiceError
from cds_service.facts.chart import Chart
from cds_service.gather.chart import gather
from cds_service.protocol.request import parse_request
from cds_service.rules.model import ServiceDefinition


@dataclass(frozen=True)
class View:
    """One service's view of a request: a chart, or why it is refused."""

    service: str
    chart: Chart | None = None
    refusal: ServiceError | None = None


def views(content: bytes, hook: object, services: Iterable[ServiceDefinition]) -> Iterator[View]:
    """Of the services that answer this hook. No FHIR server is asked."""
    for service in services:
        if service.enabled and service.hook == hook:
            try:
                request = parse_request(service.hook, content)
                chart = gather(request, service, None, most=DEFAULT_MAX_RESOURCES)
                yield View(service.id, chart)
            except ServiceError as refusal:
                yield View(service.id, refusal=refusal)


def lines(view: View) -> Iterator[str]:
    """For a person. No value of the request is shown."""
    if view.refusal:
        yield f"{view.service}: refused with {view.refusal.status} {view.refusal.code}"
        yield f"  {view.refusal.message}"
        return
    yield f"{view.service}: answered"
    assert view.chart is not None
    for key, slot in view.chart.slots.items():
        yield f"  {key:<24}{slot.supply.value}{f': {slot.problem}' if slot.problem else ''}"
    for reason, count in sorted(view.chart.dropped.items()):
        yield f"  left out: {count} ({_REASONS.get(reason, reason)})"


_REASONS = {
    "other-patient": "of another patient",
    "not-an-object": "not FHIR resources",
}
