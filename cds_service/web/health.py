"""For operators: is the process alive, can it answer, and how much does it do."""

import orjson
from flask import Blueprint, Response

from cds_service.web import auth, metrics, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers at all."""
    return Response(b'{"status":"alive"}', mimetype=JSON)


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 when every dependency is there, else 503; the same report in both cases."""
    report = dict(runtime.current().health())
    keys = auth.health()
    if keys is not None:
        report["keys"] = keys
    status = 200 if report.get("ready") is True else 503
    return Response(orjson.dumps(report, default=str), status=status, mimetype=JSON)


@blueprint.get("/metrics")
def prometheus() -> Response:
    """Prometheus text format."""
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
