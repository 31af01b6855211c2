"""The runtime that the web layer calls (`service.runtime`); 404 for a service not enabled."""

from flask import current_app, g

from cds_service.errors import ServiceError
from cds_service.rules.model import ServiceDefinition
from cds_service.service.runtime import Runtime

EXTENSION = "cds-runtime"


def current() -> Runtime:
    """The runtime that answers the present call, with one pack from its beginning to its end."""
    runtime: Runtime | None = g.get("cds_runtime")
    if runtime is None:
        runtime = g.cds_runtime = current_app.extensions[EXTENSION].in_force()
    return runtime


def enabled_service(active: Runtime, service_id: str) -> ServiceDefinition:
    """The service with this id, or 404."""
    service = active.service(service_id)
    if service is None or not service.enabled:
        raise ServiceError(
            404, "service-unknown", "No service has this id; see /cds-services.", "not-found"
        )
    return service
