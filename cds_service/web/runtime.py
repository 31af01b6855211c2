"""What the web needs from the service layer: the use cases of `service.runtime`, as a type."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import current_app, g

from cds_service.callers.model import Client
from cds_service.errors import ServiceError
from cds_service.facts.chart import Chart
from cds_service.protocol.model import Card, FeedbackEntry, HookRequest
from cds_service.rules.model import Pack, ServiceDefinition

EXTENSION = "cds-runtime"


class Runtime(Protocol):
    """The active pack and what can be done with it."""

    @property
    def pack(self) -> Pack:
        """The pack in force; another one after a reload."""
        ...

    def in_force(self) -> "Runtime":
        """The same, held to the pack in force now."""
        ...

    def service(self, service_id: str) -> ServiceDefinition | None:
        """The service with this id."""
        ...

    def answer(
        self,
        service: ServiceDefinition,
        request: HookRequest,
        chart: Chart,
        spent: Mapping[str, float] | None = None,
    ) -> Sequence[Card]:
        """The cards of one call, `spent` the seconds of the stages before this one.

        ServiceError 500 when every rule failed.
        """
        ...

    def record_feedback(self, service: ServiceDefinition, entries: Sequence[FeedbackEntry]) -> None:
        """Store feedback durably. ServiceError 503 when that is not possible."""
        ...

    def client(self, issuer: str) -> Client | None:
        """The client whose tokens have this `iss`, as clients.json says at this moment."""
        ...

    def spend_token(self, digest: str, until: int, now: int) -> bool:
        """Whether a token is used for the first time. ServiceError 503 when nobody can know."""
        ...

    def health(self) -> Mapping[str, Any]:
        """`ready` (bool) and what it rests on, for people."""
        ...


def current() -> Runtime:
    """The runtime that answers the present call, with one pack from its beginning to its end."""
    if "cds_runtime" not in g:
        g.cds_runtime = current_app.extensions[EXTENSION].in_force()
    runtime: Runtime = g.cds_runtime
    return runtime


def enabled_service(service_id: str) -> ServiceDefinition:
    """The service with this id, or 404."""
    service = current().service(service_id)
    if service is None or not service.enabled:
        raise ServiceError(
            404, "service-unknown", "No service has this id; see /cds-services.", "not-found"
        )
    return service
