"""`context.draftOrders` and `context.selections` (CDS Hooks Library: order-select, order-sign).

Read as they really arrive: a Bundle without a type, entries that are the order itself, ids of any
length and with any characters, selections as a bare id (rows U6 to U11). An order is judged
whatever its status says: that it is among the draft orders makes it one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.errors import BadRequest
from cds_service.protocol import identity
from cds_service.protocol.entries import Entries, Entry, Sent, value_of
from cds_service.protocol.model import DraftOrder
from cds_service.protocol.raw import NULL, Raw, decoded, word

Json = Any

# Orders of R4, and those of STU3 and DSTU2, which are read as orders that no rule knows (row U1).
ORDER_TYPES = frozenset({
    "MedicationRequest", "ServiceRequest", "NutritionOrder", "VisionPrescription", "DeviceRequest",
    "SupplyRequest", "CommunicationRequest", "RequestGroup", "Appointment", "Task",
    "MedicationOrder", "ProcedureRequest", "DiagnosticOrder", "DiagnosticRequest",
    "ReferralRequest", "DeviceUseRequest", "OrderSet",
})  # fmt: skip

_BUNDLE = "context.draftOrders"
_SELECTIONS = "context.selections"

Orders = tuple[tuple[DraftOrder, ...], tuple[Entry, ...]]  # orders, and what is beside them


def read(context: Mapping[str, Raw], with_selections: bool, warnings: list[str]) -> Orders:
    """Orders of the context, and the other resources beside them (Medication and the like).

    Without selections in the hook (order-sign) every order counts as selected; so it does where no
    selection is a reference at all and none names what was sent: "no advice" would be false then.
    """
    selections = _selections(context, warnings) if with_selections else None
    entries = list(_entries(context))
    if selections and not any(map(_refers, selections)) and not selections & _all_names(entries):
        warnings.append("no selection is a reference: every order of draftOrders counts")
        selections = None
    drafts: list[DraftOrder] = []
    others: list[Entry] = []
    for entry in entries:
        if entry is None:
            warnings.append("draftOrders holds an entry without a resource")
        elif entry.kind not in ORDER_TYPES:
            others.append(entry)
        else:
            selected = selections is None or not selections.isdisjoint(_names(entry))
            drafts.append(DraftOrder(entry.body, _reference(entry), selected))
    if selections is not None and not any(draft.selected for draft in drafts):
        warnings.append("no selection names an order of draftOrders")
    return tuple(drafts), tuple(others)


def _selections(context: Mapping[str, Raw], warnings: list[str]) -> frozenset[str]:
    """What the selections name. An entry that names nothing is no selection of nothing: refused."""
    value = decoded(context["selections"]) if "selections" in context else None
    if value is None:
        raise BadRequest("field-missing", f"{_SELECTIONS} is required.", _SELECTIONS)
    if not isinstance(value, list):
        raise BadRequest("field-invalid", f"{_SELECTIONS} must be an array.", _SELECTIONS)
    texts = [_selection(item) for item in value]
    named = {text for text in texts if text}
    if value and not named:
        raise BadRequest("field-invalid", f"{_SELECTIONS} names no order.", _SELECTIONS)
    if len(named) < len(value) or not all(isinstance(item, str) for item in value):
        warnings.append("selections holds entries that are empty, repeated or not a string")
    return frozenset(key for text in named for key in (text, *identity.of_reference(text)))


def _selection(item: Json) -> str:
    """A selection as sent, or the reference in an object that stands for one."""
    text = item.get("reference") if isinstance(item, dict) else item
    if not isinstance(text, str):
        raise BadRequest("field-invalid", f"{_SELECTIONS} must hold strings.", _SELECTIONS)
    return identity.without_version(text)


def _entries(context: Mapping[str, Raw]) -> Iterable[Entry | None]:
    raw = context.get("draftOrders", NULL)
    if raw == NULL:
        raise BadRequest("field-missing", f"{_BUNDLE} is required.", _BUNDLE)
    bundle = value_of(raw)
    if bundle is None or word(bundle.resource_type) != "Bundle":
        raise BadRequest("field-invalid", f"{_BUNDLE} must be a Bundle.", _BUNDLE)
    if bundle.entry is None:
        return ()
    if not isinstance(bundle.entry, list):
        raise BadRequest("field-invalid", f"{_BUNDLE}.entry must be an array.", f"{_BUNDLE}.entry")
    return Entries(bundle.entry, Sent(bundle, raw), "entry")


def _reference(entry: Entry) -> str:
    return f"{entry.kind}/{entry.id.rsplit('/', 1)[-1]}" if entry.id else ""


def _refers(selection: str) -> bool:
    """Whether a selection has the form of a reference: a type and an id, an address, a URN."""
    parts = selection.split("/")
    return selection[:4].lower() == "urn:" or (len(parts) > 1 and parts[-2][:1].isupper())


def _all_names(entries: Iterable[Entry | None]) -> set[str]:
    return {name for entry in entries if entry is not None for name in _names(entry)}


def _names(entry: Entry) -> set[str]:
    """All that a selection may name an order by."""
    names = entry.identities() | {entry.url, entry.id, _reference(entry)}
    return names - {""}
