"""The pack in force. Requests take it once at their start; a change is one assignment."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from cds_service.errors import ConfigurationError, Problem
from cds_service.rules.model import Pack

_ERRORS_KEPT = 5


@dataclass(frozen=True, slots=True)
class Rejected:
    """The last pack that was refused while another stayed in force."""

    revision: str
    errors: tuple[Problem, ...]
    count: int


class ActivePack:
    """Holds the pack in force and what was last refused. A watcher of the site folder builds the
    next pack aside and calls `swap` or `reject`."""

    def __init__(self, pack: Pack | None = None) -> None:
        self._lock = Lock()
        self._pack: Pack | None = None
        self._rejected: Rejected | None = None
        if pack:
            self.swap(pack)

    def current(self) -> Pack:
        """The pack in force; the same object until the next swap."""
        pack = self._pack
        if pack is None:
            raise ConfigurationError("No pack is loaded.", "Run: cds rules check")
        return pack

    @property
    def rejected(self) -> Rejected | None:
        """What was last refused since the last swap."""
        return self._rejected

    def swap(self, pack: Pack) -> Pack | None:
        """Put a checked pack in force; the one before it, or None.

        The new pack's objects leave the garbage collector's sight: they stay, and looking at them
        again and again makes parsing large requests three times slower.
        """
        with self._lock:
            before, self._pack = self._pack, pack
            self._rejected = None
            if before is not None:
                gc.unfreeze()  # or the pack before would never be freed
            gc.collect()
            gc.freeze()
        return before

    def keep(self) -> None:
        """Forget what was refused: the folder is again what is in force."""
        with self._lock:
            self._rejected = None

    def reject(self, revision: str, problems: Sequence[Problem]) -> None:
        """Remember a refused pack; the one in force stays."""
        errors = [p for p in problems if p.severity == "error"]
        with self._lock:
            self._rejected = Rejected(revision, tuple(errors[:_ERRORS_KEPT]), len(errors))
