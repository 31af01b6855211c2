"""The short routes: discovery, feedback, health, metrics, schemas, OpenAPI and questionnaire.

The calls themselves stand in `invoke`, the pages about rules in `sources`. A 200 to feedback means
that it is stored.
"""

from importlib.resources import files

import orjson
from flask import Blueprint, Response, current_app, request

from cds_service import logs
from cds_service.errors import ServiceError
from cds_service.protocol import discovery
from cds_service.protocol.feedback import parse_feedback
from cds_service.sources.page import SIGN_OFF
from cds_service.sources.questionnaire import questionnaire_of, questions, searchset
from cds_service.web import auth, body, languages, metrics, pages, runtime
from cds_service.web.errors import JSON
from cds_service.web.openapi import document as openapi_document

# By these names `auth` and `overload` know what is open and what answers under load.
discovery_routes = Blueprint("discovery", __name__)
feedback_routes = Blueprint("feedback", __name__)
health_routes = Blueprint("health", __name__)
document_routes = Blueprint("documents", __name__)
BLUEPRINTS = (discovery_routes, feedback_routes, health_routes, document_routes)

FHIR = "application/fhir+json"
_SUFFIX = ".schema.json"
_FOLDER = files("cds_service") / "schemas"
_NAMES = frozenset(file.name for file in _FOLDER.iterdir() if file.name.endswith(_SUFFIX))


@discovery_routes.get("/cds-services")
def services() -> Response:
    """The discovery document of the pack in force."""
    active = runtime.current()
    language = languages.chosen(active.pack.translations, auth.dialect().language)
    services = active.services_in(language)
    written = discovery.write(services, versions=auth.dialect().reads_3_0)
    return Response(written, mimetype=JSON, headers=languages.headers(language))


@feedback_routes.post("/cds-services/<service_id>/feedback")
def feedback(service_id: str) -> Response:
    """Take a batch of feedback, all of it or none."""
    active = runtime.current()
    service = runtime.enabled_service(active, service_id)
    entries = parse_feedback(body.read())
    active.record_feedback(service, entries)
    metrics.count_feedback(service.id, entries)
    logs.logger().info("feedback", service=service.id, entries=len(entries))
    return Response(b'{"stored":%d}' % len(entries), mimetype=JSON)


@health_routes.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers at all."""
    return Response(b'{"status":"alive"}', mimetype=JSON)


@health_routes.get("/readyz")
def readyz() -> Response:
    """200 while the database can be used (`service.runtime`, health), else 503; the same report of
    all dependencies in both cases."""
    report = dict(runtime.current().health())
    keys = auth.health()
    if keys is not None:
        report["keys"] = keys
    status = 200 if report.get("ready") is True else 503
    return Response(orjson.dumps(report, default=str), status=status, mimetype=JSON)


@health_routes.get("/metrics")
def prometheus() -> Response:
    """Prometheus text format."""
    metrics.set_hanging(runtime.current().hanging)
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


@document_routes.get("/schemas/<name>")
def schema(name: str) -> Response:
    """One schema, named as rule files name it: `rule.schema.json`."""
    if name not in _NAMES:
        raise ServiceError(404, "not-found", "No schema has this name.", "not-found")
    return Response((_FOLDER / name).read_bytes(), mimetype=JSON)


@document_routes.get("/openapi.json")
def openapi() -> Response:
    """The description of this installation."""
    description = openapi_document(current_app.config["PUBLIC_URL"])
    return Response(orjson.dumps(description), mimetype=JSON)


@document_routes.get("/Questionnaire")
def questionnaires() -> Response:
    """A searchset by canonical address, as form fillers look questionnaires up."""
    base = f"{current_app.config['PUBLIC_URL'] or request.host_url.rstrip('/')}/Questionnaire"
    bundle = searchset(runtime.current().pack, request.args.get("url"), base)
    return Response(orjson.dumps(bundle), mimetype=FHIR)


@document_routes.get("/Questionnaire/<name>")
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
