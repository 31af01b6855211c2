"""Converting a measured value to its analyte's canonical unit, by the factors of units.json.

Decimal only; never raises. Which spellings of a unit are one: `units.table.fold`.
"""

from dataclasses import dataclass
from decimal import Context, Decimal

from cds_service.units.table import Factor, UnitTable, UnitTables, alone, fold

MOST_REMEMBERED = 200  # spellings for each analyte
UCUM = "http://unitsofmeasure.org"

# Own context: the caller's may trap, and a value out of range must be told, not raised.
_ARITHMETIC = Context(prec=28, traps=[])


@dataclass(frozen=True, slots=True)
class UnitUnknown:
    """No conversion. `reason` is for people and holds no value: "unit 'ng/dL' is not known"."""

    reason: str


def convert(
    value: Decimal,
    unit_code: str | None,
    unit_text: str | None,
    analyte: str,
    system: str | None = None,
    *,
    tables: UnitTables,
) -> Decimal | UnitUnknown:
    """A value in the canonical unit of `analyte` (the value set id, "obs-ferritin").

    The UCUM code counts before the unit text (clinical section 2.4). Code and text that are both
    known and mean different things are a fault of the record: unknown. `system` is told only in
    the reason; a code of another system is tried all the same, as EHRs label UCUM codes freely.
    `tables` are the pack's, with what the site added: `terminology.units`.
    """
    table = tables.get(analyte)
    if table is None:
        return UnitUnknown(f"there is no unit table for '{analyte}'")
    return convert_by(table, value, unit_code, unit_text, system)


def convert_by(
    table: UnitTable,
    value: Decimal,
    unit_code: str | None,
    unit_text: str | None,
    system: str | None = None,
) -> Decimal | UnitUnknown:
    """As `convert`, with the analyte's table at hand."""
    factor = _remembered(table, unit_code, unit_text, system)
    return factor if isinstance(factor, UnitUnknown) else _apply(value, factor)


def convert_to(
    unit: str,
    value: Decimal,
    unit_code: str | None,
    unit_text: str | None,
    analyte: str,
    system: str | None = None,
    *,
    tables: UnitTables,
) -> Decimal | UnitUnknown:
    """`convert`, and from the canonical unit on into `unit`, in which a fact is kept.

    An analyte without a table is known in the fact's own unit alone.
    """
    table = tables.get(analyte) or alone(unit)
    converted = convert_by(table, value, unit_code, unit_text, system)
    if isinstance(converted, UnitUnknown) or unit == table.canonical:
        return converted
    per_unit = convert_by(table, Decimal(1), unit, None)
    return per_unit if isinstance(per_unit, UnitUnknown) else converted / per_unit


def canonical_unit(analyte: str, tables: UnitTables) -> str:
    """The unit that `convert` converts to; "" for an analyte without a table."""
    table = tables.get(analyte)
    return table.canonical if table else ""


def _remembered(
    table: UnitTable, code: str | None, text: str | None, system: str | None
) -> Factor | UnitUnknown:
    """`_factor`, once for each way to write a unit: laboratories have few of them."""
    key = (code, text, system)
    known: Factor | UnitUnknown | None = table.remembered.get(key)
    if known is None:
        known = _factor(table, code, text, system)
        if isinstance(known, Factor) and len(table.remembered) < MOST_REMEMBERED:
            table.remembered[key] = known
    return known


def _factor(
    table: UnitTable, code: str | None, text: str | None, system: str | None
) -> Factor | UnitUnknown:
    named = [unit.strip() for unit in (code, text) if isinstance(unit, str) and unit.strip()]
    if not named:
        return UnitUnknown("no unit")
    known = [factor for unit in named if (factor := table.factors.get(fold(unit)))]
    if not known:
        elsewhere = f" ({system})" if system and system.rstrip("/") != UCUM else ""
        return UnitUnknown(f"unit '{_short(named[0])}'{elsewhere} is not known")
    if any(factor != known[0] for factor in known):
        return UnitUnknown(f"unit code '{_short(named[0])}' and text '{_short(named[1])}' disagree")
    return known[0]


def _apply(value: Decimal, factor: Factor) -> Decimal | UnitUnknown:
    if not value.is_finite():
        return UnitUnknown("the value is not a number")
    converted = _ARITHMETIC.divide(_ARITHMETIC.multiply(value, factor.times), factor.divided_by)
    if not converted.is_finite():
        return UnitUnknown("the value is out of range")
    return converted


def _short(unit: str) -> str:
    """A unit for a message; what stands there may be anything."""
    return "".join(letter for letter in unit if letter.isprintable())[:20]
