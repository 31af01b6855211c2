"""POST /cds-services/{id}: one call in, cards out (docs/architecture.md, One call)."""

from collections.abc import Sequence

from flask import Blueprint, Response

from cds_service import clock, logs
from cds_service.facts.chart import Chart
from cds_service.gather.chart import gather
from cds_service.protocol import response
from cds_service.protocol.model import Card, HookRequest
from cds_service.protocol.request import is_uuid, parse_request
from cds_service.web import body, metrics, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("invoke", __name__)


@blueprint.post("/cds-services/<service_id>")
def invoke(service_id: str) -> Response:
    """Answer one hook."""
    started = clock.monotonic()
    active = runtime.current()
    service = runtime.enabled_service(service_id)
    request = parse_request(service.hook, body.read())
    chart = gather(request, service)
    metrics.count_chart(service.id, chart)
    cards = active.answer(service, request, chart)
    answer = Response(response.write(cards), mimetype=JSON)
    metrics.count_cards(service.id, cards)
    _log(service.id, request, chart, cards, clock.monotonic() - started)
    return answer


def _log(
    service_id: str, request: HookRequest, chart: Chart, cards: Sequence[Card], seconds: float
) -> None:
    logs.logger().info(
        "call",
        service=service_id,
        hook=request.hook,
        hook_instance=request.hook_instance if is_uuid(request.hook_instance) else "not a UUID",
        cards=len(cards),
        milliseconds=round(seconds * 1000, 1),
        supply={key: slot.supply.value for key, slot in chart.slots.items()},
        dropped=dict(chart.dropped),
        warnings=list(request.warnings),
    )
