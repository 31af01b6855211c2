"""Units as ELM: each analyte's table as a function from a spelling to its factor.

Made from the pack's own tables (`units.json`), as they stand in the file and not as the program
reads them, so that both are checked against each other.
"""

from collections.abc import Mapping
from decimal import Decimal

from cds_service.portable.elm import NULL, Node, call, cases, function, number, op, operand, texts
from cds_service.portable.supply import READING
from cds_service.units.table import UnitTable, fold

Factors = Mapping[str, tuple[Decimal, Decimal]]  # folded unit: times, divided by


def factors_of(table: UnitTable) -> Factors:
    """The factors of an analyte by the folded spelling of its units."""
    return {unit: (factor.times, factor.divided_by) for unit, factor in table.factors.items()}


def statements(analyte: str, factors: Factors) -> list[Node]:
    """The functions of one analyte: what to multiply with, and then to divide by."""
    return [
        _column(f"{analyte} times", factors, 0),
        _column(f"{analyte} divided by", factors, 1),
    ]


def _column(name: str, factors: Factors, at: int) -> Node:
    by_value: dict[Decimal, list[str]] = {}
    for unit, both in factors.items():
        by_value.setdefault(both[at], []).append(unit)
    spelling = operand("unit")
    items = [
        (op("In", spelling, texts(sorted(units))), number(Decimal(value)))
        for value, units in sorted(by_value.items())
    ]
    return function(name, ["unit"], cases(items, NULL))


def folded(unit: Node) -> Node:
    """A unit's spelling as the functions want it."""
    return call("Folded", unit, library=READING)


def in_unit(number_in_canonical: Node, unit: str, factors: Factors) -> Node:
    """From the analyte's canonical unit into another of its units."""
    times, divided_by = factors[fold(unit)]
    return op("Divide", op("Multiply", number_in_canonical, number(divided_by)), number(times))


def same(analyte: str, first: str, second: str) -> Node:
    """Whether two spellings that are both known mean the same unit."""
    parts = [
        op(
            "Equal",
            call(f"{analyte} {way}", operand(first)),
            call(f"{analyte} {way}", operand(second)),
        )
        for way in ("times", "divided by")
    ]
    return op("And", *parts)
