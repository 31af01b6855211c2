"""GET /cds-services: what an EHR can subscribe to."""

from flask import Blueprint, Response

from cds_service.protocol import discovery
from cds_service.web import runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("discovery", __name__)


@blueprint.get("/cds-services")
def services() -> Response:
    """The discovery document of the pack in force."""
    return Response(discovery.write(runtime.current().pack.services), mimetype=JSON)
