"""Bytes of a request body into JSON: checked once as a whole, read no further than that takes.

What stands at the top, in `context` and in `prefetch` decides whose call it is and what it asks
for: a name that comes twice there is refused, because two readers that resolve it differently would
see two calls in one. Everywhere else the last of two equal keys counts, as with most JSON parsers
(docs/decisions/0010-speed.md).
"""

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

import orjson
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from cds_service.errors import BadRequest, ServiceError
from cds_service.protocol.entries import Opened, Sent, Shape, sent
from cds_service.protocol.raw import Raw, decoded, on_any_stack

Json = Any
_UTF8_BOM = b"\xef\xbb\xbf"


_MOST_NAMES = 1_000  # in one object; a service asks for about ten prefetch keys
# A body that is opened at once may take this much, or hold so many elements and members; 20,000
# resources hold half as many.
_LARGE = 4_000_000  # bytes
_MOST_COMMAS = 1_000_000
_TOO_MANY_NAMES = f"An object of the call has more than {_MOST_NAMES} names."
_TWICE = "An object in the body names a key twice."


class Member(str):
    """A name at the top of a call."""

    __slots__ = ()


class Inner(str):
    """A name inside one of the objects there."""

    __slots__ = ()


_Plain = str | int | float | bool | None
_Inside = dict[Inner, Raw]
_FORMS: Mapping[str, Any] = {
    "raw": Raw,  # any JSON
    "members": dict[Member, Raw],
    "inside": _Inside,
    "parts": dict[Member, _Inside | list[Raw] | _Plain],
    "shapes": dict[Member, dict[Inner, Shape] | list[Raw] | _Plain],
    "opened": dict[str, dict[str, Opened | list[Raw] | _Plain] | list[Raw] | _Plain],
}


def decode(body: bytes) -> Json:
    """The JSON value in `body`. Raises BadRequest; the message never quotes the body."""
    return decoded(checked(body))


def checked(body: bytes) -> Raw:
    """The JSON value in `body`, not read. Raises BadRequest as `decode` does."""
    raw: Raw = _read(_text(body), "raw")
    return raw


def decode_object(body: bytes) -> dict[str, Json]:
    """The JSON object in `body`."""
    return {name: decoded(value) for name, value in _members(_text(body)).items()}


def decode_call(body: bytes) -> dict[str, Json]:
    """The JSON object of a service call. What stands inside an object of it is `Raw`."""
    return _call(_text(body))


def _call(body: bytes) -> dict[str, Json]:
    try:
        call: dict[str, Json] = _read(body, "parts")
    except ValidationError:  # a number that is no int and no float, or no object at all
        return {name: _inside(value) for name, value in _members(body).items()}
    return call


class Call:
    """A service call, read once: what stands inside an object of it is a `Shape`, with the heads
    of the resources in it. What stands in a part is looked for when somebody asks, in all parts at
    once.

    Raises BadRequest as `decode_call`.
    """

    __slots__ = ("_body", "_opened", "_raws", "_shapes")

    def __init__(self, body: bytes) -> None:
        self._body = _text(body)
        self._raws: Mapping[str, Json] = {}
        self._opened: Mapping[str, Json] | None = None
        self._shapes: Mapping[str, Json] | None = None
        try:
            self._shapes = _readers.decode("shapes", self._body)
        except (DecodeError, RecursionError):  # not JSON, or JSON in a place where none is expected
            self._raws = _call(self._body)

    def get(self, name: str) -> Json:
        """What stands at the top under a name, None without it: a plain value, or an object."""
        members = self._raws if self._shapes is None else self._shapes
        return members.get(name)

    def plain(self, name: str) -> Json:
        """The same; of an object the plain values, and what else it holds in no form to rely on."""
        held = self.get(name)
        if self._shapes is None and isinstance(held, dict):
            return {key: decoded(raw) for key, raw in held.items()}
        return held

    def raws(self, name: str) -> dict[str, Raw]:
        """The parts of an object, not read."""
        if not self._raws:  # a call has members
            self._raws = on_any_stack(partial(_readers.decode, "parts"), Raw(self._body))
        held: dict[str, Raw] = self._raws[name]
        return held

    def sent(self, name: str) -> dict[str, Sent]:
        """The parts of an object as far as their heads."""
        if self._shapes is None:
            return {key: sent(raw) for key, raw in self.raws(name).items()}
        shapes: dict[str, Shape] = self._shapes[name]
        part, opened = self._part, self._open
        return {
            key: Sent(shape, partial(part, name, key), partial(opened, name, key))
            for key, shape in shapes.items()
        }

    def _part(self, name: str, key: str) -> Raw:
        return self.raws(name)[key]

    def _open(self, name: str, key: str) -> Json:
        if self._opened is None:
            self._opened = self._all_opened()
        return self._opened[name][key] if self._opened else None

    def _all_opened(self) -> Mapping[str, Json]:
        """Empty where that might take too much room, or is not to be had."""
        if len(self._body) > _LARGE and self._body.count(b",") > _MOST_COMMAS:
            return {}
        try:
            opened: Mapping[str, Json] = on_any_stack(
                partial(_readers.decode, "opened"), Raw(self._body)
            )
        except DecodeError:  # a number too large for one, half of a surrogate pair
            return {}
        return opened


def _members(body: bytes) -> dict[str, Raw]:
    try:
        members: dict[str, Raw] = _read(body, "members")
    except ValidationError:
        _read(body, "raw")
        raise BadRequest("body-not-object", "The body must be a JSON object.") from None
    return members


def _inside(value: Raw) -> Json:
    try:
        return on_any_stack(partial(_readers.decode, "inside"), value)
    except ValidationError:  # no object
        return decoded(value)


def _read(body: bytes, shape: str) -> Any:
    """Raises BadRequest where the body is not JSON, ValidationError where its shape is another."""
    try:
        return _readers.decode(shape, body)
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

    def forget(self) -> None:
        """Before another call."""
        self._top.clear()
        self._inner.clear()

    def __call__(self, kind: type[str], name: str) -> str:
        if kind is Member:
            self._inner.clear()
            seen = self._top
        else:
            seen = self._inner
        if name in seen:
            raise BadRequest("json-duplicate-key", _TWICE)
        if len(seen) >= _MOST_NAMES:
            raise ServiceError(413, "too-many-resources", _TOO_MANY_NAMES, "too-costly")
        seen.add(name)
        return kind(name)


class _Readers(threading.local):
    """The decoders of one thread: to make one takes longer than to read a small call."""

    def __init__(self) -> None:
        self._names = _Names()
        self._decoders = {
            name: Decoder(shape, dec_hook=self._names) for name, shape in _FORMS.items()
        }

    def decode(self, form: str, body: bytes | Raw) -> Any:
        """The body in one of `_FORMS`. Raises what msgspec raises, and what `_Names` does."""
        self._names.forget()
        return self._decoders[form].decode(body)


_readers = _Readers()


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
