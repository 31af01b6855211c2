"""Bytes of a request body into JSON: checked once as a whole, read no further than that takes.

What stands at the top, in `context` and in `prefetch` decides whose call it is and what it asks
for: a name that comes twice there is refused, because two readers that resolve it differently would
see two calls in one. Everywhere else the last of two equal keys counts, as with most JSON parsers
(docs/decisions/0010-speed.md).
"""

from typing import Any, NoReturn

import orjson
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from cds_service.errors import BadRequest, ServiceError
from cds_service.protocol.raw import Raw, decoded, on_any_stack

Json = Any
_UTF8_BOM = b"\xef\xbb\xbf"


_MOST_NAMES = 1_000  # in one object; a service asks for about ten prefetch keys
_TOO_MANY_NAMES = f"An object of the call has more than {_MOST_NAMES} names."
_TWICE = "An object in the body names a key twice."


class Member(str):
    """A name at the top of a call."""

    __slots__ = ()


class Inner(str):
    """A name inside one of the objects there."""

    __slots__ = ()


_INSIDE = dict[Inner, Raw]
_CALL = dict[Member, _INSIDE | list[Raw] | str | int | float | bool | None]
_ANY_CALL = dict[Member, Raw]


def decode(body: bytes) -> Json:
    """The JSON value in `body`. Raises BadRequest; the message never quotes the body."""
    return decoded(checked(body))


def checked(body: bytes) -> Raw:
    """The JSON value in `body`, not read. Raises BadRequest as `decode` does."""
    raw: Raw = _read(_text(body), Raw)
    return raw


def decode_object(body: bytes) -> dict[str, Json]:
    """The JSON object in `body`."""
    return {name: decoded(value) for name, value in _members(_text(body)).items()}


def decode_call(body: bytes) -> dict[str, Json]:
    """The JSON object of a service call. What stands inside an object of it is `Raw`."""
    body = _text(body)
    try:
        call: dict[str, Json] = _read(body, _CALL)
    except ValidationError:  # a number that is no int and no float, or no object at all
        return {name: _inside(value) for name, value in _members(body).items()}
    return call


def _members(body: bytes) -> dict[str, Raw]:
    try:
        members: dict[str, Raw] = _read(body, _ANY_CALL)
    except ValidationError:
        _read(body, Raw)
        raise BadRequest("body-not-object", "The body must be a JSON object.") from None
    return members


def _inside(value: Raw) -> Json:
    try:
        return on_any_stack(Decoder(_INSIDE, dec_hook=_Names()).decode, value)
    except ValidationError:  # no object
        return decoded(value)


def _read(body: bytes, shape: Any) -> Any:
    """Raises BadRequest where the body is not JSON, ValidationError where its shape is another."""
    try:
        return Decoder(shape, dec_hook=_Names()).decode(body)
    except ValidationError:
        raise
    except DecodeError:
        _refuse(body)
    except RecursionError:
        raise BadRequest("json-too-deep", "The body is nested too deeply.") from None


class _Names:
    """Takes the names of a call in the order sent, and refuses one that comes twice."""

    def __init__(self) -> None:
        self._top: set[str] = set()
        self._inner: set[str] = set()

    def __call__(self, kind: type[str], name: str) -> str:
        if kind is Member:
            self._inner.clear()
        seen = self._top if kind is Member else self._inner
        if name in seen:
            raise BadRequest("json-duplicate-key", _TWICE)
        if len(seen) >= _MOST_NAMES:
            raise ServiceError(413, "too-many-resources", _TOO_MANY_NAMES, "too-costly")
        seen.add(name)
        return kind(name)


def _text(body: bytes) -> bytes:
    """The body without a byte order mark. That all of it is UTF-8 is looked at here alone."""
    body = body.removeprefix(_UTF8_BOM)
    if not body.strip():
        raise BadRequest("body-empty", "The request has no body.")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeError:
            raise BadRequest("json-malformed", "The body is not UTF-8.") from None
    return body


def _refuse(body: bytes) -> NoReturn:
    where = ""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f": line {error.lineno}, column {error.colno}"
    raise BadRequest("json-malformed", f"The body is not JSON{where}.") from None
