"""Bytes of a request body into JSON values: strict JSON, one patient, bounded depth.

Two readers that resolve a duplicate key differently would see two patients in one request. A body
that names a patient more than once is therefore looked through for duplicate keys, and so is any
that is small enough for the check to cost nothing; elsewhere the last of two equal keys counts
(docs/decisions/0010-speed.md).
"""

import json
import re
from typing import Any, NoReturn

import orjson

from cds_service.errors import BadRequest
from cds_service.protocol import results

_KEY_END = b'":'
_PATIENT = b'"patientId"'
_SMALL = 16_384  # bytes; checking a typical chart takes as long as reading it
_SPACE = b" \t\n\r"
# Escapes of a quote, colon or space, which would hide a key's end from the count.
_ESCAPED = re.compile(rb"\\u00(?:2[02]|3[aA])")
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
    if len(body) <= _SMALL or _names_patients(body):
        _refuse_duplicates(body, value)
    return value


def decode_call(body: bytes) -> dict[str, Any]:
    """The JSON object of a service call. `prefetch.observations` of a large one may be `Results`,
    which are read as a whole only where somebody asks for them."""
    body = body.removeprefix(_UTF8_BOM)
    if len(body) > _SMALL and not _names_patients(body):
        call = results.read_call(body)
        if call is not None:
            return call
    return decode_object(body)


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`."""
    value = decode(body)
    if not isinstance(value, dict):
        raise BadRequest("body-not-object", "The body must be a JSON object.")
    return value


def _names_patients(body: bytes) -> bool:
    """Whether a patient is named more than once. Both ends are looked from: faster than a count."""
    return body.find(_PATIENT) != body.rfind(_PATIENT)


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
    if _keys(again) == _keys(body) and not (b"\\u00" in body and _ESCAPED.search(body)):
        return
    json.loads(body, object_pairs_hook=_unique, parse_int=str, parse_float=str)


def _keys(content: bytes) -> int:
    """How many keys, and texts that look like a key's end: the same number in both."""
    return content.translate(None, _SPACE).count(_KEY_END)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("json-duplicate-key", "An object in the body names a key twice.")
    return found


def _too_deep() -> BadRequest:
    return BadRequest("json-too-deep", "The body is nested more than 250 levels deep.")
