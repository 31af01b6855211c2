"""Calls whose data stands in the FHIR server, seen as charts."""

import json
from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient

from cds_service.facts.chart import Chart
from cds_service.gather.access import Grant
from cds_service.gather.chart import gather
from cds_service.gather.fallback import FhirFallback
from cds_service.gather.limits import LIMITS, Limits
from cds_service.protocol.request import parse_request
from cds_service.web.runtime import EXTENSION
from tests.support.calls import SERVICE_OF

Json = Any
QUICK = replace(LIMITS, deadline=1.0, request=0.4)  # where a server is known to hang
THIS_MACHINE = Grant(servers=None)


def chart_of(
    client: FlaskClient, call: Json, grant: Grant = THIS_MACHINE, limits: Limits = LIMITS
) -> Chart:
    """The chart that the service makes of a call. Raises PreconditionFailed as it does."""
    runtime = client.application.extensions[EXTENSION]
    service = runtime.service(SERVICE_OF[call["hook"]])
    request = parse_request(service.hook, json.dumps(call).encode())
    return gather(request, service, FhirFallback(grant, limits=limits))


def supplies(chart: Chart) -> dict[str, str]:
    """The state of each key."""
    return {key: slot.supply.value for key, slot in chart.slots.items()}
