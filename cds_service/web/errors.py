"""Every error of every route as an OperationOutcome. Nothing here turns a fault into "no cards"."""

from http import HTTPStatus
from uuid import uuid4

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from cds_service import logs
from cds_service.errors import IssueType, ServiceError
from cds_service.protocol import outcome
from cds_service.web import refusal_log

JSON = "application/json"
REALM = "cds-services"

_BY_STATUS: dict[int, tuple[str, str, IssueType]] = {
    400: ("request-malformed", "The request could not be read.", "invalid"),
    404: ("not-found", "There is nothing at this address.", "not-found"),
    405: ("method-not-allowed", "This address does not answer the method.", "not-supported"),
    413: ("body-too-large", "The body is larger than the service reads.", "too-long"),
    415: ("media-type", "The body must be JSON.", "not-supported"),
    503: ("unavailable", "The service cannot answer now.", "transient"),
}

# A token's refusal and a fault of ours have lines of their own, which say more.
_LOGGED_ELSEWHERE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR)


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(ServiceError, respond)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)
    app.logger.disabled = True  # Flask's own log of a failing handler would quote the exception


def respond(error: ServiceError) -> Response:
    """The response for an error that has a reason to give."""
    g.error_code, g.error_message = error.code, error.message
    if error.status not in _LOGGED_ELSEWHERE:
        more = _details(error)
        logs.logger().info(
            "refused", route=refusal_log.route(), status=error.status, code=error.code, **more
        )
    response = Response(outcome.write(error), status=error.status, mimetype=JSON)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = _challenge()
    return response


def _challenge() -> str:
    """RFC 6750, 3: no error code for whoever sent no credentials."""
    sent = ', error="invalid_token"' if request.headers.get("Authorization") else ""
    return f'Bearer realm="{REALM}"{sent}'


def _details(error: ServiceError) -> dict[str, str]:
    """Which service and call, and of data that is needed and not there which key, and why: words
    of ours alone. What a malformed request holds is not for the log."""
    details = refusal_log.named()
    if error.status == HTTPStatus.PRECONDITION_FAILED:
        details |= {"key": error.expression.removeprefix("prefetch."), "hint": error.message}
    return details


def _http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _fault(error)
    if status not in _BY_STATUS:
        status = 400 if 400 <= status < 500 else 503
    code, message, issue = _BY_STATUS[status]
    response = respond(ServiceError(status, code, message, issue))
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return response


def _fault(error: Exception) -> Response:
    """A failure of ours: the client gets an id to quote, the log gets type and place."""
    error_id = str(uuid4())
    logs.logger().error("fault", error_id=error_id, **logs.describe_exception(error))
    return respond(
        ServiceError(500, "internal", f"The service failed. Error id: {error_id}", "exception")
    )
