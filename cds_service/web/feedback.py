"""POST /cds-services/{id}/feedback: what became of the cards. A 200 means that it is stored."""

from flask import Blueprint, Response

from cds_service import logs
from cds_service.protocol.feedback import parse_feedback
from cds_service.web import body, metrics, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("feedback", __name__)


@blueprint.post("/cds-services/<service_id>/feedback")
def feedback(service_id: str) -> Response:
    """Take a batch of feedback, all of it or none."""
    service = runtime.enabled_service(service_id)
    entries = parse_feedback(body.read())
    runtime.current().record_feedback(service, entries)
    metrics.count_feedback(service.id, entries)
    logs.logger().info("feedback", service=service.id, entries=len(entries))
    return Response(b'{"stored":%d}' % len(entries), mimetype=JSON)
