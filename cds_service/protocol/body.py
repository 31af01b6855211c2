"""Bytes of a request body into JSON values: strict JSON, no duplicate keys, bounded depth.

Two readers that resolve a duplicate key differently would see two patients in one request, so a
duplicate is refused. The check costs one serialisation; the body is read twice only when the sizes
leave a doubt.
"""

import json
from typing import Any, NoReturn

import orjson

from cds_service.errors import BadRequest

_KEY_END = b'":'
_UTF8_BOM = b"\xef\xbb\xbf"


def decode(body: bytes) -> Any:
    """The JSON value in `body`. Raises BadRequest; the message never quotes the body."""
    body = body.removeprefix(_UTF8_BOM)
    if not body.strip():
        raise BadRequest("body-empty", "The request has no body.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _refuse(error)
    _refuse_duplicates(body, value)
    return value


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`."""
    value = decode(body)
    if not isinstance(value, dict):
        raise BadRequest("body-not-object", "The body must be a JSON object.")
    return value


def _refuse(error: orjson.JSONDecodeError) -> NoReturn:
    if "depth" in error.msg:
        raise _too_deep() from None
    raise BadRequest(
        "json-malformed", f"The body is not JSON: line {error.lineno}, column {error.colno}."
    ) from None


def _refuse_duplicates(body: bytes, value: Any) -> None:
    """Compare what was read with what was sent; orjson keeps the last of two equal keys."""
    try:
        again = orjson.dumps(value)
    except TypeError:  # orjson writes at most 254 levels
        raise _too_deep() from None
    if len(again) == len(body) or again.count(_KEY_END) == body.count(_KEY_END):
        return
    json.loads(body, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("json-duplicate-key", "An object in the body names a key twice.")
    return found


def _too_deep() -> BadRequest:
    return BadRequest("json-too-deep", "The body is nested more than 250 levels deep.")
