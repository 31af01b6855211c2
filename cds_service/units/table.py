"""The unit tables: for each analyte its canonical unit and what converts to it.

`hooks/units.json` is their readable form (an administrator may add a unit in a site folder):
`{"analytes": {"obs-ferritin": {"canonical": "ng/mL", "units": {"ng/mL": {"times": "1"},
"pmol/L": {"dividedBy": "2.247"}}, "aliases": {"mcg/L": "ug/L"}, "note": "..."}}}`.
One table an analyte, because the same unit converts differently for each: 1 meq is half a mmol of
magnesium and one of sodium. General unit libraries get this and "K/uL" (kelvin!) wrong.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

Json = Any

_BLANKS = re.compile(r"\s+")
_POWER = re.compile(r"^x?10(?:\*{1,2}|\^|e|exp|\()\s*\+?(\d+)\)?")
_LONGEST_REMEMBERED = 30  # characters
_MICRO = (("µ", "u"), ("μ", "u"), ("mcg", "ug"), ("mcl", "ul"), ("mcmol", "umol"), ("mciu", "uiu"))


@dataclass(frozen=True, slots=True)
class Factor:
    """Multiply, then divide: one of the two is 1, so that a published divisor stays exact."""

    times: Decimal = Decimal(1)
    divided_by: Decimal = Decimal(1)


@dataclass(frozen=True)
class UnitTable:
    """One analyte. `factors` is keyed by the folded spelling of every accepted unit and alias."""

    canonical: str
    factors: Mapping[str, Factor]
    note: str = ""
    remembered: dict[tuple[str | None, ...], Factor] = field(
        default_factory=dict, repr=False, compare=False
    )  # code, text and system as calls sent them


@dataclass(frozen=True)
class UnitTables:
    """All analytes by value set id."""

    tables: Mapping[str, UnitTable] = field(default_factory=dict)

    def get(self, analyte: str) -> UnitTable | None:
        """The table of an analyte, or None."""
        return self.tables.get(analyte)

    @staticmethod
    def checked(analytes: Mapping[str, Json]) -> "tuple[UnitTables, list[tuple[str, str]]]":
        """The tables of a units.json, and its faults as (path, message).

        A faulty analyte is left out.
        """
        tables: dict[str, UnitTable] = {}
        faults: list[tuple[str, str]] = []
        for name, entry in analytes.items():
            try:
                tables[name] = _table(entry)
            except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as error:
                faults.append((f"$.analytes.{name}", f"is not a unit table: {error}"))
        return UnitTables(tables), faults


def fold(unit: str) -> str:
    """A unit's spelling reduced to what tells it apart within one analyte.

    Case, blanks and the many ways to write micro and powers of ten go. Safe only against one
    analyte's short list: "mM" and "MM" are different units in general.
    """
    return _remembered(unit) if len(unit) <= _LONGEST_REMEMBERED else _folded(unit)


def _folded(unit: str) -> str:
    folded = _BLANKS.sub("", unicodedata.normalize("NFKC", unit)).lower()
    for spelling, plain in _MICRO:
        folded = folded.replace(spelling, plain)
    return _POWER.sub(r"10*\1", folded)


_remembered = functools.lru_cache(maxsize=1024)(_folded)  # the same few units in every call


def _table(entry: Mapping[str, Json]) -> UnitTable:
    factors: dict[str, Factor] = {}
    for spelling, factor in _spellings(entry):
        known = factors.setdefault(fold(spelling), factor)
        if known != factor:
            raise ValueError(f"'{spelling}' cannot be told from another unit with another factor")
    if fold(entry["canonical"]) not in factors:
        raise ValueError("the canonical unit is not among the units")
    return UnitTable(entry["canonical"], factors, entry.get("note", ""))


def _spellings(entry: Mapping[str, Json]) -> Iterator[tuple[str, Factor]]:
    units = {unit: _factor(factor) for unit, factor in entry["units"].items()}
    yield from units.items()
    for alias, unit in entry.get("aliases", {}).items():
        yield alias, units[unit]


def _factor(entry: Mapping[str, str]) -> Factor:
    factor = Factor(Decimal(entry.get("times", "1")), Decimal(entry.get("dividedBy", "1")))
    if not (factor.times > 0 and factor.divided_by > 0):
        raise ValueError("a factor must be above 0")
    return factor
