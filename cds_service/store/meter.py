"""Counters of the writer of decision records."""

from prometheus_client import Counter, Gauge

_waiting = Gauge(
    "cds_decision_records_waiting",
    "Decision records that are not written yet",
    multiprocess_mode="livesum",
)
_lost = Counter("cds_decision_records_lost", "Decision records that were not written")


def set_waiting(count: int) -> None:
    """How many records this process has still to write."""
    _waiting.set(count)


def count_lost(count: int) -> None:
    """Records that will not be written any more."""
    _lost.inc(count)
