"""The unit tables: for each analyte its canonical unit and what converts to it.

`hooks/units.json` is their readable form (a site folder may add units to an analyte):
`{"analytes": {"obs-ferritin": {"canonical": "ng/mL", "units": {"ng/mL": {"times": "1"},
"pmol/L": {"dividedBy": "2.247"}}, "aliases": {"microgram/L": "ug/L"}, "note": "..."}}}`.
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
            except (AttributeError, KeyError, TypeError, ValueError) as error:
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


@functools.lru_cache(maxsize=256)
def alone(unit: str) -> UnitTable:
    """The table of an analyte that has none: its own unit, in any spelling, and no other."""
    return UnitTable(unit, {fold(unit): Factor()})


def _table(entry: Mapping[str, Json]) -> UnitTable:
    missing = [name for name in ("canonical", "units") if name not in entry]
    if missing:
        raise ValueError(f"'{missing[0]}' is missing")
    factors: dict[str, Factor] = {}
    for spelling, factor in _spellings(entry):
        known = factors.setdefault(fold(spelling), factor)
        if known != factor:
            raise ValueError(f"'{spelling}' cannot be told from another unit with another factor")
    canonical = factors.get(fold(entry["canonical"]))
    if canonical is None:
        raise ValueError("the canonical unit is not among the units")
    if canonical.times != canonical.divided_by:
        raise ValueError("the canonical unit has a factor other than 1")
    return UnitTable(entry["canonical"], factors, entry.get("note", ""))


def _spellings(entry: Mapping[str, Json]) -> Iterator[tuple[str, Factor]]:
    units = {unit: _factor(factor) for unit, factor in entry["units"].items()}
    yield from units.items()
    for alias, unit in entry.get("aliases", {}).items():
        if unit not in units:
            raise ValueError(f"the alias '{alias}' means '{unit}', which is not among the units")
        yield alias, units[unit]


def merged(below: Json, above: Json) -> Json:
    """A site's table of an analyte over the shipped one: units and aliases are added as long as
    both lead to the same canonical unit; else the site's counts alone."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    if above.get("canonical", below.get("canonical")) != below.get("canonical"):
        return above
    added = {
        part: {**below.get(part, {}), **above[part]}
        for part in ("units", "aliases")
        if isinstance(above.get(part), dict)
    }
    return {**below, **above, **added}


def _factor(entry: Mapping[str, str]) -> Factor:
    try:
        factor = Factor(Decimal(entry.get("times", "1")), Decimal(entry.get("dividedBy", "1")))
    except InvalidOperation as error:
        raise ValueError("a factor is not a number") from error
    if not (factor.times > 0 and factor.divided_by > 0):
        raise ValueError("a factor must be above 0")
    return factor
