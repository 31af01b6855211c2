"""Gauges of `clients.json`."""

from prometheus_client import Gauge

_refused = Gauge(
    "cds_clients_refused",
    "1 while clients.json holds something else than what is in force",
    multiprocess_mode="livemax",
)


def set_refused(refused: bool) -> None:
    """Whether the file as it is now was refused."""
    _refused.set(refused)
