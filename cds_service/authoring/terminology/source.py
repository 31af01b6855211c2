"""The inputs of `cds terminology build`: code collections, product lists, the recipe.

A collection is a JSON file: `value_sets` (each with `id`, `concepts`, optional `icd_prefixes`
and `units`) and `negative_list` (codes that circulate under a wrong name). A concept has `system`,
`code`, `display`, `confidence` (two-sources, one-source, memory-only), `source_families`, and for
drugs `tty` and `ingredients`. A later collection adds to the sets of an earlier one; it may hold
`evidence` of a concept (where its name was read), `icd10_who_map` (what ICD-10-CM codes are in the
international and the German edition) and `drug_names` (brands and spellings with ingredients).
Product lists are tab-separated: RxNorm code, name.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.errors import ConfigurationError
from cds_service.terminology.codings import RXNORM, SNOMED

Json = Any
RECIPE = Path(__file__).with_name("recipe.json")
TWO_SOURCES = "two-sources"
NAME_NOT_SEEN = "(RxNorm name not seen)"


@dataclass(frozen=True)
class Source:
    """What is built from. `sets` are the collection's own, by id."""

    sets: Mapping[str, Json]
    negative: frozenset[tuple[str, str]]
    products: tuple[tuple[str, str], ...]  # further RxNorm (code, name)
    recipe: Mapping[str, Json]
    editions: tuple[Mapping[str, Json], ...] = ()  # rows of icd10_who_map
    drug_names: tuple[Mapping[str, Json], ...] = ()


def read_source(path: Path) -> Source:
    """The inputs from one JSON file, or from a folder of JSON files and .tsv lists.

    Of a folder the largest collection is read first and the others add to it. Raises
    ConfigurationError when a file is no collection.
    """
    collections = [_collection(file) for file in _collections(path)]
    lists = sorted(path.glob("*.tsv")) if path.is_dir() else []
    return Source(
        sets=_merged(collections),
        negative=frozenset(
            (entry["system"], entry["code"])
            for collection in collections
            for entry in collection.get("negative_list", ())
        ),
        products=tuple(row for file in lists for row in _rows(file)),
        recipe=json.loads(RECIPE.read_text(encoding="utf-8")),
        editions=_all(collections, "icd10_who_map"),
        drug_names=_all(collections, "drug_names"),
    )


def _collections(path: Path) -> list[Path]:
    files = list(path.glob("*.json")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise ConfigurationError(f"{path} holds no JSON file", "Give the file itself")
    return sorted(files, key=lambda file: (-file.stat().st_size, file.name))


def _collection(file: Path) -> Mapping[str, Json]:
    collection = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(collection, dict) or "value_sets" not in collection:
        raise ConfigurationError(
            f"{file} has no 'value_sets'", "See docs/decisions/0002-terminology.md"
        )
    return collection


def _all(collections: Iterable[Mapping[str, Json]], part: str) -> tuple[Json, ...]:
    return tuple(row for collection in collections for row in collection.get(part, ()))


def _merged(collections: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """The sets of all collections by id. A code that two of them have is the better known one."""
    sets: dict[str, Json] = {}
    for collection in collections:
        for entry in collection["value_sets"]:
            known = sets.get(entry["id"])
            sets[entry["id"]] = _joined(known, entry) if known else entry
    return sets


def _joined(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    concepts: dict[tuple[str, str], Json] = {}
    for concept in [*first["concepts"], *second["concepts"]]:
        key = (concept["system"], concept["code"])
        known = concepts.get(key)
        concepts[key] = _better(known, concept) if known else concept
    prefixes = [*first.get("icd_prefixes", ()), *(second.get("icd_prefixes") or ())]
    return {
        **first,
        "concepts": list(concepts.values()),
        "icd_prefixes": list(dict.fromkeys(prefixes)),
    }


def _better(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    """One concept of two: the first one's name, the families and the evidence of both."""
    sure = TWO_SOURCES in (first["confidence"], second["confidence"])
    return {
        **second,
        **first,
        "confidence": TWO_SOURCES if sure else first["confidence"],
        "source_families": list(
            dict.fromkeys([*first["source_families"], *second["source_families"]])
        ),
    }


def usable(concept: Mapping[str, Json], *, one_source: bool = False) -> bool:
    """Whether a concept is verified well enough to ship (docs/decisions/0002)."""
    confidence = concept["confidence"]
    if confidence == TWO_SOURCES:
        return True
    if confidence != "one-source" or concept["display"].endswith(NAME_NOT_SEEN):
        return False
    if concept["system"] == SNOMED:
        shown = concept.get("evidence") and not concept.get("review")
        return one_source or bool(concept.get("core") or shown)
    return one_source or concept["system"] == RXNORM


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(row) >= 2 and row[0].isdigit():
                yield row[0], row[1]
