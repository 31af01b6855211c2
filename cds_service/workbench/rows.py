"""The chart as rows that a person reads and edits, and their edits done to the resources.

A field's name is the place of the resource in the chart and what it is: `r3.value`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cds_service.rules.model import Pack
from cds_service.terminology.codings import first_code, text_of
from cds_service.workbench.chart import ChartState, Order, Resource, reference_of

Json = Any
MOST_ROWS = 200  # drawn; a chart of thousands is judged whole all the same
_CONCEPTS = ("code", "medicationCodeableConcept", "vaccineCode")
_DATES = (
    "effectiveDateTime", "recordedDate", "authoredOn", "performedDateTime", "onsetDateTime",
    "authored", "issued", "dateAsserted",
)  # fmt: skip
_GROUPS = {
    "Condition": "Problems",
    "MedicationRequest": "Drugs",
    "MedicationStatement": "Drugs",
    "MedicationAdministration": "Drugs",
    "Observation": "Results",
    "Procedure": "Procedures",
    "ServiceRequest": "Orders on file",
}
ORDER = ("Problems", "Drugs", "Results", "Orders on file", "Procedures", "Other entries")
_SHORT = {
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "ICD-10-GM",
    "http://snomed.info/sct": "SNOMED CT",
    "order-names.json": "name of an order",
    "http://loinc.org": "LOINC",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
}
_CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
_STATUSES: Mapping[str, tuple[str, ...]] = {
    "Observation": ("final", "preliminary", "amended", "corrected", "entered-in-error"),
    "MedicationRequest": ("active", "on-hold", "completed", "stopped", "entered-in-error"),
    "MedicationStatement": ("active", "intended", "completed", "stopped", "entered-in-error"),
    "MedicationAdministration": ("completed", "in-progress", "not-done"),
    "Procedure": ("completed", "in-progress", "not-done"),
    "ServiceRequest": ("active", "on-hold", "completed", "revoked"),
}
_HL7 = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True)
class Row:
    """One entry. Fields that it does not have are None."""

    key: str  # "r3", "d0": its place in the chart
    reference: str
    group: str
    name: str
    code: str
    known: bool  # whether the pack has a code of it
    date: str | None = None
    status: str | None = None
    statuses: tuple[str, ...] = ()
    value: str | None = None
    unit: str | None = None
    most: float = 0.0  # of the slider; 0 for none
    selected: bool | None = None


def rows(state: ChartState, pack: Pack) -> dict[str, list[Row]]:
    """Rows by group; entries that the pack knows come first in each."""
    by_group: dict[str, list[Row]] = {name: [] for name in ORDER}
    for number, resource in enumerate(state.resources):
        if resource.get("resourceType") not in ("Patient", "Encounter"):
            row = _row(f"r{number}", resource, pack)
            by_group[row.group].append(row)
    return {
        name: sorted(group, key=lambda row: not row.known)
        for name, group in by_group.items()
        if group
    }


def drafts(state: ChartState, pack: Pack) -> list[Row]:
    """The draft orders."""
    return [
        replace(_row(f"d{number}", order.resource, pack), selected=order.selected)
        for number, order in enumerate(state.drafts)
    ]


def _row(key: str, resource: Resource, pack: Pack) -> Row:
    kind = str(resource.get("resourceType", ""))
    concept = next((resource[name] for name in _CONCEPTS if name in resource), None)
    coded = pack.terminology.vocabulary.systems.codings(concept)
    value, unit, most = _value(resource)
    return Row(
        key,
        reference_of(resource),
        _GROUPS.get(kind, "Other entries"),
        text_of(concept) or _own_name(coded, pack) or kind or "entry without a type",
        "; ".join(f"{_SHORT.get(system, system)} {code}" for system, code, _ in coded[:3]),
        any(pack.terminology.knows(system, code) for system, code, _ in coded),
        date=_date(resource),
        status=_status(resource),
        statuses=_CLINICAL if kind == "Condition" else _STATUSES.get(kind, ()),
        value=value,
        unit=unit,
        most=most,
    )


def _own_name(coded: list[tuple[str, str, str]], pack: Pack) -> str:
    for system, code, _ in coded:
        for set_id in pack.terminology.sets_of(system, code):
            name = pack.terminology.display(set_id, system, code)
            if name:
                return name
    return coded[0][1] if coded else ""


def _date(resource: Resource) -> str | None:
    for name in _DATES:
        if isinstance(resource.get(name), str):
            return str(resource[name])
    return "" if resource.get("resourceType") in _DATE_OF else None


_DATE_OF = {
    "Condition": "recordedDate",
    "Observation": "effectiveDateTime",
    "MedicationRequest": "authoredOn",
    "MedicationStatement": "effectiveDateTime",
    "Procedure": "performedDateTime",
    "ServiceRequest": "authoredOn",
}


def _status(resource: Resource) -> str | None:
    if resource.get("resourceType") == "Condition":
        return first_code(resource.get("clinicalStatus"))
    status = resource.get("status")
    return status if isinstance(status, str) else None


def _value(resource: Resource) -> tuple[str | None, str | None, float]:
    if resource.get("resourceType") != "Observation":
        return None, None, 0.0
    quantity = resource.get("valueQuantity")
    if not isinstance(quantity, dict):
        other = next((v for k, v in resource.items() if k.startswith("value")), None)
        if other is None:
            return (None, None, 0.0) if resource.get("component") else ("", "", 0.0)
        return (text_of(other) if isinstance(other, dict) else str(other)), None, 0.0
    number = quantity.get("value")
    shown = f"{quantity.get('comparator') or ''}{'' if number is None else number}"
    unit = quantity.get("unit") or quantity.get("code") or ""
    plain = isinstance(number, int | float) and number >= 0
    return shown, str(unit), _most(float(number)) if plain and number is not None else 0.0


def _most(value: float) -> float:
    """The end of a slider: a round number well above the value."""
    top = 1.0
    while top < value * 1.5:
        top *= 2 if str(top)[0] in "15" else 2.5
    return top


def edited(state: ChartState, form: Mapping[str, str], pack: Pack) -> ChartState:
    """The chart after what a person wrote into the fields of its rows and of the patient."""
    resources = [
        _edited(f"r{n}", resource, form, pack) for n, resource in enumerate(state.resources)
    ]
    orders = tuple(
        Order(order.resource, f"d{n}.selected" in form if f"d{n}.here" in form else order.selected)
        for n, order in enumerate(state.drafts)
    )
    people = [_edited_person(resource, form) for resource in resources]
    return replace(state, resources=tuple(people), drafts=orders)


def _edited(key: str, resource: Resource, form: Mapping[str, str], pack: Pack) -> Resource:
    if f"{key}.here" not in form:
        return resource  # not drawn, not edited
    row = _row(key, resource, pack)
    changes = dict(_changes(key, row, form))
    if not changes:
        return resource
    changed = dict(resource)
    for what, text in changes.items():
        _SET[what](changed, text)
    return changed


def _changes(key: str, row: Row, form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for what in ("value", "unit", "date", "status"):
        sent = form.get(f"{key}.{what}")
        if sent is not None and sent.strip() != (getattr(row, what) or ""):
            yield what, sent.strip()


def _set_value(resource: Resource, text: str) -> None:
    comparator = next((c for c in ("<=", ">=", "<", ">") if text.startswith(c)), "")
    number = text.removeprefix(comparator).strip()
    quantity = dict(resource.get("valueQuantity") or {})
    quantity.pop("comparator", None)
    try:
        quantity["value"] = float(number) if not number.isdigit() else int(number)
    except ValueError:
        for name in [name for name in resource if name.startswith("value")]:
            del resource[name]
        if text:
            resource["valueString"] = text
        return
    for name in [name for name in resource if name.startswith("value")]:
        del resource[name]
    resource["valueQuantity"] = {**quantity, **({"comparator": comparator} if comparator else {})}


def _set_unit(resource: Resource, text: str) -> None:
    quantity = dict(resource.get("valueQuantity") or {})
    for name in ("unit", "system", "code"):
        quantity.pop(name, None)
    if text:
        quantity |= {"unit": text, "system": _UCUM, "code": text}
    resource["valueQuantity"] = quantity


def _set_date(resource: Resource, text: str) -> None:
    own = _DATE_OF.get(str(resource.get("resourceType")), "")
    name = next((name for name in _DATES if name in resource), own)
    if not name:
        return
    if text:
        resource[name] = text
    else:
        resource.pop(name, None)


def _set_status(resource: Resource, text: str) -> None:
    if resource.get("resourceType") != "Condition":
        resource["status"] = text
    elif text:
        resource["clinicalStatus"] = {"coding": [{"system": _HL7, "code": text}]}
    else:
        resource.pop("clinicalStatus", None)


_SET = {"value": _set_value, "unit": _set_unit, "date": _set_date, "status": _set_status}


def _edited_person(resource: Resource, form: Mapping[str, str]) -> Resource:
    if resource.get("resourceType") != "Patient" or "patient.here" not in form:
        return resource
    changed = dict(resource)
    for name in ("birthDate", "gender"):
        text = form.get(f"patient.{name}", "").strip()
        if text != str(resource.get(name) or ""):
            changed.pop(name, None)
            changed |= {name: text} if text else {}
    return changed


def without(state: ChartState, key: str) -> ChartState:
    """The chart without one row."""
    kind, number = key[:1], key[1:]
    if not number.isdigit():
        return state
    at = int(number)
    if kind == "d":
        left = tuple(order for n, order in enumerate(state.drafts) if n != at)
        return replace(state, drafts=left)
    return replace(
        state, resources=tuple(resource for n, resource in enumerate(state.resources) if n != at)
    )


def system_name(system: str) -> str:
    """A code system as people call it."""
    return _SHORT.get(system, system)
