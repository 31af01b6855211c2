"""GET /Questionnaire/{name}: the leg-symptom questionnaire, as FHIR R4 and as a page."""

import orjson
from flask import Blueprint, Response

from cds_service.errors import ServiceError
from cds_service.sources.page import SIGN_OFF
from cds_service.sources.questionnaire import questionnaire_of, questions
from cds_service.web import pages, runtime
from cds_service.web.errors import JSON

blueprint = Blueprint("questionnaire", __name__)

FHIR = "application/fhir+json"


@blueprint.get("/Questionnaire/<name>")
def questionnaire(name: str) -> Response:
    """FHIR for programs and whoever has no preference; a page for browsers."""
    pack = runtime.current().pack
    resource = questionnaire_of(pack, name)
    if resource is None:
        raise ServiceError(404, "not-found", "No questionnaire has this id.", "not-found")
    if pages.wants(FHIR, JSON, pages.HTML) != pages.HTML:
        response = Response(orjson.dumps(resource), mimetype=FHIR)
        response.vary.add("Accept")
        return response
    return pages.page(
        "questionnaire.html",
        resource=resource,
        questions=questions(pack, resource),
        signed_off=SIGN_OFF,
    )
