"""One measured value: what an Observation or component says, in the fact's unit."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Quantity as QuantityFact
from cds_service.facts.fhir import codes, objects, string
from cds_service.facts.model import Quantity
from cds_service.facts.query import Query
from cds_service.units.convert import UnitUnknown, convert_to

_UNITLESS = ("1", "{ratio}")  # UCUM's ways to write no unit; nobody reads them as one
_COMPARATORS = ("<", "<=", ">", ">=")
_COMPARATORS_AS_SENT = {
    "=": "", "==": "", "\u2264": "<=", "\u2265": ">=", "=<": "<=", "=>": ">=",
    "\uff1c": "<", "\uff1e": ">", "\uff1d": "",
}  # fmt: skip
_NUMBERS = (int, float, str, Decimal)  # and texts that may be one
_LARGEST_EXPONENT = 15  # no laboratory value is near it; keeps arithmetic from overflowing
# HL7 v3 ObservationInterpretation, and v2 table 0078; the most telling first.
_FLAGS = ("LL", "HH", "L", "H", "LU", "HU", "<", ">", "N")


class Measurement(NamedTuple):
    """A value as read. `quantity` is None where it cannot be used; `fault` then says why.

    `fault`: "" (there is no value at all), "text", "number", "no unit", "unit", "implausible".
    """

    quantity: Quantity | None
    shown: str
    fault: str = ""


def measure(query: Query[QuantityFact], part: Resource) -> Measurement:
    """The value of an Observation or component."""
    value = part.get("valueQuantity")
    if not isinstance(value, dict):
        integer = part.get("valueInteger")
        if integer is None:
            return Measurement(None, "", _fault_without_quantity(part))
        value = {"value": integer}
    number = decimal(value.get("value"))
    if number is None:
        return Measurement(None, "", "" if value.get("value") is None else "number")
    comparator = _COMPARATORS_AS_SENT.get(sent := string(value.get("comparator")), sent)
    unit_text = string(value.get("unit")) or string(value.get("code"))
    if unit_text in _UNITLESS or query.definition.unit in _UNITLESS:
        unit_text = unit_text if unit_text == "%" else ""
    shown = f"{comparator}{_plain(value['value'], number)} {unit_text}".strip()
    if comparator and comparator not in _COMPARATORS:
        return Measurement(None, shown, "number")
    return _in_unit(query, value, number, comparator, shown)


def _in_unit(
    query: Query[QuantityFact], value: Resource, number: Decimal, comparator: str, shown: str
) -> Measurement:
    definition = query.definition
    converted, fault = converted_value(query, number, value)
    if converted is None:
        return Measurement(None, shown, fault)
    if definition.decimals is not None:
        converted = converted.quantize(Decimal(1).scaleb(-definition.decimals), ROUND_HALF_UP)
    if not definition.plausible.holds(converted):
        return Measurement(None, shown, "implausible")
    return Measurement(Quantity(converted, definition.unit, comparator, shown), shown)


def converted_value(
    query: Query[QuantityFact], number: Decimal, value: Mapping[str, Any]
) -> tuple[Decimal | None, str]:
    """A number in the fact's unit, or None and the fault."""
    definition = query.definition
    code, text = string(value.get("code")), string(value.get("unit"))
    if not code and not text:
        limit = definition.unitless
        usable = limit is not None and number <= limit
        return (number, "") if usable else (None, "no unit")
    converted = convert_to(
        definition.unit,
        number,
        code,
        text,
        definition.unit_table,
        string(value.get("system")),
        tables=query.patient.terminology.units,
    )
    if isinstance(converted, UnitUnknown) or _is_bare(definition, number, converted):
        return None, "unit"
    return converted, ""


def _is_bare(definition: QuantityFact, number: Decimal, converted: Decimal) -> bool:
    """Whether a number is one without a unit, whatever its unit says: an index of 0.7 "%"."""
    limit = definition.unitless
    return limit is not None and converted != number and number <= limit


def _fault_without_quantity(part: Resource) -> str:
    """Text is a result nobody here can read, and so is a ratio; a stated absence is no result."""
    if "dataAbsentReason" in part:
        return ""
    if any(key in part for key in ("valueString", "valueCodeableConcept", "valueRange")):
        return "text"
    return "number" if any(key.startswith("value") for key in part) else ""


def decimal(value: Any) -> Decimal | None:
    """A JSON number exactly as written. Floats go by their shortest form: 0.905 is 0.905."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        return None
    return number


def _plain(value: Any, number: Decimal) -> str:
    return f"{number:f}" if isinstance(value, float | Decimal) else str(value)


def flag_of(part: Resource) -> str:
    """The laboratory's interpretation code ("L"), or ""."""
    codes_sent = {code.upper() for code in codes(part.get("interpretation"))}
    return next((flag for flag in _FLAGS if flag in codes_sent), "")


def reference_limit(query: Query[QuantityFact], part: Resource, end: Literal["low", "high"]) -> str:
    """A reference limit in the fact's unit, where the result names just one; else ""."""
    limits: list[str] = []
    measured = part.get("valueQuantity")
    for entry in objects(part.get("referenceRange")):
        kinds, limit = codes(entry.get("type")), entry.get(end)
        if (kinds and "normal" not in kinds) or not isinstance(limit, dict):
            continue
        number = decimal(limit.get("value"))
        if number is None:
            continue
        with_unit = limit if limit.get("unit") or limit.get("code") else measured
        value, _ = converted_value(query, number, with_unit if isinstance(with_unit, dict) else {})
        if value is not None:
            limits.append(f"{value:f}")
    return limits[0] if len(limits) == 1 else ""
