"""Counters of reads from FHIR servers. Labels are FHIR types of our templates and our own words."""

from prometheus_client import Counter, Histogram

from cds_service.gather.trouble import Trouble

_BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5)

_reads = Counter("cds_fhir_reads", "Requests to FHIR servers", ["resource", "outcome"])
_seconds = Histogram("cds_fhir_read_seconds", "Time for one request", buckets=_BUCKETS)
_not_asked = Counter("cds_fhir_not_asked", "Calls that might have read and did not", ["reason"])


def count(resource_type: str, trouble: Trouble | None, seconds: float) -> None:
    """One request and what became of it."""
    _reads.labels(resource_type, trouble.value if trouble else "ok").inc()
    _seconds.observe(seconds)


def begin(reason: str) -> None:
    """A reason that is counted from 0."""
    _not_asked.labels(reason)


def count_not_asked(reason: str) -> None:
    """A call whose FHIR server was not asked. `reason` is one of `access.REFUSALS`."""
    _not_asked.labels(reason).inc()
