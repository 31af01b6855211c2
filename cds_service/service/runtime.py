"""Answering calls with the pack in force: facts, rules, cards, decision record."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cds_service import logs
from cds_service.callers.book import ClientBook, open_clients
from cds_service.callers.model import Client, Clients
from cds_service.cards.compose import Composition, compose_cards
from cds_service.cards.language import ENGLISH_TAG
from cds_service.cards.per_pack import prepared
from cds_service.clock import Clock, monotonic
from cds_service.config import Settings
from cds_service.errors import Problem, ServiceError
from cds_service.facts.base import FactBase
from cds_service.facts.chart import Chart
from cds_service.live import go_live, readiness
from cds_service.live.active import Active, ActivePack
from cds_service.live.watch import SiteWatch
from cds_service.protocol.model import Card, FeedbackEntry, HookRequest
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Evaluation, Pack, ServiceDefinition
from cds_service.rules.ruleset import RuleSet
from cds_service.service import metrics
from cds_service.service.audit import Audit, Describe
from cds_service.service.decision_record import all_outcomes, decision_record
from cds_service.service.gone_silent import Silence
from cds_service.store.store import Store, retention

KEEP_TEXT = "feedback.keep-text"  # the setting by which a site keeps comments and displays


class Runtime:
    """The use cases of the web layer and the command line, for one pack and one store.

    Without a store nothing is recorded and feedback is refused with 503; without `clients` nobody
    is known. An empty `public_url` leaves the address of the source page out of cards.
    """

    def __init__(
        self,
        pack: Pack,
        store: Store | None,
        clock: Clock,
        *,
        public_url: str = "",
        clients: ClientBook | None = None,
    ) -> None:
        self._packs = ActivePack(pack)
        metrics.begin(pack.rules)
        self._held: Active | None = None  # by one call
        self._store = store
        self._clock = clock
        self._public_url = public_url
        self._clients = clients
        self._watch: SiteWatch | None = None
        self._audit: Audit | None = None
        self._silence = Silence()

    def replace_pack(self, pack: Pack) -> None:
        """Put a checked pack in force (invariant 7). Raises ValueError, and then the old one
        stays."""
        before = self._packs.swap(pack)
        metrics.begin(pack.rules)
        if self._audit:
            self._audit.changed(before, pack)

    def in_force(self) -> "Runtime":
        """This runtime held to the pack in force now: one call must never see two packs."""
        self.start_watching()  # in the worker's own process, at its first call
        held = object.__new__(type(self))
        held.__dict__.update(self.__dict__, _held=self._packs.current())
        return held

    @property
    def _active(self) -> Active:
        return self._held or self._packs.current()

    def watch(self, watch: SiteWatch) -> None:
        """Let a watcher of the site's folder replace the pack."""
        self._watch = watch

    def audit(self, audit: Audit, shipped: Callable[[], Pack]) -> None:
        """Keep a record of the packs in force, this one and those that follow."""
        self._audit = audit
        audit.started(self.pack, shipped)

    def begin(self) -> None:
        """In the worker's own process, before its first call."""
        self.start_watching()
        self._packs.show()  # what it runs once it has caught up with the others

    def start_watching(self) -> None:
        """Start the watcher in this process, if there is one and it is not running yet."""
        if self._watch and self._watch.start():
            self._tell()

    def take(self, pack: Pack) -> None:
        """Put a pack in force that the watcher found good. Raises ValueError as `replace_pack`."""
        self.replace_pack(pack)
        self._tell()

    def reject(self, revision: str, problems: Sequence[Problem]) -> None:
        """Remember a pack that the watcher refused."""
        self._packs.reject(revision, problems)
        self._tell()

    def keep(self) -> None:
        """The site's folder is again what is in force."""
        self._packs.keep()
        self._tell()

    @property
    def pack(self) -> Pack:
        """The pack in force."""
        return self._active.pack

    @property
    def store(self) -> Store | None:
        """The database, for reports; None where none is in use."""
        return self._store

    def clients(self) -> Clients:
        """The clients that may call, by issuer."""
        return self._clients.clients if self._clients else {}

    @property
    def services(self) -> Sequence[ServiceDefinition]:
        """All services of the pack."""
        return self.pack.services

    def services_in(self, language: str) -> Sequence[ServiceDefinition]:
        """All services of the pack, described in a language that it has."""
        if language == ENGLISH_TAG:
            return self.services
        text = prepared(self.pack).voice(language).language.text
        return [
            replace(
                service,
                title=text(service.title),
                description=text(service.description),
                usage_requirements=text(service.usage_requirements),
            )
            for service in self.services
        ]

    @property
    def ruleset(self) -> RuleSet:
        """The compiled rules in force."""
        return self._active.ruleset

    def service(self, service_id: str) -> ServiceDefinition | None:
        """The service with this id."""
        return self._active.services.get(service_id)

    def answer(
        self,
        service: ServiceDefinition,
        request: HookRequest,
        chart: Chart,
        spent: Mapping[str, float] | None = None,
        language: str = ENGLISH_TAG,
    ) -> Sequence[Card]:
        """The cards of one call, in a language of the pack; its decision record is queued.

        `spent` are the seconds that went into the stages before this one. Raises ServiceError 500
        when every rule that was evaluated failed, or none of those that fired could be written.
        """
        now, active = self._clock.now(), self._active
        pack = active.ruleset.pack
        evaluation, composed, stages = self._decide(active, service, request, chart, now, language)
        stages = {**(spent or {}), **stages}
        metrics.observe_stages(stages)
        outcomes = all_outcomes(evaluation, composed.errors)
        metrics.count_outcomes(outcomes)
        self._report_failures({**evaluation.errors, **composed.errors})
        record = decision_record(
            pack,
            service,
            outcomes=outcomes,
            versions=active.versions,
            cards=composed.cards,
            now=now,
            stages=stages,
        )
        if self._store:
            self._store.record(record)
        if not composed.cards and (composed.errors or _all_failed(evaluation, outcomes)):
            raise _failed()
        return composed.cards

    def facts(self, chart: Chart) -> FactBase:
        """The facts of a chart at this moment, as `answer` reads them."""
        return self._active.facts(chart, self._clock.now())

    def record_feedback(self, service: ServiceDefinition, entries: Sequence[FeedbackEntry]) -> None:
        """Store feedback; it is on disk at return. Raises ServiceError 503 otherwise."""
        if self._store is None:
            raise ServiceError(503, "storage-unavailable", "No database is in use.", "transient")
        keep = self.pack.settings.get(KEEP_TEXT)
        self._store.add_feedback(
            service.id, entries, self._clock.now(), keep_text=bool(keep and keep.value is True)
        )

    def client(self, issuer: str) -> Client | None:
        """The client whose tokens have this `iss`."""
        return self._clients.client(issuer) if self._clients else None

    def spend_token(self, digest: str, until: int, now: int) -> bool:
        """Whether a token is used for the first time, here or in any process on this database.

        Raises ServiceError 503 when that cannot be known.
        """
        if self._store is None:
            raise ServiceError(503, "unavailable", "No database is in use.", "transient")
        return self._store.spend_token(digest, until, now)

    @property
    def hanging(self) -> int:
        """How many looks, at the clients and at the site's folder, never come to an end."""
        looks = (self._clients, self._watch)
        return sum(look.hangs for look in looks if look)

    def health(self) -> Mapping[str, Any]:
        """Whether calls can be answered, and what that rests on."""
        now = int(self._clock.now().timestamp())
        problem = self._store.problem(now) if self._store else "none in use"
        workers = readiness.workers(self._watch)  # before what they tell of
        pack = self._packs.current().pack
        return {
            "ready": not problem,
            "database": problem or "ok",
            "decisionRecords": {
                "waiting": self._store.waiting_records,
                "lost": self._store.dropped_records,
            }
            if self._store
            else "none",
            "silentRules": "unknown" if problem else self._silent_rules(pack),
            "clients": self._clients.health() if self._clients else "none",
            "pack": {
                "name": pack.name,
                "version": pack.version,
                "revision": pack.revision,
                "profile": list(pack.profiles),
                "terminology": pack.raw.get("terminology", {}),
                "rules": len(self.ruleset.rules),
            },
            "rejectedPack": readiness.rejected_pack(self._packs.rejected),
            **workers,
        }

    def _silent_rules(self, pack: Pack) -> Any:
        """Rules that used to fire; "unknown" while the database cannot be asked."""
        if self._store is None:
            return "unknown"
        return self._silence.rules(self._store, pack.rules, self._clock.now().date())

    def close(self) -> None:
        """Write what is queued, and stop watching."""
        if self._watch:
            self._watch.stop()
        if self._store:
            self._store.close()

    def _decide(
        self,
        active: Active,
        service: ServiceDefinition,
        request: HookRequest,
        chart: Chart,
        now: datetime,
        language: str,
    ) -> tuple[Evaluation, Composition, dict[str, float]]:
        pack = active.ruleset.pack
        began = monotonic()
        facts = active.facts(chart, now)
        built = monotonic()
        evaluation = evaluate(active.ruleset, service, facts)
        judged = monotonic()
        composed = compose_cards(
            pack,
            service,
            evaluation,
            facts,
            request,
            public_url=self._public_url,
            language=language,
        )
        metrics.count_unrecognised(facts.unrecognised)
        stages = {"facts": built - began, "rules": judged - built, "cards": monotonic() - judged}
        return evaluation, composed, stages

    def _report_failures(self, errors: Mapping[str, str]) -> None:
        for rule, exception in errors.items():
            logs.logger().error("rule failed", rule=rule, exception=exception)

    def _tell(self) -> None:
        """Let the other workers see what this one runs."""
        shelf = self._watch.shelf if self._watch else None
        if shelf:
            shelf.tell(readiness.state(self.pack.revision, self._packs.rejected))


def build_runtime(settings: Settings, describe: Describe | None = None) -> Runtime:
    """The runtime that the environment asks for. With `describe` it keeps a record of the packs
    that it puts in force.

    Raises ConfigurationError (PackError for a pack that is refused).
    """
    from cds_service.packs.load import load_pack
    from cds_service.packs.locate import hooks_dir

    clients = open_clients(settings)
    folder = settings.hooks_dir or hooks_dir(os.environ)
    site = settings.site_dir
    content = go_live.content_of(site) if site else ""
    pack = load_pack(folder, site, thorough=False)
    store, clock = Store(settings.database_url, retention(settings)), Clock(settings.now)
    runtime = Runtime(
        pack,
        store,
        clock,
        public_url=public_url(settings),
        clients=clients,
    )
    if describe:
        audit = Audit(store, clock, site, describe)
        runtime.audit(audit, lambda: load_pack(folder, None, thorough=False))
    if site:
        if content != go_live.content_of(site):
            content = ""  # it changed while it was read: let the watcher decide
        watch = go_live.watch(
            folder,
            site,
            content,
            replace=runtime.take,
            reject=runtime.reject,
            keep=runtime.keep,
        )
        runtime.watch(watch)
    return runtime


def public_url(settings: Settings) -> str:
    """Where cards point for their sources; on this machine alone without CDS_PUBLIC_URL."""
    if settings.public_url or settings.host not in ("127.0.0.1", "localhost", "::1"):
        return settings.public_url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _all_failed(evaluation: Evaluation, outcomes: Mapping[str, str]) -> bool:
    failed = sum(outcome == "error" for outcome in outcomes.values())
    return 0 < failed >= evaluation.rules_evaluated


def _failed() -> ServiceError:
    return ServiceError(
        500,
        "rules-failed",
        "No rule could be evaluated or written. Nothing can be said.",
        "exception",
    )
