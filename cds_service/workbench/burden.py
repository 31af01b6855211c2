"""Burden: a population run's `summary.json` as plots. The file is read from the request alone."""

import orjson
from flask import Blueprint, Response, request
from jinja2 import UndefinedError
from markupsafe import Markup

from cds_service.errors import BadRequest
from cds_service.workbench import views

_TABLE = '<div class="scroll">'
_FOR_KEYS = '<div class="scroll" tabindex="0" role="region" aria-label="Numbers">'


def add(blueprint: Blueprint) -> None:
    """Add the page."""
    blueprint.add_url_rule("/burden", "burden", burden, methods=["GET", "POST"])


def burden() -> Response:
    """How to make a run, and the run that was opened."""
    upload = request.files.get("summary") if request.method == "POST" else None
    report = _report(upload.stream.read()) if upload is not None else None
    return views.page("burden.html", "burden", report=report)


def _report(content: bytes) -> Markup:
    """The body of the run's report. Its template escapes every text. Raises BadRequest."""
    from cds_service.population.report import write_report

    try:
        whole = write_report(orjson.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError, UndefinedError):
        raise BadRequest(
            "summary-unreadable", "That is no summary.json of a population run."
        ) from None
    body = whole.partition("<body>")[2].partition("</body>")[0]
    return Markup(body.replace(_TABLE, _FOR_KEYS))
