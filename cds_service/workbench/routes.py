"""The blueprint, who is let in, how much is taken at a time, and errors as a person reads them."""

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from cds_service.errors import ServiceError
from cds_service.protocol import outcome
from cds_service.rules.words import with_unit
from cds_service.workbench import (
    burden,
    calls_page,
    edit,
    feedback_page,
    home,
    mutants,
    questionnaire_page,
    rule_pages,
    take_away,
    token_pages,
    try_chart,
    views,
)
from cds_service.workbench.bench import EXTENSION, Bench, current

_PAGES = (
    home,
    try_chart,
    take_away,
    rule_pages,
    mutants,
    edit,
    burden,
    calls_page,
    token_pages,
    feedback_page,
    questionnaire_page,
)
_OF_FOLDERS = frozenset({"workbench.compare_charts", "workbench.edit_cards"})
MOST_OF_A_FOLDER = 256_000_000  # bytes of charts that are compared at a time
MOST_FIELDS = 5_000  # of a form: a row of the chart has up to six


def install(app: Flask, bench: Bench) -> None:
    """Add the workbench to an application."""
    app.extensions[EXTENSION] = bench
    blueprint = Blueprint(
        "workbench",
        __name__,
        url_prefix="/workbench",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    blueprint.add_app_template_filter(with_unit)
    blueprint.before_request(_admit)
    blueprint.register_error_handler(ServiceError, _problem)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    for module in _PAGES:
        module.add(blueprint)
    if bench.serving:
        calls_page.watch(app, bench)
    app.register_blueprint(blueprint)


def front() -> Response:
    """The page at `/`: the workbench's home."""
    current().guard.admit()
    return home.home()


def _admit() -> None:
    if request.endpoint in _OF_FOLDERS:
        request.max_content_length = MOST_OF_A_FOLDER
    request.max_form_memory_size = request.max_content_length
    request.max_form_parts = MOST_FIELDS
    current().guard.admit()


def _too_large(_: RequestEntityTooLarge) -> Response:
    """More than the service reads of a call, or more fields than a page has."""
    words = "That is more than the service reads at a time (CDS_MAX_BODY_BYTES)."
    return _problem(ServiceError(413, "body-too-large", words, "too-long"))


def _problem(error: ServiceError) -> Response:
    """The reason as a page, or as the part that a script asked for."""
    g.error_code = error.code
    if error.status == 403:  # whoever is refused gets no page of ours
        return Response(outcome.write(error), status=403, mimetype="application/json")
    if views.by_script():
        return views.part("problem_part.html", status=error.status, error=error)
    return views.page("problem.html", "", status=error.status, error=error)
