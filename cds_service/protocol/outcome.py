"""Errors as FHIR R4 OperationOutcome: the body of every answer that is not a success (row G7)."""

from typing import Any

import orjson

from cds_service.errors import ServiceError
from cds_service.protocol.codes import SYSTEM


def outcome(error: ServiceError) -> dict[str, Any]:
    """The resource for an error: our stable code in `details`, the reason in `diagnostics`."""
    issue: dict[str, Any] = {
        "severity": "fatal" if error.status == 500 else "error",
        "code": error.issue,
        "details": {"coding": [{"system": SYSTEM, "code": error.code}]},
        "diagnostics": error.message,
    }
    if error.expression:
        issue["expression"] = [error.expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def write(error: ServiceError) -> bytes:
    """The resource as JSON."""
    return orjson.dumps(outcome(error))
