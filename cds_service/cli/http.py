"""Calls to a running service from the command line (never while answering a call).

A client of our own service for people at a terminal; the EHR's FHIR server is the business of
`gather`.
"""

from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.errors import ConfigurationError

SECONDS = 30.0
Json = Any


def get(url: str, token: str = "") -> dict[str, Json]:
    """The JSON object at `url`. Raises ConfigurationError that says what came instead."""
    return _exchange("GET", url, None, token)


def post(url: str, content: bytes, token: str = "", language: str = "") -> dict[str, Json]:
    """The JSON answer to a request. Raises ConfigurationError with the OperationOutcome's words."""
    return _exchange("POST", url, content, token, language)


def _exchange(
    method: str, url: str, content: bytes | None, token: str, language: str = ""
) -> dict[str, Json]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{url} is no http(s) address.")
    import requests  # costs a tenth of a second, and most commands call nobody

    headers = {"Content-Type": "application/json"} if content is not None else {}
    if language:
        headers["Accept-Language"] = language
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = requests.request(
            method, url, data=content, headers=headers, timeout=SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise ConfigurationError(
            f"{parts.scheme}://{parts.netloc} does not answer ({type(error).__name__}).",
            "Start it with: cds serve",
        ) from error
    return _read(url, answer.status_code, answer.content)


def _read(url: str, status: int, body: bytes) -> dict[str, Json]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if status == 200 and isinstance(parsed, dict):
        return parsed
    raise ConfigurationError(f"{url} answered {status}: {_words(parsed)}")


def _words(parsed: Json) -> str:
    """The diagnostics of an OperationOutcome."""
    issues = parsed.get("issue", []) if isinstance(parsed, dict) else []
    told = [issue.get("diagnostics", "") for issue in issues if isinstance(issue, dict)]
    return "; ".join(text for text in told if text) or "not the JSON that was expected"
