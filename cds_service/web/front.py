"""GET /: the workbench where it is on, else a short page; for programs an index of the routes."""

import orjson
from flask import Blueprint, Response, current_app

from cds_service.sources.page import SIGN_OFF
from cds_service.web import pages
from cds_service.web.errors import JSON

blueprint = Blueprint("front", __name__)
_WORKBENCH = "workbench"
_ROUTES = {
    "discovery": "/cds-services",
    "call": "/cds-services/{id}",
    "feedback": "/cds-services/{id}/feedback",
    "sources": "/sources",
    "source": "/sources/{rule}",
    "questionnaire": "/Questionnaire/leg-symptoms",
    "health": "/healthz",
    "readiness": "/readyz",
    "metrics": "/metrics",
    "schemas": "/schemas/{name}",
    "openapi": "/openapi.json",
}


@blueprint.get("/")
def front() -> Response:
    """What there is, for whoever asks without knowing an address."""
    workbench = _WORKBENCH in current_app.blueprints
    if not pages.names_html():
        routes = {**_ROUTES, **({"workbench": "/workbench"} if workbench else {})}
        response = Response(orjson.dumps({"routes": routes}), mimetype=JSON)
        response.vary.add("Accept")
        return response
    if not workbench:
        return pages.page("front.html", signed_off=SIGN_OFF)
    from cds_service.workbench import routes as workbench_routes

    return workbench_routes.front()
