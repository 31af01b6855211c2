"""What one prefetch value says: its resources, and whether they are all there are (rows D1 to D17).

absent key                                   missing
null, Bundle without a match                 known-empty
OperationOutcome                             failed
Bundle with an error outcome                 failed, or incomplete beside matches
Bundle with a next page or too few entries   incomplete
anything that is no FHIR resource            missing, with the problem said
resource, Bundle, Parameters, array          supplied
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cds_service.errors import ServiceError
from cds_service.facts.chart import Resource, Supply
from cds_service.facts.observations import RETRACTED
from cds_service.protocol.bundles import next_link
from cds_service.protocol.entries import (
    Entries,
    Entry,
    Listed,
    Sent,
    Value,
    array,
    sent,
)
from cds_service.protocol.raw import NOTHING, NULL, Raw, decoded, word

_MAX_NESTED_BUNDLES = 3  # a batch-response holds searchsets; deeper nesting is not FHIR
_LISTS = {"Bundle": "entry", "Parameters": "parameter"}  # what holds resources, and where
_NO_DATA = frozenset({"OperationOutcome", *_LISTS})
_NEVER_ALIKE = _NO_DATA | {"Patient"}  # whose each is, is said in other words
_REPORTS = ("DiagnosticReport", "Observation")
_WITH_ERROR = "was read by the EHR with an error (OperationOutcome)"


class Room:
    """How many resources one call may still bring; components and what is contained count."""

    def __init__(self, most: int | None) -> None:
        self._most = self._left = most

    def take(self, count: int) -> None:
        """Raises ServiceError 413 where there is no room: a chart cut short might lack the newest
        result, and a card would then rest on a value that is out of date."""
        if self._left is None:
            return
        self._left -= count
        if self._left < 0:
            raise ServiceError(
                413,
                "too-many-resources",
                f"The request holds more than {self._most} resources.",
                "too-costly",
                "prefetch",
            )


@dataclass(slots=True)
class Reading:
    """One prefetch value, read. `next_page` is the link that says there is more, None without."""

    supply: Supply
    resources: list[Entry] = field(default_factory=list)
    problem: str = ""
    unreadable: int = 0
    bundle: bool = False
    next_page: str | None = None
    alike: bool = False  # resources of one type that say in the same words whose they are


def read(value: Sent | Raw, room: Room | None = None) -> Reading:
    """Read a prefetch value of any shape; what cannot be read is said in `problem`.

    Raises ServiceError 413 where it holds more than there is room for.
    """
    room = room or Room(None)
    value = value if isinstance(value, Sent) else sent(value)
    shape = value.shape
    if shape is None:
        return Reading(Supply.EMPTY)
    if isinstance(shape, list) and shape:  # an empty one might be anything
        reading = Reading(Supply.SUPPLIED, bundle=True)
        return _judge(reading, _collect(Entries(shape, value), reading, room, 0))
    if not isinstance(shape, Value):
        return _nothing("is not a FHIR resource")
    return _read_resource(value, shape, room)


def listed(entries: Sequence[Entry]) -> Reading:
    """What a Bundle of these resources says, as if it had been sent."""
    reading = Reading(Supply.SUPPLIED, bundle=True)
    return _judge(reading, _collect(entries, reading, Room(None), 0))


def single(entry: Entry | None) -> Reading:
    """What a resource by itself says, or null in its place, as if it had been sent."""
    if entry is None:
        return Reading(Supply.EMPTY)
    reading = Reading(Supply.SUPPLIED)
    _keep(entry, reading, Room(None))
    return reading


def _nothing(problem: str) -> Reading:
    return Reading(Supply.MISSING, problem=problem, unreadable=1)


def _read_resource(value: Sent, head: Value, room: Room) -> Reading:
    kind = word(head.resource_type)
    if kind in _LISTS:
        return _read_bundle(value, head, kind, room)
    if kind == "OperationOutcome":
        return Reading(Supply.FAILED, problem="could not be read by the EHR (OperationOutcome)")
    if not kind:
        return _unwrap(head, room) if _is_wrapper(head) else _nothing("has no resourceType")
    reading = Reading(Supply.SUPPLIED)
    _keep(Entry(head, kind, NOTHING, value), reading, room)
    return reading


def _is_wrapper(value: Value) -> bool:
    return bool(value.resource or value.response) and word(value.resource_type) == ""


def _unwrap(value: Value, room: Room) -> Reading:
    """`{"response": {...}, "resource": {...}}`: an entry of a batch answer, not its resource."""
    if value.resource and value.resource != NULL:
        inner = sent(value.resource)
        if isinstance(inner.shape, Value) and _is_wrapper(inner.shape):
            return _nothing("has no resourceType")
        return read(inner, room)
    response = decoded(value.response) if value.response else None
    status = str(response.get("status") or "") if isinstance(response, dict) else ""
    if status.startswith("2"):
        return Reading(Supply.EMPTY)
    if status:
        return Reading(Supply.FAILED, problem="could not be read by the EHR (HTTP status)")
    return _nothing("has no resource")


def _read_bundle(value: Sent, head: Value, kind: str, room: Room, depth: int = 0) -> Reading:
    """A Bundle, or the Parameters that stand for one."""
    reading = Reading(Supply.SUPPLIED, bundle=True)
    name = _LISTS[kind]
    elements = getattr(head, name)
    problem = "" if elements is None else "has entries that could not be read"
    if isinstance(elements, list):
        problem = _collect(Entries(elements, value, name), reading, room, depth)
        if name == "parameter":
            reading.unreadable = 0  # parameters with values are no resources and need not be
    reading.next_page = next_link({"link": decoded(head.link)}) if head.link else None
    return _judge(reading, problem or _why_incomplete(reading, head, elements))


def _collect(entries: Entries | Sequence[Entry], reading: Reading, room: Room, depth: int) -> str:
    """Add the resources of entries; what keeps them from being all there are."""
    room.take(len(entries))
    listed = entries.read() if isinstance(entries, Entries) else Listed(entries, ())
    if _are_alike(listed):  # nearly all charts: one Bundle for each key
        for panel in listed.panels:
            room.take(len(array(panel.head.component)))
        reading.alike = not reading.resources
        reading.resources.extend(listed.alike)
        return ""
    worst, kept = "", reading.resources
    for entry in listed.entries:
        if entry is None:
            reading.unreadable += 1
        elif entry.kind in _NO_DATA:
            if entry.kind == "OperationOutcome":
                worst = worst or _error_in(entry.body)
            else:
                worst = _read_inner(entry, depth, reading, room) or worst
        elif entry.head.component or entry.head.contained:
            _keep(entry, reading, room)
        else:
            kept.append(entry)
    return worst


def _are_alike(listed: Listed) -> bool:
    """Whether the entries need no look each."""
    if not listed.alike or listed.alike[0].kind in _NEVER_ALIKE:
        return False
    return not any(entry.head.contained for entry in listed.panels)


def _keep(entry: Entry, reading: Reading, room: Room) -> None:
    """Add a resource, and the results that stand inside a report or a panel (R4: `contained`) that
    was not withdrawn."""
    head = entry.head
    reading.resources.append(entry)
    if head.component:
        room.take(len(array(head.component)))
    if head.contained:
        room.take(len(array(head.contained)))
        if entry.kind in _REPORTS and word(head.status).lower() not in RETRACTED:
            inner = (inside for inside in entry.contained() if inside.kind == "Observation")
            reading.resources.extend(inner)


def _read_inner(entry: Entry, depth: int, outer: Reading, room: Room) -> str:
    """Add a Bundle inside a Bundle to `outer`; what keeps it from being complete."""
    value = sent(entry.raw)
    if depth >= _MAX_NESTED_BUNDLES or not isinstance(value.shape, Value):
        outer.unreadable += 1
        return ""
    inner = _read_bundle(value, value.shape, entry.kind, room, depth + 1)
    outer.resources.extend(inner.resources)
    outer.alike = False
    outer.unreadable += inner.unreadable
    return "" if inner.supply.complete else inner.problem


def _judge(reading: Reading, problem: str) -> Reading:
    """The reading with its supply. `problem`: what keeps it from being complete."""
    problem = problem or ("holds entries that could not be read" if reading.unreadable else "")
    if problem:
        reading.problem = problem
        reading.supply = Supply.INCOMPLETE if reading.resources else _supply_of_nothing(reading)
    elif not reading.resources:
        reading.supply = Supply.EMPTY
    return reading


def _supply_of_nothing(reading: Reading) -> Supply:
    if reading.problem == _WITH_ERROR:
        return Supply.FAILED
    return Supply.MISSING if reading.unreadable else Supply.INCOMPLETE


def _error_in(outcome: Resource) -> str:
    """A problem if the outcome is more than a warning; Epic sends a warning for "no results"."""
    issues = outcome.get("issue")
    severities = [
        issue.get("severity") if isinstance(issue, dict) else None
        for issue in (issues if isinstance(issues, list) else [])
    ]
    if severities and all(severity in ("warning", "information") for severity in severities):
        return ""
    return _WITH_ERROR


def _why_incomplete(reading: Reading, head: Value, elements: Any) -> str:
    if reading.next_page is not None:
        return "has a next page, which was not sent"
    if reading.unreadable:
        return ""
    count = len(elements) if isinstance(elements, list) else 0
    if not head.total or bytes(head.total) == b"%d" % count:
        return ""
    total = decoded(head.total)
    if isinstance(total, int | float) and not isinstance(total, bool) and total > count:
        return "has fewer entries than its total"
    return ""
