"""POST /cds-services/{id}: one call in, cards out (docs/architecture.md, One call)."""

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, g

from cds_service import clock, logs
from cds_service.callers import dialect
from cds_service.facts.chart import Chart
from cds_service.gather.chart import gather
from cds_service.protocol.model import Card, HookRequest
from cds_service.protocol.request import parse_request
from cds_service.service.metrics import observe_stages
from cds_service.values import new_uuid
from cds_service.web import auth, body, fhir, languages, metrics, refusal_log, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("invoke", __name__)


@blueprint.post("/cds-services/<service_id>")
def invoke(service_id: str) -> Response:
    """Answer one hook."""
    started = clock.monotonic()
    active, config = runtime.current(), current_app.config
    service = runtime.enabled_service(active, service_id)
    spoken = auth.dialect()
    request = parse_request(service.hook, dialect.read(body.read(), spoken))
    refusal_log.remember(request.hook_instance)
    parsed = clock.monotonic()
    chart = gather(request, service, fhir.fallback(spoken), most=config["MAX_RESOURCES"])
    metrics.count_chart(service.id, chart)
    spent = {"parse": parsed - started, "gather": clock.monotonic() - parsed}
    language = languages.chosen(active.pack.translations, spoken.language)
    cards = active.answer(service, request, chart, spent, language)
    g.answered = chart, cards  # for the workbench's list of calls
    decided = clock.monotonic()
    written = dialect.write(cards, spoken, config["PUBLIC_HOST"], new_uuid)
    answer = Response(written, mimetype=JSON, headers=languages.headers(language))
    metrics.count_cards(service.id, cards)
    ended = clock.monotonic()
    observe_stages({"write": ended - decided})
    if logs.says("INFO"):
        _log(service.id, request, chart, cards, ended - started)
    return answer


def _log(
    service_id: str, request: HookRequest, chart: Chart, cards: Sequence[Card], seconds: float
) -> None:
    logs.logger().info(
        "call",
        service=service_id,
        hook=request.hook,
        hook_instance=g.hook_instance,
        cards=len(cards),
        milliseconds=round(seconds * 1000, 1),
        supply={key: slot.supply.value for key, slot in chart.slots.items()},
        dropped=dict(chart.dropped),
        warnings=list(request.warnings),
    )
