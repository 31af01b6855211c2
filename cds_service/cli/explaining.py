"""The facts of a request as the service would have them, for explanations."""

from cds_service.facts.base import FactBase
from cds_service.gather.chart import gather
from cds_service.protocol.request import parse_request
from cds_service.rules.model import ServiceDefinition
from cds_service.service.runtime import Runtime


def facts_of(runtime: Runtime, service: ServiceDefinition, content: bytes) -> FactBase:
    """Raises ServiceError where the service would refuse the request."""
    request = parse_request(service.hook, content)
    return runtime.facts(gather(request, service))
