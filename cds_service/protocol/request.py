"""A service call as typed data. Tolerant of what EHRs really send, exact about what is required.

Sources: CDS Hooks 2.0.1 "Calling a CDS Service" and the hook definitions of its library; rows C1 to
C11, F4 to F9 and U1 to U11 of tests/conformance/rows.csv. Unknown fields and `extension` are
ignored.
"""

from typing import Any
from uuid import UUID

from cds_service.errors import BadRequest
from cds_service.protocol import authorization, body, drafts
from cds_service.protocol.model import FhirAuthorization, HookRequest
from cds_service.protocol.raw import Raw, decoded, encoded

_ORDER_HOOKS = ("order-select", "order-sign")
_READ_APART = ("draftOrders", "selections")  # by `protocol.drafts`


def parse_request(service_hook: str, content: bytes | dict[str, Any]) -> HookRequest:
    """Read a call of a service that answers `service_hook`.

    Raises BadRequest that names the field. `HookRequest.warnings` says what was put right.
    """
    data = body.decode_call(content if isinstance(content, bytes) else bytes(encoded(content)))
    warnings: list[str] = []
    hook = _hook(data, service_hook)
    hook_instance = _hook_instance(data, warnings)
    sent = _context(data)
    context = {name: decoded(raw) for name, raw in sent.items() if name not in _READ_APART}
    user_id = _user(context, warnings)
    patient_id = _patient(context, warnings)
    fhir_server = _optional(data, "fhirServer", "fhirServer", warnings)
    orders, others = _orders(hook, sent, warnings)
    return HookRequest(
        hook=hook,
        hook_instance=hook_instance,
        patient_id=patient_id,
        user_id=user_id,
        encounter_id=_bare_id(_optional(context, "encounterId", "context.encounterId", warnings)),
        fhir_server=fhir_server,
        fhir_authorization=_authorization(data, fhir_server, warnings),
        prefetch=_prefetch(data),
        drafts=orders,
        others=others,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _authorization(
    data: dict[str, Any], fhir_server: str, warnings: list[str]
) -> FhirAuthorization | None:
    sent = data.get("fhirAuthorization")
    if isinstance(sent, dict):
        sent = {name: decoded(raw) for name, raw in sent.items()}
    return authorization.read(sent, fhir_server, warnings)


def _orders(hook: str, context: dict[str, Raw], warnings: list[str]) -> drafts.Orders:
    if hook not in _ORDER_HOOKS:
        return (), ()
    return drafts.read(context, hook == "order-select", warnings)


def _hook(data: dict[str, Any], service_hook: str) -> str:
    hook = _required(data, "hook", "hook")
    if hook != service_hook:
        raise BadRequest(
            "hook-mismatch",
            f"This service answers the hook {service_hook}; the request is for another hook.",
            "hook",
        )
    return hook


def _hook_instance(data: dict[str, Any], warnings: list[str]) -> str:
    value = _required(data, "hookInstance", "hookInstance")
    if not is_uuid(value):
        warnings.append("hookInstance is not a UUID")
    return value


def is_uuid(value: str) -> bool:
    """Whether the text is a UUID of any version."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _context(data: dict[str, Any]) -> dict[str, Raw]:
    context = data.get("context")
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


def _required(holder: dict[str, Any], name: str, place: str) -> str:
    value = holder.get(name)
    if value is None or value == "":
        raise BadRequest("field-missing", f"{place} is required.", place)
    if not isinstance(value, str):
        raise BadRequest("field-invalid", f"{place} must be a string.", place)
    return value


def _optional(holder: dict[str, Any], name: str, place: str, warnings: list[str]) -> str:
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    warnings.append(f"{place} is not a string and was ignored")
    return ""


def _prefetch(data: dict[str, Any]) -> dict[str, Raw]:
    value = data.get("prefetch")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest("field-invalid", "prefetch must be an object.", "prefetch")
    return value
