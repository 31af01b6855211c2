"""The pack in force: compiled, held in one place, replaced in one assignment (invariant 7)."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock

from cds_service.cards.per_pack import compile_texts
from cds_service.errors import Problem
from cds_service.facts.base import FactBase
from cds_service.facts.chart import Chart
from cds_service.live import meter
from cds_service.rules.engine import compile_rules
from cds_service.rules.model import Pack, ServiceDefinition
from cds_service.rules.ruleset import RuleSet

_ERRORS_KEPT = 5


@dataclass(frozen=True)
class Active:
    """A compiled pack. Replaced as a whole, never changed."""

    ruleset: RuleSet
    services: Mapping[str, ServiceDefinition]
    values: Mapping[str, Decimal | bool | str]  # of the settings, by name
    versions: Mapping[str, str]  # of the rules, by id

    @property
    def pack(self) -> Pack:
        """What was compiled."""
        return self.ruleset.pack

    def facts(self, chart: Chart, now: datetime) -> FactBase:
        """The facts of a chart at a moment, as every call reads them."""
        return FactBase(self.pack.catalogue, self.pack.terminology, chart, now, self.values)


def activate(pack: Pack) -> Active:
    """Compile a pack's rules and texts. Raises ValueError where they are malformed."""
    compile_texts(pack)
    services = {service.id: service for service in pack.services}
    values = {name: setting.value for name, setting in pack.settings.items()}
    versions = {rule.id: rule.version for rule in pack.rules}
    return Active(compile_rules(pack), services, values, versions)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The last pack that was refused while another stayed in force."""

    revision: str
    errors: tuple[Problem, ...]
    count: int


@dataclass(frozen=True, slots=True)
class _State:
    active: Active
    rejected: Rejected | None = None


class ActivePack:
    """Holds the pack in force and what was last refused. A call takes it once, at its start; a
    watcher of the site's folder builds the next one aside and calls `swap` or `reject`."""

    def __init__(self, pack: Pack) -> None:
        self._lock = Lock()
        self._state = _State(activate(pack))
        self._settle(None)

    def current(self) -> Active:
        """The pack in force; the same object until the next swap."""
        return self._state.active

    @property
    def rejected(self) -> Rejected | None:
        """What was last refused since the last swap."""
        return self._state.rejected

    def show(self) -> None:
        """Tell the gauges, which know nothing yet in a process that was forked."""
        with self._lock:
            meter.set_pack(self._state.active.pack, None)
            meter.set_refused(self._state.rejected is not None)

    def swap(self, pack: Pack) -> Pack:
        """Put a checked pack in force, once it has been compiled beside the old one; the one
        before it. Raises ValueError, and then the old one stays."""
        active = activate(pack)
        with self._lock:
            before, self._state = self._state.active.pack, _State(active)
            self._settle(before)
        return before

    def keep(self) -> None:
        """Forget what was refused: the folder is again what is in force."""
        with self._lock:
            self._state = replace(self._state, rejected=None)
            meter.set_refused(False)

    def reject(self, revision: str, problems: Sequence[Problem]) -> None:
        """Remember a refused pack; the one in force stays."""
        errors = [p for p in problems if p.severity == "error"]
        rejected = Rejected(revision, tuple(errors[:_ERRORS_KEPT]), len(errors))
        with self._lock:
            self._state = replace(self._state, rejected=rejected)
            meter.set_refused(True)

    def _settle(self, before: Pack | None) -> None:
        """The new pack's objects leave the garbage collector's sight: they stay, and looking at
        them again and again makes parsing large requests three times slower."""
        meter.set_pack(self._state.active.pack, before)
        if before is not None:
            gc.unfreeze()  # or the pack before would never be freed
        gc.collect()
        gc.freeze()
