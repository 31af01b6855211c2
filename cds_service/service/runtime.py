"""Answering calls with the pack in force: facts, rules, cards, decision record."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cds_service import logs
from cds_service.cards.compose import Composition, compose_cards
from cds_service.cards.per_pack import compile_texts
from cds_service.clock import Clock, monotonic
from cds_service.config import Settings
from cds_service.errors import ServiceError
from cds_service.facts.base import FactBase
from cds_service.facts.chart import Chart
from cds_service.packs.active import ActivePack
from cds_service.protocol.model import Card, FeedbackEntry, HookRequest
from cds_service.rules.engine import compile_rules, evaluate
from cds_service.rules.model import Evaluation, Pack, ServiceDefinition
from cds_service.rules.ruleset import RuleSet
from cds_service.service import metrics
from cds_service.service.records import all_outcomes, decision_record
from cds_service.store.store import Store

KEEP_TEXT = "feedback.keep-text"  # the setting by which a site keeps comments and displays


@dataclass(frozen=True)
class Active:
    """A compiled pack. Replaced as a whole, never changed."""

    ruleset: RuleSet
    services: Mapping[str, ServiceDefinition]
    values: Mapping[str, Decimal | bool | str]  # of the settings, by name


def activate(pack: Pack) -> Active:
    """Compile a pack's rules and texts. Raises ValueError where they are malformed."""
    compile_texts(pack)
    services = {service.id: service for service in pack.services}
    values = {name: setting.value for name, setting in pack.settings.items()}
    return Active(compile_rules(pack), services, values)


class Runtime:
    """The use cases of the web layer and the command line, for one pack and one store.

    Without a store nothing is recorded and feedback is refused with 503. An empty `public_url`
    leaves the address of the source page out of cards.
    """

    def __init__(
        self, pack: Pack, store: Store | None, clock: Clock, *, public_url: str = ""
    ) -> None:
        self._packs = ActivePack()
        self.replace_pack(pack)
        self._store = store
        self._clock = clock
        self._public_url = public_url
        self._lost = 0

    def replace_pack(self, pack: Pack) -> None:
        """Put a checked pack in force, in one assignment, once it has been compiled beside the
        old one (invariant 7). Raises ValueError, and then the old one stays."""
        self._active = activate(pack)
        self._packs.swap(pack)

    @property
    def pack(self) -> Pack:
        """The pack in force."""
        return self._active.ruleset.pack

    @property
    def services(self) -> Sequence[ServiceDefinition]:
        """All services of the pack."""
        return self.pack.services

    @property
    def ruleset(self) -> RuleSet:
        """The compiled rules in force."""
        return self._active.ruleset

    def service(self, service_id: str) -> ServiceDefinition | None:
        """The service with this id."""
        return self._active.services.get(service_id)

    def answer(
        self, service: ServiceDefinition, request: HookRequest, chart: Chart
    ) -> Sequence[Card]:
        """The cards of one call; its decision record is queued.

        Raises ServiceError 500 when every rule that was evaluated failed.
        """
        now, active = self._clock.now(), self._active
        pack = active.ruleset.pack
        evaluation, composed = self._decide(active, service, request, chart, now)
        outcomes = all_outcomes(evaluation, composed.errors)
        metrics.count_outcomes(outcomes)
        self._report_failures({**evaluation.errors, **composed.errors})
        record = decision_record(pack, service, outcomes, composed.cards, now)
        if self._store:
            self._store.record(record)
        if not composed.cards and _all_failed(evaluation, outcomes):
            raise _failed()
        return composed.cards

    def facts(self, chart: Chart) -> FactBase:
        """The facts of a chart at this moment, as `answer` reads them."""
        return _facts(self._active, chart, self._clock.now())

    def record_feedback(self, service: ServiceDefinition, entries: Sequence[FeedbackEntry]) -> None:
        """Store feedback; it is on disk at return. Raises ServiceError 503 otherwise."""
        if self._store is None:
            raise ServiceError(503, "storage-unavailable", "No database is in use.", "transient")
        keep = self.pack.settings.get(KEEP_TEXT)
        self._store.add_feedback(
            service.id, entries, self._clock.now(), keep_text=bool(keep and keep.value is True)
        )

    def health(self) -> Mapping[str, Any]:
        """Whether calls can be answered, and what that rests on."""
        problem = self._store.problem() if self._store else "none in use"
        rejected = self._packs.rejected
        self._count_lost()
        return {
            "ready": not problem,
            "database": problem or "ok",
            "pack": {
                "name": self.pack.name,
                "version": self.pack.version,
                "revision": self.pack.revision,
                "profile": list(self.pack.profiles),
                "rules": len(self.ruleset.rules),
            },
            "rejectedPack": {"revision": rejected.revision, "problems": rejected.count}
            if rejected
            else "none",
        }

    def close(self) -> None:
        """Write what is queued."""
        if self._store:
            self._store.close()

    def _decide(
        self,
        active: Active,
        service: ServiceDefinition,
        request: HookRequest,
        chart: Chart,
        now: datetime,
    ) -> tuple[Evaluation, Composition]:
        pack = active.ruleset.pack
        began = monotonic()
        facts = _facts(active, chart, now)
        built = monotonic()
        evaluation = evaluate(active.ruleset, service, facts)
        judged = monotonic()
        composed = compose_cards(
            pack, service, evaluation, facts, request, public_url=self._public_url
        )
        metrics.observe_stages(built - began, judged - built, monotonic() - judged)
        return evaluation, composed

    def _report_failures(self, errors: Mapping[str, str]) -> None:
        for rule, exception in errors.items():
            logs.logger().error("rule failed", rule=rule, exception=exception)

    def _count_lost(self) -> None:
        lost = self._store.dropped_records if self._store else 0
        metrics.count_lost_records(lost - self._lost)
        self._lost = lost


def build_runtime(settings: Settings) -> Runtime:
    """The runtime that the environment asks for.

    Raises ConfigurationError (PackError for a pack that is refused).
    """
    from cds_service.packs.load import load_pack
    from cds_service.packs.locate import hooks_dir

    folder = settings.hooks_dir or hooks_dir(os.environ)
    pack = load_pack(folder, settings.site_dir, thorough=False)
    return Runtime(
        pack,
        Store(settings.database_url),
        Clock(settings.now),
        public_url=public_url(settings),
    )


def public_url(settings: Settings) -> str:
    """Where cards point for their sources; on this machine alone without CDS_PUBLIC_URL."""
    if settings.public_url or settings.host not in ("127.0.0.1", "localhost", "::1"):
        return settings.public_url
    return f"http://localhost:{settings.port}"


def _facts(active: Active, chart: Chart, now: datetime) -> FactBase:
    pack = active.ruleset.pack
    return FactBase(pack.catalogue, pack.terminology, chart, now, active.values)


def _all_failed(evaluation: Evaluation, outcomes: Mapping[str, str]) -> bool:
    failed = sum(outcome == "error" for outcome in outcomes.values())
    return 0 < failed >= evaluation.rules_evaluated


def _failed() -> ServiceError:
    return ServiceError(
        500, "rules-failed", "No rule could be evaluated. Nothing can be said.", "exception"
    )
