"""GET /openapi.json: the service described in OpenAPI 3.1."""

from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Response, current_app

from cds_service.web.errors import JSON

blueprint = Blueprint("openapi", __name__)


def document(public_url: str = "") -> dict[str, Any]:
    """The description; `servers` names the public address where one is configured."""
    data: dict[str, Any] = orjson.loads(
        (files("cds_service") / "schemas/openapi.json").read_bytes()
    )
    if public_url:
        data["servers"] = [{"url": public_url}]
    return data


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of this installation."""
    return Response(orjson.dumps(document(current_app.config["PUBLIC_URL"])), mimetype=JSON)
