"""Gauges of the pack in force. Labels come from the pack."""

from prometheus_client import Gauge

from cds_service.rules.model import Pack

_pack = Gauge(
    "cds_pack_in_force",
    "1 for the pack that some worker answers with, 0 for those before it",
    ["name", "version", "revision", "profile"],
    multiprocess_mode="livemax",
)
_refused = Gauge(
    "cds_pack_refused",
    "1 while the site's folder holds something else than what is in force",
    multiprocess_mode="livemax",
)


def set_pack(pack: Pack, before: Pack | None) -> None:
    """What is in force now, and what was before."""
    if before is not None:
        _pack.labels(*_labels(before)).set(0)
    _pack.labels(*_labels(pack)).set(1)
    set_refused(False)


def set_refused(refused: bool) -> None:
    """Whether a pack was refused since."""
    _refused.set(refused)


def _labels(pack: Pack) -> tuple[str, str, str, str]:
    return pack.name, pack.version, pack.revision[:12], " ".join(pack.profiles)
