"""What the pages work with: the runtime, the settings, and whether they may write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app

from cds_service.clock import Clock
from cds_service.config import Settings
from cds_service.service.runtime import Runtime
from cds_service.workbench.call_log import CallLog
from cds_service.workbench.guard import Guard
from cds_service.workbench.mutant_counts import Counted
from cds_service.workbench.what_if import Packs

EXTENSION = "cds-workbench"


@dataclass(frozen=True)
class Bench:
    """One workbench. `runtime` gives the runtime that answers the present request.

    `edit` allows writing to the site's folder. `serving` is false in a process of its own, whose
    calls page would stay empty for ever.
    """

    runtime: Callable[[], Runtime]
    settings: Settings
    hooks: Path
    guard: Guard = field(default_factory=Guard)
    packs: Packs = field(default_factory=Packs)
    calls: CallLog = field(default_factory=CallLog)
    counted: Counted = field(default_factory=Counted)
    edit: bool = False
    serving: bool = True

    @property
    def site(self) -> Path | None:
        """The site's folder."""
        return self.settings.site_dir

    def now(self) -> datetime:
        """The moment at which charts are opened unless they name one."""
        return Clock(self.settings.now).now()


def own_hosts(settings: Settings) -> tuple[str, ...]:
    """Names that the workbench answers under beside those of this machine: only where it was
    switched on in so many words."""
    if settings.workbench != "on":
        return ()
    return settings.host, urlsplit(settings.public_url).hostname or ""


def current() -> Bench:
    """The workbench of the present request."""
    bench: Bench = current_app.extensions[EXTENSION]
    return bench
