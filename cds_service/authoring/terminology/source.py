"""The inputs of `cds terminology build`: a code collection, product lists, the recipe.

The collection is a JSON file: `value_sets` (each with `id`, `concepts`, optional `icd_prefixes`
and `units`) and `negative_list` (codes that circulate under a wrong name). A concept has `system`,
`code`, `display`, `confidence` (two-sources, one-source, memory-only), `source_families`, and for
drugs `tty` and `ingredients`. Product lists are tab-separated: RxNorm code, name.
"""

import csv
import json
from collections.abc import Iterator, Mapping
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


def read_source(path: Path) -> Source:
    """The inputs from a JSON file, or from a folder of one JSON file and any .tsv lists.

    Raises ConfigurationError when the collection is missing or is not one.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file():
        raise ConfigurationError(
            f"{path} does not hold exactly one JSON file", "Give the file itself"
        )
    collection = json.loads(files[0].read_text(encoding="utf-8"))
    if not isinstance(collection, dict) or "value_sets" not in collection:
        raise ConfigurationError(
            f"{files[0]} has no 'value_sets'", "See docs/decisions/0002-terminology.md"
        )
    lists = sorted(path.glob("*.tsv")) if path.is_dir() else []
    return Source(
        sets={entry["id"]: entry for entry in collection["value_sets"]},
        negative=frozenset(
            (entry["system"], entry["code"]) for entry in collection.get("negative_list", ())
        ),
        products=tuple(row for file in lists for row in _rows(file)),
        recipe=json.loads(RECIPE.read_text(encoding="utf-8")),
    )


def usable(concept: Mapping[str, Json], *, one_source: bool = False) -> bool:
    """Whether a concept is verified well enough to ship (docs/decisions/0002)."""
    confidence = concept["confidence"]
    if confidence == TWO_SOURCES:
        return True
    if confidence != "one-source" or concept["display"].endswith(NAME_NOT_SEEN):
        return False
    if concept["system"] == SNOMED:
        return bool(concept.get("core"))
    return one_source or concept["system"] == RXNORM


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(row) >= 2 and row[0].isdigit():
                yield row[0], row[1]
