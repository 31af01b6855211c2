"""`context.draftOrders` and `context.selections` (CDS Hooks Library: order-select, order-sign).

Read as they really arrive: a Bundle without a type, entries that are the order itself, ids of any
length and with any characters, selections as a bare id (rows U6 to U11).
"""

from collections.abc import Iterator
from typing import Any

from cds_service.errors import BadRequest
from cds_service.protocol.model import DraftOrder

# Orders of R4, and those of STU3 and DSTU2, which are read as orders that no rule knows (row U1).
ORDER_TYPES = frozenset({
    "MedicationRequest", "ServiceRequest", "NutritionOrder", "VisionPrescription", "DeviceRequest",
    "SupplyRequest", "CommunicationRequest", "RequestGroup", "Appointment", "Task",
    "MedicationOrder", "ProcedureRequest", "DiagnosticOrder", "DiagnosticRequest",
    "ReferralRequest", "DeviceUseRequest", "OrderSet",
})  # fmt: skip

_BUNDLE = "context.draftOrders"
_SELECTIONS = "context.selections"

Orders = tuple[tuple[DraftOrder, ...], tuple[dict[str, Any], ...]]  # orders, and what is beside
Entry = tuple[dict[str, Any], str]  # the resource and its fullUrl ("" without one)


def read(context: dict[str, Any], with_selections: bool, warnings: list[str]) -> Orders:
    """Orders of the context, and the other resources beside them (Medication and the like).

    Without selections in the hook (order-sign) every order counts as selected.
    """
    selections = _selections(context, warnings) if with_selections else None
    drafts: list[DraftOrder] = []
    others: list[dict[str, Any]] = []
    for resource, full_url in _entries(_bundle(context), warnings):
        if resource.get("resourceType") not in ORDER_TYPES:
            others.append(resource)
            continue
        reference = _reference(resource)
        selected = selections is None or _is_selected(resource, reference, full_url, selections)
        drafts.append(DraftOrder(resource, reference, selected))
    if selections is not None and not any(draft.selected for draft in drafts):
        warnings.append("no selection names an order of draftOrders")
    return tuple(drafts), tuple(others)


def _selections(context: dict[str, Any], warnings: list[str]) -> frozenset[str]:
    value = context.get("selections")
    if value is None:
        raise BadRequest("field-missing", f"{_SELECTIONS} is required.", _SELECTIONS)
    if not isinstance(value, list):
        raise BadRequest("field-invalid", f"{_SELECTIONS} must be an array.", _SELECTIONS)
    texts = frozenset(item for item in value if isinstance(item, str) and item)
    if len(texts) < len(value):
        warnings.append("selections holds entries that are empty, repeated or not a string")
    return texts


def _bundle(context: dict[str, Any]) -> list[Any]:
    value = context.get("draftOrders")
    if value is None:
        raise BadRequest("field-missing", f"{_BUNDLE} is required.", _BUNDLE)
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        raise BadRequest("field-invalid", f"{_BUNDLE} must be a Bundle.", _BUNDLE)
    entries = value.get("entry")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise BadRequest("field-invalid", f"{_BUNDLE}.entry must be an array.", f"{_BUNDLE}.entry")
    return entries


def _entries(entries: list[Any], warnings: list[str]) -> Iterator[Entry]:
    for entry in entries:
        resource = _resource(entry)
        if resource is None:
            warnings.append("draftOrders holds an entry without a resource")
            continue
        full_url = entry.get("fullUrl")
        yield resource, full_url if isinstance(full_url, str) else ""


def _resource(entry: Any) -> dict[str, Any] | None:
    if not isinstance(entry, dict):
        return None
    resource = entry.get("resource", entry)  # some clients send the order as the entry itself
    if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        return resource
    return None


def _reference(resource: dict[str, Any]) -> str:
    identifier = resource.get("id")
    if not isinstance(identifier, str) or not identifier:
        return ""
    return f"{resource['resourceType']}/{identifier.rsplit('/', 1)[-1]}"


def _is_selected(
    resource: dict[str, Any], reference: str, full_url: str, selections: frozenset[str]
) -> bool:
    if not reference:
        return bool(full_url) and full_url in selections
    if reference in selections or resource["id"] in selections or full_url in selections:
        return True
    return any(selection.endswith(f"/{reference}") for selection in selections)
