"""Resources as entries of what was sent: of each the head is read, the body when it is asked for.

A body of 200 kB holds some hundred resources, and of most of them nothing is ever asked but what
they are, whose they are, their code, status and date. Reading the rest would take longer than all
else in a call. What the head has is what sorting and indexing need, kept as sent (`Raw`): nothing
is refused here, whatever stands in a member, and of two equal members the last one counts, in the
head as in the body.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, cast

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from cds_service.errors import ServiceError
from cds_service.protocol import identity
from cds_service.protocol.raw import NOTHING, NULL, Raw, decoded, encoded, on_any_stack, text, word

Json = Any
_MOST_COMMAS = 1_000_000  # in a list; 20,000 resources have half as many
_TOO_MANY = "A list of the call holds more entries than the service reads."
Resource = dict[str, Json]


class Head(Struct, rename="camel", gc=False):
    """What is read of every resource. A member that was not sent is empty."""

    resource_type: Raw = NOTHING
    id: Raw = NOTHING
    code: Raw = NOTHING
    subject: Raw = NOTHING
    patient: Raw = NOTHING
    status: Raw = NOTHING
    effective_date_time: Raw = NOTHING
    component: Raw = NOTHING
    value_codeable_concept: Raw = NOTHING
    contained: Raw = NOTHING
    medication_codeable_concept: Raw = NOTHING
    medication_reference: Raw = NOTHING
    medication: Raw = NOTHING
    item: Raw = NOTHING
    result: Raw = NOTHING
    has_member: Raw = NOTHING


class Element(Struct, rename="camel", gc=False):
    """An element of `Bundle.entry` or `Parameters.parameter`, or a resource in its place."""

    resource: Head | str | int | float | bool | None = None
    full_url: Raw = NOTHING
    resource_type: Raw = NOTHING


_Elements = list[Element | str | int | float | bool | None]


class Value(Head, rename="camel", gc=False):
    """A resource, a Bundle or what else was sent in its place, as far as that says what it is."""

    entry: _Elements | Element | str | int | float | bool | None = None
    parameter: _Elements | Element | str | int | float | bool | None = None
    total: Raw = NOTHING
    link: Raw = NOTHING
    resource: Raw = NOTHING
    response: Raw = NOTHING


# What a value of any shape is read as: False stands for what is neither an object nor an array.
Shape = Value | _Elements | str | int | float | bool | None


class _Loose(Head, rename="camel"):
    """A `Value`, with whatever stands in an element."""

    entry: Raw = NOTHING
    parameter: Raw = NOTHING
    total: Raw = NOTHING
    link: Raw = NOTHING
    resource: Raw = NOTHING
    response: Raw = NOTHING


class _Entry(Struct):
    """The elements of a Bundle, each as sent."""

    entry: list[Raw]


class _Parameter(Struct):
    parameter: list[Raw]


class _LooseElement(Struct, rename="camel"):
    resource: Raw = NOTHING
    full_url: Raw = NOTHING
    resource_type: Raw = NOTHING


_ELEMENTS = Decoder(_Elements)
_VALUE = Decoder(Value)
_LOOSE = Decoder(_Loose)
_RAWS = Decoder(list[Raw])
_MEMBERS: Mapping[str, Decoder[Any]] = {
    "entry": Decoder(_Entry),
    "parameter": Decoder(_Parameter),
}
_LOOSE_ELEMENT = Decoder(_LooseElement)
_HEAD = Decoder(Head)
_KIND = attrgetter("kind")
_NUMBERS = frozenset({int, float})


def value_of(raw: Raw) -> Value | None:
    """An object; None for any other value."""
    try:
        return on_any_stack(_VALUE.decode, raw)
    except MsgspecError:  # a number in a place where none belongs, and too large for one
        pass
    try:
        loose = on_any_stack(_LOOSE.decode, raw)
    except MsgspecError:
        return None
    value = Value(*(getattr(loose, name) for name in loose.__struct_fields__))
    value.entry, value.parameter = elements_of(loose.entry), elements_of(loose.parameter)
    return value


def elements_of(raw: Raw) -> Any:
    """The elements of an array as a `Value` has them; None for any other value.

    Raises ServiceError 413 where it holds more than any list of resources does.
    """
    if not is_array(raw):
        return None if not raw or raw == NULL else False
    try:
        return on_any_stack(_ELEMENTS.decode, raw)
    except MsgspecError:  # an element that is an array, or a number too large for one
        if bytes(raw).count(b",") > _MOST_COMMAS:
            raise ServiceError(413, "too-many-resources", _TOO_MANY, "too-costly") from None
        return [_element(element) for element in array(raw)]


def _element(raw: Raw) -> Element | None:
    try:
        loose = on_any_stack(_LOOSE_ELEMENT.decode, raw)
    except MsgspecError:  # no object
        return None
    head: Head | bool | None = None
    if loose.resource and loose.resource != NULL:
        try:
            head = on_any_stack(_HEAD.decode, loose.resource)
        except MsgspecError:
            head = False  # something else in the place of a resource
    return Element(head, loose.full_url, loose.resource_type)


def is_array(raw: Raw) -> bool:
    """Whether a value is an array."""
    return bytes(memoryview(raw)[:1]) == b"["


Opened = dict[str, list[Raw] | dict[str, Raw] | str | int | float | bool | None]


class Sent:
    """A value as it was sent. `shape` is what it is, with the heads of the resources in it; the
    bytes are looked for when somebody asks, as most calls need none of them.

    `opened` gives the value one level deep, where it can be read so: what an array holds, or the
    members of an object and what they hold.
    """

    __slots__ = ("_opened", "_raw", "shape")

    def __init__(
        self,
        shape: Shape,
        raw: Raw | Callable[[], Raw],
        opened: Callable[[], Opened | list[Raw] | None] | None = None,
    ) -> None:
        self.shape = shape
        self._raw = raw
        self._opened = opened

    @property
    def raw(self) -> Raw:
        """The value, not read."""
        if callable(self._raw):
            self._raw = self._raw()
        return self._raw

    def elements(self, name: str) -> Sequence[Raw]:
        """What an array holds; with a name, the one that stands in this member."""
        opened = self._opened() if self._opened else None
        listed = opened.get(name) if isinstance(opened, dict) else opened
        return listed if isinstance(listed, list) else _raws(self.raw, name)

    def read(self) -> Json:
        """The value as a whole."""
        opened = self._opened() if self._opened else None
        if not isinstance(opened, dict) or not _NUMBERS.isdisjoint(map(type, opened.values())):
            return decoded(self.raw)  # how numbers are read, is decided there alone
        return {name: _thawed(member) for name, member in opened.items()}


def _thawed(member: Json) -> Json:
    if isinstance(member, list):
        return [decoded(raw) for raw in member]
    if isinstance(member, dict):
        return {name: decoded(raw) for name, raw in member.items()}
    return member


def sent(raw: Raw) -> Sent:
    """A value that stands by itself."""
    if raw == NULL:
        return Sent(None, raw)
    if is_array(raw):
        return Sent(elements_of(raw), raw)
    return Sent(value_of(raw) or False, raw)


class Entry(Struct, eq=False, gc=False):
    """One resource as sent. `kind` is its resourceType.

    A `Struct` because thousands of them are made in a call. Nothing that it holds leads back to it,
    so the garbage collector need not know of it.
    """

    head: Head
    kind: str
    _url: Raw
    _source: "Entries | Sent | Raw"  # the resource, or the list that has it as `_number`
    _number: int = 0
    owner: "Entry | None" = None  # the resource that contains this one
    _body: Resource | None = None

    @property
    def id(self) -> str:
        """The resource's id, or the one in its fullUrl; "" without either."""
        own = text(self.head.id)
        if self.owner is not None and (inside := self.owner.id):
            return f"{inside}#{own.lstrip('#')}"
        return own or identity.id_in(self.url, self.kind)

    @property
    def url(self) -> str:
        """Its fullUrl, "" without one."""
        return text(self._url)

    @property
    def body(self) -> Resource:
        """The whole resource."""
        if self._body is None:
            self._body = self._decoded()
            own = self._body.get("id")  # what the head has, and needs no second reading
            named = isinstance(own, str) and own.strip()
            if (self.owner is not None or not named) and self.id:
                self._body["id"] = self.id
        return self._body

    def identities(self) -> set[str]:
        """All that it can be referred to by (`protocol.identity`)."""
        return identity.of_resource(self.kind, self.id, self.url)

    @property
    def raw(self) -> Raw:
        """The whole resource, not read."""
        source = self._source
        if isinstance(source, Raw):
            return source
        return source.raw if isinstance(source, Sent) else source.resource(self._number)

    def _decoded(self) -> Resource:
        source = self._source
        if isinstance(source, Entries):
            return source.decoded(self._number)
        body: Resource = source.read() if isinstance(source, Sent) else decoded(source)
        return body

    def contained(self) -> "Iterator[Entry]":
        """The resources inside, with ids that no other resource has."""
        for raw in array(self.head.contained):
            resource = entry_of(raw, owner=self)
            if resource is not None:
                yield resource

    def __repr__(self) -> str:
        return f"Entry({self.kind!r})"  # and nothing that tells whose it is


def entry_of(raw: Raw, url: Raw = NOTHING, owner: Entry | None = None) -> Entry | None:
    """A resource that stands by itself; None for what is none."""
    try:
        head = on_any_stack(_HEAD.decode, raw)
    except MsgspecError:  # no object
        return None
    kind = word(head.resource_type)
    return Entry(head, kind, url, raw, 0, owner) if kind else None


def entry(resource: Resource) -> Entry:
    """A resource that was made here, as if it had been sent. Raises ValueError without a type."""
    made_entry = entry_of(encoded(resource))
    if made_entry is None:
        raise ValueError("a resource has a resourceType")
    return made_entry


def array(raw: Raw) -> Sequence[Raw]:
    """The elements of an array; the value itself in place of an array of one; () without any."""
    if not raw or raw == NULL:
        return ()
    try:
        return on_any_stack(_RAWS.decode, raw)
    except MsgspecError:
        return (raw,)


def by_kind(entries: Sequence[Entry]) -> Iterable[tuple[str, Iterable[Entry]]]:
    """Entries in runs of one type; nearly all that stand together are of one."""
    kinds = set(map(_KIND, entries))
    if len(kinds) == 1:
        return ((kinds.pop(), entries),)
    return groupby(entries, _KIND)


class Listed(NamedTuple):
    """What an array holds: None for each element that has no resource.

    `panels`: the entries that have components or contain resources. `alike`: the entries where none
    is lacking, all are of one type, and all say in the same words whose they are.
    """

    entries: Sequence[Entry | None]
    panels: Sequence[Entry]
    alike: Sequence[Entry] = ()


class Entries:
    """The elements of an array that holds resources. Iterating gives an `Entry` for each resource
    and None for each element that has none."""

    __slots__ = ("_elements", "_name", "_raws", "_value")

    def __init__(self, elements: Sequence[Json], value: Sent, name: str = "") -> None:
        """`value` is the array; with a name, what has it as this member."""
        self._elements = elements
        self._value = value
        self._name = name
        self._raws: Sequence[Raw] | None = None

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[Entry | None]:
        return iter(self.read().entries)

    def read(self) -> "Listed":
        """All of them. Neighbours are mostly of one type and one patient, so what is said of both
        is looked at where it changes."""
        entries: list[Entry | None] = []
        panels: list[Entry] = []
        written: Raw | None = None
        subject = patient = NOTHING
        kind, changes = "", 0
        for number, element in enumerate(self._elements):
            head = element.resource if type(element) is Element else None
            if type(head) is not Head:
                changes += 2
                entries.append(self._other(element, number))
                continue
            if head.resource_type != written or head.subject != subject or head.patient != patient:
                written, subject, patient = head.resource_type, head.subject, head.patient
                kind = word(written)
                changes += 1 if kind else 2
            entry = Entry(head, kind, element.full_url, self, number) if kind else None
            entries.append(entry)
            if entry and (head.component or head.contained):
                panels.append(entry)
        alike = cast("list[Entry]", entries) if changes == 1 else ()
        return Listed(entries, panels, alike)

    def _other(self, element: Json, number: int) -> Entry | None:
        """An element that is a resource itself, in an array of resources."""
        if type(element) is not Element:
            return None
        bare = element.resource is None and element.resource_type
        return entry_of(self._raw(number)) if bare else None

    def resource(self, number: int) -> Raw:
        """The resource of one element."""
        return on_any_stack(_LOOSE_ELEMENT.decode, self._raw(number)).resource

    def decoded(self, number: int) -> Resource:
        """The same, read: the element as a whole, as that takes one look at it in place of two."""
        body: Resource = decoded(self._raw(number))["resource"]
        return body

    def _raw(self, number: int) -> Raw:
        if self._raws is None:
            self._raws = self._value.elements(self._name)
        return self._raws[number]


def _raws(value: Raw, name: str) -> Sequence[Raw]:
    """The elements of an array, or of the one that stands in a member. One scan where it can be:
    it is of all that a Bundle holds."""
    if not name:
        return array(value)
    try:
        listed: Sequence[Raw] = getattr(on_any_stack(_MEMBERS[name].decode, value), name)
    except MsgspecError:  # one element in the place of the array
        return array(getattr(on_any_stack(_LOOSE.decode, value), name))
    return listed
