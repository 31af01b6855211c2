"""GET /schemas/{name}: JSON Schemas of what administrators write and of what passes the wire."""

from importlib.resources import files

from flask import Blueprint, Response

from cds_service.errors import ServiceError
from cds_service.web.errors import JSON

blueprint = Blueprint("schemas", __name__)

_SUFFIX = ".schema.json"
_FOLDER = files("cds_service") / "schemas"
_NAMES = frozenset(file.name for file in _FOLDER.iterdir() if file.name.endswith(_SUFFIX))


@blueprint.get("/schemas/<name>")
def schema(name: str) -> Response:
    """One schema, named as rule files name it: `rule.schema.json`."""
    if name not in _NAMES:
        raise ServiceError(404, "not-found", "No schema has this name.", "not-found")
    return Response((_FOLDER / name).read_bytes(), mimetype=JSON)
