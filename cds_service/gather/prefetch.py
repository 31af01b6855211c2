"""What one prefetch value says: its resources, and whether they are all there are (rows D1 to D17).

absent key                                   missing
null, Bundle without a match                 known-empty
OperationOutcome                             failed
Bundle with an error outcome                 failed, or incomplete beside matches
Bundle with a next page or too few entries   incomplete
anything that is no FHIR resource            missing, with the problem said
resource, Bundle                             supplied
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.facts.chart import Resource, Supply
from cds_service.protocol.bundles import next_link
from cds_service.protocol.results import Results

_MAX_NESTED_BUNDLES = 3  # a batch-response holds searchsets; deeper nesting is not FHIR


@dataclass(slots=True)
class Reading:
    """One prefetch value, read.

    `urls` maps a fullUrl that is a URN to its resource. `types` are the resources' types, `size`
    is the number of entries, those that were not read included.
    """

    supply: Supply
    resources: list[Resource] = field(default_factory=list)
    problem: str = ""
    urls: dict[str, Resource] = field(default_factory=dict)
    unreadable: int = 0
    bundle: bool = False
    types: set[str] = field(default_factory=set)
    size: int = 0
    results: Results | None = None  # of a large call, in place of `resources`

    @property
    def found_any(self) -> bool:
        """Whether there is any resource."""
        return bool(self.resources or (self.results and self.results.entries))


def read(value: Any) -> Reading:
    """Read a prefetch value of any shape; what cannot be read is said in `problem`."""
    if isinstance(value, Results):
        return _read_results(value)
    if value is None:
        return Reading(Supply.EMPTY)
    if not isinstance(value, dict):
        return Reading(Supply.MISSING, problem="is not a FHIR resource", unreadable=1)
    kind = value.get("resourceType")
    if _is_wrapper(value):
        return _unwrap(value)
    if not isinstance(kind, str) or not kind:
        return Reading(Supply.MISSING, problem="has no resourceType", unreadable=1)
    if kind == "OperationOutcome":
        return Reading(Supply.FAILED, problem="could not be read by the EHR (OperationOutcome)")
    if kind == "Bundle":
        return _read_bundle(value)
    return Reading(Supply.SUPPLIED, [value], types={kind}, size=1)


def _read_results(results: Results) -> Reading:
    """The observations of a large call."""
    reading = Reading(Supply.SUPPLIED, bundle=True, results=results, size=len(results.entries))
    return _judge(results.bundle, reading, "")


def _is_wrapper(value: Mapping[str, Any]) -> bool:
    return value.get("resourceType") is None and ("resource" in value or "response" in value)


def _unwrap(value: Mapping[str, Any]) -> Reading:
    """`{"response": {...}, "resource": {...}}`: an entry of a batch answer, not its resource."""
    inner = value.get("resource")
    if isinstance(inner, dict) and _is_wrapper(inner):
        return Reading(Supply.MISSING, problem="has no resourceType", unreadable=1)
    if inner is not None:
        return read(inner)
    response = value.get("response")
    status = str(response.get("status") or "") if isinstance(response, dict) else ""
    if status.startswith("2"):
        return Reading(Supply.EMPTY)
    if status:
        return Reading(Supply.FAILED, problem="could not be read by the EHR (HTTP status)")
    return Reading(Supply.MISSING, problem="has no resource", unreadable=1)


def _read_bundle(bundle: Resource, depth: int = 0) -> Reading:
    reading = Reading(Supply.SUPPLIED, bundle=True)
    worst = ""
    listed = bundle.get("entry")
    entries = listed if isinstance(listed, list) else ()
    reading.size = len(entries)
    found, types = reading.resources, reading.types
    for entry in entries:
        try:
            resource = entry["resource"]
            kind = resource["resourceType"]
        except (KeyError, TypeError):
            kind = None
        if type(kind) is not str:
            reading.unreadable += 1
        elif kind == "OperationOutcome":
            worst = worst or _error_in(resource)
        elif kind == "Bundle":
            worst = _read_inner(resource, depth, reading) or worst
        else:
            found.append(resource)
            types.add(kind)
            url = entry.get("fullUrl")
            if type(url) is str and url.startswith("urn:"):
                reading.urls[url] = resource
    return _judge(bundle, reading, worst)


def _read_inner(bundle: Resource, depth: int, outer: Reading) -> str:
    """Add a Bundle inside a Bundle to `outer`; what keeps it from being complete."""
    if depth >= _MAX_NESTED_BUNDLES:
        outer.unreadable += 1
        return ""
    inner = _read_bundle(bundle, depth + 1)
    outer.resources.extend(inner.resources)
    outer.urls.update(inner.urls)
    outer.types |= inner.types
    outer.size += inner.size
    outer.unreadable += inner.unreadable
    return "" if inner.supply.complete else inner.problem


def _judge(bundle: Resource, reading: Reading, error: str) -> Reading:
    problem = error or _why_incomplete(bundle, reading)
    if problem:
        some = reading.found_any
        reading.supply = Supply.INCOMPLETE if some else _supply_of_nothing(error, reading)
        reading.problem = problem
    elif not reading.found_any:
        reading.supply = Supply.EMPTY
    return reading


def _supply_of_nothing(error: str, reading: Reading) -> Supply:
    if error:
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
    return "was read by the EHR with an error (OperationOutcome)"


def _why_incomplete(bundle: Resource, reading: Reading) -> str:
    if next_link(bundle) is not None:
        return "has a next page, which was not sent"
    if reading.unreadable:
        return "holds entries that could not be read"
    entries, total = bundle.get("entry"), bundle.get("total")
    if entries is not None and not isinstance(entries, list):
        return "has entries that could not be read"
    if isinstance(total, int) and not isinstance(total, bool) and total > len(entries or ()):
        return "has fewer entries than its total"
    return ""
