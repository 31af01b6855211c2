"""What the log says of a call that is refused: which one it was, so that the EHR can find it.

Only words of ours and a UUID: an address and a body may carry anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from flask import g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from cds_service.protocol.request import is_uuid
from cds_service.web import metrics

MOST_READ = 64 * 1024  # bytes of a body that gunicorn would skip anyway
PATIENCE = 0.25  # seconds for a body that the client says it has sent


def route() -> str:
    """The address as it is declared, never as it was sent."""
    return request.url_rule.rule if request.url_rule else "none"


def named() -> dict[str, str]:
    """The service, and the hook instance where it is known already."""
    details = {"service": metrics.named_service(), "hook_instance": g.get("hook_instance", "")}
    return {name: text for name, text in details.items() if text}


def remember(hook_instance: str) -> None:
    """Keep the id of the call under way for a line about its refusal."""
    g.hook_instance = hook_instance if is_uuid(hook_instance) else "not a UUID"


def peek() -> None:
    """Look into the body of a call whose token is refused, where it is small and there already: a
    client without a token must not hold a thread by sending slowly."""
    size = request.content_length
    if request.method != "POST" or size is None or not 0 < size <= MOST_READ:
        return
    try:
        with _at_once():
            parsed = orjson.loads(request.get_data(cache=False, parse_form_data=False))
    except (OSError, HTTPException, ParseException, orjson.JSONDecodeError):
        return
    instance = parsed.get("hookInstance") if isinstance(parsed, dict) else None
    if isinstance(instance, str) and instance:
        remember(instance)


@contextmanager
def _at_once() -> Iterator[None]:
    """No waiting for bytes that have not come; there is no socket in tests without a server."""
    connection: Any = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    usual = connection.gettimeout()
    connection.settimeout(PATIENCE)
    try:
        yield
    finally:
        connection.settimeout(usual)
