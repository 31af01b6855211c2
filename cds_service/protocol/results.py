"""The results of a large call, read no further than putting them in order takes.

Most of a chart are Observations, and of most of those nothing is ever asked but the code, the
status and the date: the newest usable one decides. Reading the rest of them would take longer than
all else in a call. So Observations of the common shape are read into small structures, and one of
them as a whole when somebody asks for it.

Nothing is decided by this: what does not fit the structures is left to the reader of whole calls
(`protocol.body`), which also words the errors.
"""

from typing import Any, Literal

import orjson
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType
from msgspec.json import Decoder

from cds_service.errors import BadRequest
from cds_service.protocol.bundles import next_link

Json = Any
_LARGEST = 2**63 - 1


class _Part(Struct, rename="camel", gc=False):
    """A part of a call. Members that it does not name are passed over."""


class Reference(_Part):
    """`subject`."""

    reference: str


class Coding(_Part):
    """A coding of the usual shape has nothing in `coding` and `concept`."""

    system: str = ""
    code: str = ""
    coding: Raw = Raw(b"")
    concept: Raw = Raw(b"")


class Concept(_Part):
    """`code`. A concept of the usual shape has codings and nothing in the rest."""

    coding: list[Coding] = []
    code: Raw = Raw(b"")
    concept: Raw = Raw(b"")

    def is_usual(self) -> bool:
        """Whether its codings say all that the concept says."""
        for one in self.coding:  # written out: this is the hot path
            if one.coding or one.concept or not one.code:
                return False
        return bool(self.coding) and not (self.code or self.concept)


class Result(_Part):
    """An Observation. Texts are "" and other members empty where they are missing."""

    resource_type: Literal["Observation"]
    code: Concept
    subject: Reference
    id: str = ""
    status: str = ""
    effective_date_time: str = ""
    component: Raw = Raw(b"")
    value_codeable_concept: Raw = Raw(b"")

    def says_all(self) -> bool:
        """Whether its codes are all that a reader has to look for."""
        return not (self.component or self.value_codeable_concept) and self.code.is_usual()


class Entry(_Part):
    """An entry of the Bundle. Its address matters to nobody: only Conditions, Medications and
    patients are referred to."""

    resource: Result


class _Bundle(_Part):
    resource_type: Literal["Bundle"]
    entry: list[Entry]
    total: Json = UNSET
    link: Json = UNSET


class _Prefetch(_Part, forbid_unknown_fields=True):
    """The keys that discovery asks for; any other may hold anything, Observations too."""

    observations: _Bundle
    patient: Json = UNSET
    encounter: Json = UNSET
    conditions: Json = UNSET
    medication_requests: Json = UNSET
    medication_statements: Json = UNSET
    procedures: Json = UNSET
    service_requests: Json = UNSET


class _Call(_Part):
    prefetch: _Prefetch
    hook: Json = UNSET
    hook_instance: Json = UNSET
    fhir_server: Json = UNSET
    fhir_authorization: Json = UNSET
    context: Json = UNSET


class _RawEntry(_Part):
    resource: Raw


class _RawBundle(_Part):
    entry: list[_RawEntry]


class _RawPrefetch(_Part):
    observations: _RawBundle


class _RawCall(_Part):
    prefetch: _RawPrefetch


_CALL = Decoder(_Call)
_RAW = Decoder(_RawCall)


class Results:
    """A searchset of Observations in the order sent."""

    __slots__ = ("_body", "_raw", "_whole", "bundle", "entries")

    def __init__(self, body: bytes, bundle: _Bundle) -> None:
        self.entries: list[Entry] = bundle.entry
        self.bundle: dict[str, Json] = {"resourceType": "Bundle", "entry": self.entries}
        if bundle.total is not UNSET:
            self.bundle["total"] = bundle.total
        if bundle.link is not UNSET:
            self.bundle["link"] = bundle.link
        self._body = body
        self._raw: list[_RawEntry] | None = None
        self._whole: dict[int, dict[str, Json]] = {}

    def resource(self, number: int) -> dict[str, Json]:
        """One Observation as a whole. Raises BadRequest where a part of it is not JSON."""
        known = self._whole.get(number)
        if known is None:
            known = self._whole[number] = self._read(number)
        return known

    def _read(self, number: int) -> dict[str, Json]:
        try:
            if self._raw is None:
                self._raw = _RAW.decode(self._body).prefetch.observations.entry
        except RecursionError:  # the stack is deeper here than it was for the first reading
            entries = _parsed(self._body)["prefetch"]["observations"]["entry"]
            resource: dict[str, Json] = entries[number]["resource"]
            return resource
        return _parsed(self._raw[number].resource)

    def whole(self) -> dict[str, Json]:
        """The Bundle as a reader of whole calls gives it, without what nobody reads of it."""
        entries = [{"resource": self.resource(number)} for number in range(len(self.entries))]
        return {**self.bundle, "entry": entries}


def read_call(body: bytes) -> dict[str, Json] | None:
    """A call whose `prefetch.observations` are `Results`; None where its shape is another.

    Text outside ASCII is checked here, because what is passed over is not.
    """
    try:
        if not body.isascii():
            body.decode()
        call = _CALL.decode(body)
    except (MsgspecError, UnicodeError, RecursionError):
        return None
    results = call.prefetch.observations
    if next_link({"link": results.link}) is not None:
        return None  # a page to be read on from
    if isinstance(results.total, int) and abs(results.total) > _LARGEST:
        return None  # orjson takes it for something else
    prefetch = _members(call.prefetch)
    prefetch["observations"] = Results(body, results)
    return {**_members(call), "prefetch": prefetch}


def _members(part: Struct) -> dict[str, Json]:
    """The members that were sent, by the names that were sent."""
    fields = zip(part.__struct_fields__, part.__struct_encode_fields__, strict=True)
    values = ((sent, getattr(part, name)) for name, sent in fields)
    return {sent: value for sent, value in values if not isinstance(value, UnsetType)}


def _parsed(json: Raw | bytes) -> dict[str, Json]:
    """An object. Raises BadRequest where it is not JSON after all."""
    try:
        value: dict[str, Json] = orjson.loads(memoryview(json))
    except orjson.JSONDecodeError:
        raise BadRequest("json-malformed", "The body is not JSON.", "prefetch") from None
    return value
