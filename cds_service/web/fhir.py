"""Which FHIR servers the caller of the present call lets the service read."""

from flask import current_app

from cds_service.callers import dialect
from cds_service.callers.model import Dialect
from cds_service.gather.access import Grant
from cds_service.gather.fallback import Fallback, FhirFallback
from cds_service.web import auth


def fallback(spoken: Dialect) -> Fallback:
    """Reads the servers listed for the client; without authentication those on this machine."""
    return FhirFallback(_grant(), lambda resources: dialect.read_resources(resources, spoken))


def _grant() -> Grant:
    if auth.EXTENSION not in current_app.extensions:
        return Grant(servers=None)
    client = auth.caller()
    return Grant(client.fhir_servers, client.networks) if client else Grant()
