"""GET /sources and /sources/{rule}: what a card rests on, as a page and as JSON."""

import orjson
from flask import Blueprint, Response, g

from cds_service.errors import ServiceError
from cds_service.sources.page import index, page, rule_of
from cds_service.web import pages, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("sources", __name__)


@blueprint.get("/sources")
def all_sources() -> Response:
    """The rules by group."""
    groups = index(runtime.current().pack)
    if pages.wants(pages.HTML, JSON) == JSON:
        return _json(groups)
    return pages.page("sources.html", listed=groups)


@blueprint.get("/sources/<rule>")
def source(rule: str) -> Response:
    """One rule's page, under the settings and profile in force."""
    pack = runtime.current().pack
    known = rule_of(pack, rule)
    if known is None:
        return _unknown()
    shown = page(pack, known)
    if pages.wants(pages.HTML, JSON) == JSON:
        return _json(shown)
    return pages.page("source.html", shown=shown)


def _json(content: object) -> Response:
    response = Response(orjson.dumps(content, option=orjson.OPT_INDENT_2), mimetype=JSON)
    response.vary.add("Accept")
    return response


def _unknown() -> Response:
    """A browser gets the reason as a page, everybody else as an OperationOutcome."""
    error = ServiceError(404, "not-found", "No rule has this id; see /sources.", "not-found")
    if not pages.names_html():
        raise error
    g.error_code = error.code
    return pages.page("problem.html", status=error.status, error=error)
