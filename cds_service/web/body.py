"""The body of a POST: declared as JSON, not compressed, and not larger than the service reads."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.utils import get_content_length

from cds_service.errors import BadRequest, ServiceError
from cds_service.web.errors import JSON


def read() -> bytes:
    """The bytes of the body.

    Werkzeug refuses a Content-Length above MAX_CONTENT_LENGTH, but cuts a chunked body off there
    without a word. It is set one byte higher than our limit, so that a cut shows.
    """
    environ, most = request.environ, current_app.config["MAX_BODY"]
    if environ.get("CONTENT_TYPE") != JSON and not _is_json(request.mimetype):
        raise _unsupported("The body must be declared as application/json.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise _unsupported("The body must not be compressed.")
    try:
        content = _content(environ, most)
    except (OSError, ParseException):  # the server reads the body only now: chunks, trailers
        raise BadRequest(
            "request-malformed", "The body could not be read as it was sent."
        ) from None
    if len(content) > most:
        raise RequestEntityTooLarge
    return content


def _is_json(kind: str) -> bool:
    """Whether a media type is one of JSON; nothing declared is taken for it."""
    return not kind or kind == JSON or kind.endswith("+json")


def _content(environ: Mapping[str, Any], most: int) -> bytes:
    """Of a length that was said, in one go: read in pieces of 64 kB as Werkzeug does, 2 MB are
    copied many times over by the server."""
    length = get_content_length(
        environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    )
    if not length:  # none was said, or none that is a number
        return request.get_data(cache=False, parse_form_data=False)
    if length > most:
        raise RequestEntityTooLarge
    sent: bytes = environ["wsgi.input"].read(length)
    return sent


def _unsupported(message: str) -> ServiceError:
    return ServiceError(415, "media-type", message, "not-supported")
