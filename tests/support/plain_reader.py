"""The tests' own reader of a call: `json.loads`, dicts and lists, everything read at once.

It shares with the program what a call means (the request's fields, facts, rules, cards) and nothing
of how bytes become resources, so that the two can be laid beside each other.
"""

import json
import math
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from msgspec.structs import fields

from cds_service.errors import BadRequest
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Supply
from cds_service.gather.chart import gather
from cds_service.gather.fallback import Fetched
from cds_service.gather.prefetch import Reading
from cds_service.protocol.entries import Entry, Head
from cds_service.protocol.raw import Raw
from cds_service.protocol.request import parse_request

Json = Any
LISTS = {"Bundle": "entry", "Parameters": "parameter"}
MEMBERS = {field.encode_name: field.name for field in fields(Head)}
BEYOND = (math.inf, -math.inf)
WITHDRAWN = ("entered-in-error", "cancelled")
SEVERE = "was read by the EHR with an error (OperationOutcome)"
UNREADABLE = "holds entries that could not be read"


class Refused(Exception):
    """400."""


def chart_of(service: Any, body: bytes) -> tuple[Any, Chart]:
    """The request and its chart. Raises Refused, or what the program raises for its fields."""
    call = loads(body)
    prefetch = call.pop("prefetch", None)
    if prefetch is not None and not isinstance(prefetch, dict):
        raise Refused
    try:
        request = parse_request(service.hook, json.dumps(finite(call)).encode())
    except BadRequest:
        raise Refused from None
    readings = {key: read(value) for key, value in in_order(prefetch or {})}
    return request, gather(request, service, _Sent(readings))


class _Sent:
    """Gives the readings as if they had been asked for."""

    def __init__(self, readings: dict[str, Reading]) -> None:
        self._readings = readings

    def fetch(self, *_: Any) -> Fetched:
        return Fetched(self._readings)


def in_order(prefetch: dict[str, Json]) -> list[tuple[str, Json]]:
    known = [key for key in PREFETCH_KEYS if key in prefetch]
    return [(key, prefetch[key]) for key in [*known, *(k for k in prefetch if k not in known)]]


def loads(body: bytes) -> dict[str, Json]:
    """The call. Refused: what is not JSON in UTF-8, and names that come twice near the top."""
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode()
        seen = json.loads(text, object_pairs_hook=_pairs, parse_int=_whole, parse_constant=_refuse)
        check_text(seen)
        call = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise Refused from None
    if not isinstance(call, dict):
        raise Refused
    twice = [seen, *(value for value in seen.values() if isinstance(value, dict))]
    if any(pairs.twice for pairs in twice):
        raise Refused
    return call


class _Pairs(dict[str, Json]):
    twice = False


def _pairs(pairs: list[tuple[str, Json]]) -> _Pairs:
    for name, value in pairs:
        check_text(name)
        check_text(value)
    members = _Pairs(pairs)
    members.twice = len(members) < len(pairs)
    return members


def check_text(value: Json) -> None:
    """Raises ValueError for half of a surrogate pair, which no UTF-8 has."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list):
        for part in value:
            check_text(part)


def _whole(digits: str) -> int | float:
    """What does not fit into 64 bits is a double."""
    short = len(digits) < 25 and -(2**63) <= int(digits) < 2**64
    return int(digits) if short else float(digits)


def finite(value: Json) -> Json:
    """A value that can be written again: what is beyond every float becomes the largest one."""
    if isinstance(value, dict):
        return {name: finite(child) for name, child in value.items()}
    if isinstance(value, list):
        return [finite(child) for child in value]
    return math.copysign(sys.float_info.max, value) if value in BEYOND else value


def _refuse(_: str) -> NoReturn:
    raise ValueError


def plain_entry(body: dict[str, Json], url: Json, owner: Entry | None = None) -> Entry:
    """A resource that was read at once; its head is made of the body."""
    sent = {MEMBERS[name]: _raw(body[name]) for name in MEMBERS.keys() & body.keys()}
    kind = body["resourceType"].strip()
    entry = Entry(Head(**sent), kind, _raw(url), _raw(body), 0, owner)
    entry._body = dict(body)
    if owner or not (isinstance(body.get("id"), str) and body["id"].strip()):
        entry._body |= {"id": entry.id} if entry.id else {}
    return entry


def _raw(value: Json) -> Raw:
    return Raw(json.dumps(value).encode())


def read(value: Json) -> Reading:
    """One prefetch value."""
    if value is None:
        return Reading(Supply.EMPTY)
    if isinstance(value, list) and value:
        reading = Reading(Supply.SUPPLIED, bundle=True)
        return judged(reading, collect(value, reading, 0))
    if not isinstance(value, dict):
        return nothing("is not a FHIR resource")
    kind = kind_of(value)
    if not kind and ("resource" in value or "response" in value):
        return unwrapped(value)
    if kind == "OperationOutcome":
        return Reading(Supply.FAILED, problem="could not be read by the EHR (OperationOutcome)")
    if kind in LISTS:
        return bundle_of(value, 0)
    if not kind:
        return nothing("has no resourceType")
    reading = Reading(Supply.SUPPLIED)
    keep(value, "", reading)
    return reading


def kind_of(value: Json) -> str:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind.strip() if isinstance(kind, str) else ""


def nothing(problem: str) -> Reading:
    return Reading(Supply.MISSING, problem=problem, unreadable=1)


def unwrapped(value: dict[str, Json]) -> Reading:
    inner = value.get("resource")
    if inner is not None:
        wrapped = isinstance(inner, dict) and not kind_of(inner)
        if wrapped and ("resource" in inner or "response" in inner):
            return nothing("has no resourceType")
        return read(inner)
    response = value.get("response")
    status = str(response.get("status") or "") if isinstance(response, dict) else ""
    if status.startswith("2"):
        return Reading(Supply.EMPTY)
    if status:
        return Reading(Supply.FAILED, problem="could not be read by the EHR (HTTP status)")
    return nothing("has no resource")


def bundle_of(value: dict[str, Json], depth: int) -> Reading:
    reading = Reading(Supply.SUPPLIED, bundle=True)
    name = LISTS[kind_of(value)]
    entries = value.get(name)
    problem = "" if entries is None else "has entries that could not be read"
    if isinstance(entries, list):
        problem = collect(entries, reading, depth)
        if name == "parameter":
            reading.unreadable = 0
    total = value.get("total")
    count = len(entries) if isinstance(entries, list) else 0
    if problem:
        pass
    elif has_next(value.get("link")):
        problem = "has a next page, which was not sent"
    elif isinstance(total, int | float) and not isinstance(total, bool) and total > count:
        problem = "" if reading.unreadable else "has fewer entries than its total"
    return judged(reading, problem)


def has_next(links: Json) -> bool:
    listed = links if isinstance(links, list) else []
    return any(isinstance(link, dict) and link.get("relation") == "next" for link in listed)


def collect(entries: list[Json], reading: Reading, depth: int) -> str:
    worst = ""
    for resource, url in map(resource_of, entries):
        kind = kind_of(resource)
        if not kind:
            reading.unreadable += 1
        elif kind == "OperationOutcome":
            worst = worst or ("" if harmless(resource) else SEVERE)
        elif kind in LISTS:
            if depth >= 3:
                reading.unreadable += 1
                continue
            inner = bundle_of(resource, depth + 1)
            reading.resources += inner.resources
            reading.unreadable += inner.unreadable
            worst = ("" if inner.supply.complete else inner.problem) or worst
        else:
            keep(resource, url, reading)
    return worst


def resource_of(entry: Json) -> tuple[Json, Json]:
    if not isinstance(entry, dict):
        return None, ""
    if entry.get("resource") is None and "resourceType" in entry:
        return entry, ""
    return entry.get("resource"), entry.get("fullUrl")


def keep(resource: dict[str, Json], url: Json, reading: Reading) -> None:
    outer = plain_entry(resource, url)
    reading.resources.append(outer)
    status = resource.get("status")
    withdrawn = isinstance(status, str) and status.strip().lower() in WITHDRAWN
    if outer.kind in ("DiagnosticReport", "Observation") and not withdrawn:
        for inner in listed(resource.get("contained")):
            if kind_of(inner) == "Observation":
                reading.resources.append(plain_entry(inner, "", outer))


def listed(value: Json) -> Iterator[Json]:
    yield from value if isinstance(value, list) else () if value is None else (value,)


def harmless(outcome: dict[str, Json]) -> bool:
    issues = outcome.get("issue")
    listed = issues if isinstance(issues, list) else []
    severities = [issue.get("severity") if isinstance(issue, dict) else None for issue in listed]
    return bool(severities) and all(
        severity in ("warning", "information") for severity in severities
    )


def judged(reading: Reading, problem: str) -> Reading:
    problem = problem or (UNREADABLE if reading.unreadable else "")
    reading.problem = problem
    if problem and reading.resources:
        reading.supply = Supply.INCOMPLETE
    elif problem == SEVERE:
        reading.supply = Supply.FAILED
    elif problem:
        reading.supply = Supply.MISSING if reading.unreadable else Supply.INCOMPLETE
    elif not reading.resources:
        reading.supply = Supply.EMPTY
    return reading
