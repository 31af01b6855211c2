"""`cds terminology build SOURCE --to DIR`: writes valuesets/*.json, drugs.json and units.json.

The result depends on SOURCE and the recipe alone: building twice gives the same bytes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.authoring.terminology.products import dictionary, rows
from cds_service.authoring.terminology.sets import SetMaker
from cds_service.authoring.terminology.source import Source, read_source

Json = Any

_LINE = 250  # an is-a filter with its display fits on one line


@dataclass(frozen=True)
class BuildReport:
    """What a build wrote, for the command line and for docs/decisions/0002."""

    value_sets: int
    codes: Mapping[str, int]  # listed codes and prefixes by system
    products: int
    brands: int
    ingredients: int
    analytes: int


def build(source: Path, to: Path) -> BuildReport:
    """Build the terminology of a pack. `to` is the pack folder; its other files are left alone.

    Raises ConfigurationError when the source cannot be used. Value sets that the recipe no longer
    names are removed, but only those that this command wrote (they carry its provenance).
    """
    return write(read_source(source), to)


def write(inputs: Source, to: Path) -> BuildReport:
    """Build from inputs that are already read."""
    table = rows(inputs)
    maker = SetMaker(inputs, table)
    resources = {name: maker.make(name) for name in inputs.recipe["sets"]}
    drugs = dictionary(table, inputs)
    units = unit_tables(inputs)
    _write_sets(to / "valuesets", resources, inputs.recipe["handWritten"])
    (to / "drugs.json").write_text(drugs_text(drugs), encoding="utf-8")
    (to / "units.json").write_text(readable(units), encoding="utf-8")
    return BuildReport(
        len(resources),
        _counts(resources),
        len(drugs["products"]),
        len(drugs["brands"]),
        len(drugs["ingredients"]),
        len(units["analytes"]),
    )


def unit_tables(source: Source) -> dict[str, Json]:
    """units.json: accepted units by observation set, with their spellings.

    Also of sets that the pack does not ship: a site's own set may name them as its analyte.
    """
    analytes = {}
    for name in sorted({*source.recipe["sets"], *source.recipe["units"]}):
        ours = source.recipe["units"].get(name, {})
        given = source.sets.get(name, {}).get("units") or ("canonical" in ours and ours)
        if given:
            analytes[name] = _unit_table(given, ours)
    return {
        "description": "Units by value set. 'times' and 'dividedBy' lead to the canonical unit. "
        "A site may repeat an analyte in its own units.json with units added.",
        "analytes": analytes,
    }


def _unit_table(given: Mapping[str, Json], ours: Mapping[str, Json]) -> Json:
    units: dict[str, Json] = {
        unit: {"times": str(Decimal(str(factor)))} for unit, factor in given["accepted"].items()
    }
    units |= ours.get("replace", {}) | ours.get("add", {})
    return {
        "canonical": given["canonical"],
        "units": units,
        "aliases": dict(sorted(ours.get("aliases", {}).items())),
        **({"note": ours["note"]} if ours.get("note") else {}),
    }


def readable(content: Json) -> str:
    """JSON for people: what fits stands on one line, objects of a list each on their own."""
    return _laid_out(content, 0) + "\n"


def _laid_out(content: Json, indent: int) -> str:
    flat = json.dumps(content, ensure_ascii=False)
    if (
        not isinstance(content, dict | list)
        or not content
        or (indent and len(flat) + indent <= _LINE)
    ):
        return flat
    inside = " " * (indent + 2)
    if isinstance(content, dict):
        parts = [
            f"{json.dumps(key)}: {_laid_out(value, indent + 2)}" for key, value in content.items()
        ]
        brackets = "{}"
    else:
        parts = [_laid_out(value, indent + 2) for value in content]
        brackets = "[]"
    body = f",\n{inside}".join(parts)
    return f"{brackets[0]}\n{inside}{body}\n{' ' * indent}{brackets[1]}"


def drugs_text(content: Mapping[str, Json]) -> str:
    """drugs.json with one product a line, so that a new release gives a readable difference."""
    head = {key: value for key, value in content.items() if key != "products"}
    lines = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in head.items()
    ]
    products = ",\n".join(
        f"  {json.dumps(code)}: {json.dumps(row, ensure_ascii=False, separators=(',', ':'))}"
        for code, row in content["products"].items()
    )
    return "{\n" + ",\n".join([*lines, f' "products": {{\n{products}\n }}']) + "\n}\n"


def _write_sets(folder: Path, resources: Mapping[str, Json], by_hand: Iterable[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        if file.stem in resources or file.stem in by_hand:
            continue
        if "value-set-provenance" in file.read_text(encoding="utf-8"):
            file.unlink()
    for name, resource in resources.items():
        (folder / f"{name}.json").write_text(readable(resource), encoding="utf-8")


def _counts(resources: Mapping[str, Json]) -> dict[str, int]:
    seen: dict[str, set[str]] = {}
    for resource in resources.values():
        for part in resource["compose"]["include"]:
            for entry in [*part.get("concept", ()), *part.get("filter", ())]:
                seen.setdefault(part["system"], set()).add(entry.get("code") or entry["value"])
    return {system: len(codes) for system, codes in sorted(seen.items())}
