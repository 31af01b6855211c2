"""A service call as typed data. Tolerant of what EHRs really send, exact about what is required.

Sources: CDS Hooks 2.0.1 "Calling a CDS Service" and the hook definitions of its library; rows C1 to
C11, F4 to F9 and U1 to U11 of tests/conformance/rows.csv. Unknown fields and `extension` are
ignored.
"""

import re
from typing import Any
from uuid import UUID

from cds_service.errors import BadRequest
from cds_service.protocol import authorization, body, drafts
from cds_service.protocol.entries import Sent
from cds_service.protocol.model import FhirAuthorization, HookRequest
from cds_service.protocol.raw import encoded

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ORDER_HOOKS = ("order-select", "order-sign")
Holder = body.Call | dict[str, Any]  # what has fields: the call, or its context


def parse_request(service_hook: str, content: bytes | dict[str, Any]) -> HookRequest:
    """Read a call of a service that answers `service_hook`.

    Raises BadRequest that names the field. `HookRequest.warnings` says what was put right.
    """
    call = body.Call(content if isinstance(content, bytes) else bytes(encoded(content)))
    warnings: list[str] = []
    hook = _hook(call, service_hook)
    hook_instance = _hook_instance(call, warnings)
    context = _context(call)
    user_id = _user(context, warnings)
    patient_id = _patient(context, warnings)
    fhir_server = _optional(call, "fhirServer", "fhirServer", warnings)
    orders, others = _orders(hook, call, warnings)
    return HookRequest(
        hook=hook,
        hook_instance=hook_instance,
        patient_id=patient_id,
        user_id=user_id,
        encounter_id=_bare_id(_optional(context, "encounterId", "context.encounterId", warnings)),
        fhir_server=fhir_server,
        fhir_authorization=_authorization(call, fhir_server, warnings),
        prefetch=_prefetch(call),
        drafts=orders,
        others=others,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _authorization(
    call: body.Call, fhir_server: str, warnings: list[str]
) -> FhirAuthorization | None:
    return authorization.read(call.plain("fhirAuthorization"), fhir_server, warnings)


def _orders(hook: str, call: body.Call, warnings: list[str]) -> drafts.Orders:
    if hook not in _ORDER_HOOKS:
        return (), ()
    return drafts.read(call.raws("context"), hook == "order-select", warnings)


def _hook(call: body.Call, service_hook: str) -> str:
    hook = _required(call, "hook", "hook")
    if hook != service_hook:
        raise BadRequest(
            "hook-mismatch",
            f"This service answers the hook {service_hook}; the request is for another hook.",
            "hook",
        )
    return hook


def _hook_instance(call: body.Call, warnings: list[str]) -> str:
    value = _required(call, "hookInstance", "hookInstance")
    if not is_uuid(value):
        warnings.append("hookInstance is not a UUID")
    return value


def is_uuid(value: str) -> bool:
    """Whether the text is a UUID of any version, in any of the forms that are in use."""
    if _UUID.fullmatch(value):
        return True
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _context(call: body.Call) -> dict[str, Any]:
    context = call.plain("context")
    if context is None:
        raise BadRequest("field-missing", "context is required.", "context")
    if not isinstance(context, dict):
        raise BadRequest("field-invalid", "context must be an object.", "context")
    return context


def _user(context: dict[str, Any], warnings: list[str]) -> str:
    user = _required(context, "userId", "context.userId")
    if "/" not in user:
        warnings.append("context.userId has no resource type")
    return user


def _patient(context: dict[str, Any], warnings: list[str]) -> str:
    sent = _required(context, "patientId", "context.patientId")
    bare = _bare_id(sent)
    if not bare:
        raise BadRequest("field-invalid", "context.patientId names no id.", "context.patientId")
    if bare != sent:
        warnings.append("context.patientId is a reference; its id was used")
    return bare


def _bare_id(value: str) -> str:
    """The id in "x", "Patient/x", "https://ehr/fhir/Patient/x" and "Patient/x/_history/2"."""
    return value.partition("/_history/")[0].rpartition("/")[2].strip()


def _required(holder: Holder, name: str, place: str) -> str:
    value = holder.get(name)
    if value is None or value == "":
        raise BadRequest("field-missing", f"{place} is required.", place)
    if not isinstance(value, str):
        raise BadRequest("field-invalid", f"{place} must be a string.", place)
    return value


def _optional(holder: Holder, name: str, place: str, warnings: list[str]) -> str:
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    warnings.append(f"{place} is not a string and was ignored")
    return ""


def _prefetch(call: body.Call) -> dict[str, Sent]:
    value = call.get("prefetch")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest("field-invalid", "prefetch must be an object.", "prefetch")
    return call.sent("prefetch")
