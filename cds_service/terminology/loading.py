"""From folders to a `Terminology`: read, check, overlay, resolve references; all problems told."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import Problem
from cds_service.terminology.codings import INGREDIENT
from cds_service.terminology.drugs import DrugDictionary
from cds_service.terminology.entry_names import name_lists
from cds_service.terminology.index import Terminology
from cds_service.terminology.names import Negations
from cds_service.terminology.order_names import OrderNames
from cds_service.terminology.valueset import ParsedSet, parse, problem
from cds_service.terminology.vocabulary import LISTS, Vocabulary
from cds_service.terminology.word_lists import Canonical
from cds_service.units.table import UnitTables, merged

Json = Any

_OF_DRUGS = ("ingredients", "forms", "products")
_ORDER_NAMES = ("names", "add", "not")


def load(folders: Sequence[Path]) -> tuple[Terminology, list[Problem]]:
    """The terminology of the folders, later ones laid over earlier ones, and what is wrong.

    Each folder holds `valuesets/*.json` (or, without that subfolder, the value sets themselves),
    `drugs.json`, `units.json`, `order-names.json`, `names.json` and the lists of `vocabulary`. The
    last drugs.json counts whole; units are merged by analyte (`merged`), names of orders by value
    set and property; names of entries and the lists add up.
    """
    problems: list[Problem] = []
    vocabulary = vocabulary_of(folders, problems)
    sets = _all_sets(folders, vocabulary.systems.canonical, problems)
    listed = [
        (value_set.file, code) for value_set in sets.values() for code in _ingredients(value_set)
        if code not in value_set.meant
    ]  # fmt: skip
    problems += resolve(sets)
    drugs = _drugs(folders, _spoken(sets), vocabulary.statuses.drug_negations, problems)
    if drugs is not None:
        problems += _unknown_ingredients(listed, drugs)
    tables = _units(folders, problems)
    names = [_read(folder / "names.json", problems) for folder in folders]
    words = _all_order_names(folders, problems), name_lists(names), vocabulary
    return Terminology(sets, drugs, tables, *words), problems


def _all_sets(
    folders: Sequence[Path], canonical: Canonical, problems: list[Problem]
) -> dict[str, ParsedSet]:
    """The value sets by id; one that adds to a set of an earlier folder is laid over it."""
    sets: dict[str, ParsedSet] = {}
    for folder in folders:
        for name, value_set in _value_sets(folder, canonical, problems).items():
            if value_set.adds and name not in sets:
                problems.append(_nothing_to_add_to(value_set, sets))
            extends = value_set.adds and name in sets
            sets[name] = value_set.added_to(sets[name]) if extends else value_set
    return sets


def _drugs(
    folders: Sequence[Path],
    spoken: Mapping[str, str],
    negations: Negations,
    problems: list[Problem],
) -> DrugDictionary | None:
    """The dictionary of the last folder that has one."""
    drugs: DrugDictionary | None = None
    for file in (folder / "drugs.json" for folder in folders):
        content = _read(file, problems)
        if content is not None:
            drugs = _dictionary(content, file, spoken, negations, problems) or drugs
    return drugs


def _units(folders: Sequence[Path], problems: list[Problem]) -> UnitTables:
    units: dict[str, Json] = {}
    for folder in folders:
        table = _read(folder / "units.json", problems)
        for analyte, entry in _section(table, "analytes").items():
            units[analyte] = merged(units.get(analyte), entry)
    tables, faults = UnitTables.checked(units)
    problems += [problem("units.json", path, "V010", message) for path, message in faults]
    return tables


def _all_order_names(folders: Sequence[Path], problems: list[Problem]) -> OrderNames:
    names: dict[str, Json] = {}
    for folder in folders:
        for set_id, entry in _order_names(_read(folder / "order-names.json", problems)).items():
            names[set_id] = _over(names.get(set_id, {}), entry)
    return OrderNames(names)


def vocabulary_of(folders: Sequence[Path], problems: list[Problem] | None = None) -> Vocabulary:
    """The lists of the folders, later ones laid over earlier ones."""
    told: list[Problem] = [] if problems is None else problems
    return Vocabulary(
        {name: [_read(folder / f"{name}.json", told) for folder in folders] for name in LISTS}
    )


def resolve(sets: dict[str, ParsedSet]) -> list[Problem]:
    """Replace references between sets by the codes of the sets referred to, in place."""
    problems: list[Problem] = []
    for name, value_set in list(sets.items()):
        members = list(_closure(name, sets, problems))
        for member in members:
            value_set.explicit |= sets[member].explicit
            value_set.expanded |= sets[member].expanded
            value_set.words += sets[member].words
            for key, display in sets[member].concepts.items():
                value_set.concepts.setdefault(key, display)
            for key, display in sets[member].below.items():
                value_set.below.setdefault(key, display)
    for value_set in sets.values():
        value_set.references = []
        for key in value_set.excluded & value_set.concepts.keys():
            del value_set.concepts[key]
    return problems


def _nothing_to_add_to(value_set: ParsedSet, sets: Mapping[str, ParsedSet]) -> Problem:
    hint = _nearest(value_set.id, sets) or "Leave the extension out for a set of its own"
    return problem(
        value_set.file, "$.id", "V013", f"there is no shipped set '{value_set.id}' to add to", hint
    )


def _nearest(name: str, sets: Mapping[str, ParsedSet]) -> str:
    near = get_close_matches(name, sets, 1)
    return f"Did you mean '{near[0]}'?" if near else ""


def _closure(name: str, sets: Mapping[str, ParsedSet], problems: list[Problem]) -> Iterator[str]:
    """The sets referred to from one set, near and far, each once."""
    seen, waiting = {name}, list(sets[name].references)
    while waiting:
        other = waiting.pop()
        if other not in sets:
            problems.append(
                problem(
                    sets[name].file,
                    "$.compose.include",
                    "V007",
                    f"there is no value set '{other}'",
                    _nearest(other, sets),
                )
            )
        elif other in sets[name].references and name in sets[other].references:
            problems.append(
                problem(
                    sets[name].file,
                    "$.compose.include",
                    "V007",
                    f"'{other}' refers back to this set",
                )
            )
        elif other not in seen:
            seen.add(other)
            waiting += sets[other].references
            yield other


def _value_sets(
    folder: Path, canonical: Canonical, problems: list[Problem]
) -> dict[str, ParsedSet]:
    by_id: dict[str, ParsedSet] = {}
    for file in _files(folder):
        resource = _read(file, problems)
        if resource is None:
            continue
        if not isinstance(resource, dict) or resource.get("resourceType") != "ValueSet":
            if file.parent == folder:
                continue  # the folder's own files: pack.json, site.json ...
            problems.append(problem(str(file), "$.resourceType", "V002", "is not a FHIR ValueSet"))
            continue
        value_set, faults = parse(resource, str(file), canonical)
        problems += faults
        if value_set.id in by_id:
            problems.append(
                problem(
                    str(file),
                    "$.id",
                    "V009",
                    f"'{value_set.id}' is also in {by_id[value_set.id].file}",
                    "Give one of them another id, or remove it",
                )
            )
        elif value_set.id:
            by_id[value_set.id] = value_set
    return by_id


def _files(folder: Path) -> list[Path]:
    inner = folder / "valuesets"
    return sorted((inner if inner.is_dir() else folder).glob("*.json"))


def _read(file: Path, problems: list[Problem]) -> Json | None:
    """The JSON in a file; None when there is no file or it cannot be read (a problem then)."""
    if not file.is_file():
        return None
    content = file.read_bytes().removeprefix(BOM_UTF8)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        problems.append(_not_json(file, content))
        return None


def _not_json(file: Path, content: bytes) -> Problem:
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return Problem(str(file), error.lineno, error.colno, "$", "V001", f"not JSON: {error.msg}")
    except RecursionError:
        return Problem(str(file), 1, 1, "$", "V001", "nested too deeply to be read")
    except UnicodeDecodeError:
        pass
    return Problem(str(file), 1, 1, "$", "V001", "not JSON in UTF-8")


def _order_names(data: Json) -> dict[str, Json]:
    """The entries that have the right shape; `cds rules check` reports the others."""
    return {
        set_id: entry
        for set_id, entry in _section(data, "orderNames").items()
        if isinstance(entry, dict) and all(_texts(entry.get(part, [])) for part in _ORDER_NAMES)
    }


def _over(below: Mapping[str, Json], above: Mapping[str, Json]) -> Json:
    """A later folder's names of an order: its lists count for those below, `add` goes on top."""
    together = {**below, **above}
    return {**together, "names": [*together.get("names", ()), *above.get("add", ())]}


def _section(data: Json, name: str) -> Mapping[str, Json]:
    """An object inside a file; an empty one where something else stands."""
    section = data.get(name) if isinstance(data, dict) else None
    return section if isinstance(section, dict) else {}


def _texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _dictionary(
    data: Json,
    file: Path,
    spoken: Mapping[str, str],
    negations: Negations,
    problems: list[Problem],
) -> DrugDictionary | None:
    """The dictionary of a drugs.json; None where it is none, which is told."""
    try:
        if not all(data[part] for part in _OF_DRUGS):
            raise ValueError("without products it would know no drug")
        return DrugDictionary(data, spoken, negations)
    except (AttributeError, KeyError, TypeError, ValueError):
        problems.append(
            problem(
                str(file), "$", "V011", "is not a drug dictionary", "Run: cds terminology build"
            )
        )
        return None


def _ingredients(value_set: ParsedSet) -> list[str]:
    """The generic names that a set lists."""
    return [code for system, code in value_set.concepts if system == INGREDIENT]


def _spoken(sets: Mapping[str, ParsedSet]) -> dict[str, str]:
    """The ingredients that the sets list, by each of their names."""
    names: dict[str, str] = {}
    for value_set in sets.values():
        names |= {code: code for code in _ingredients(value_set)} | value_set.spoken
    return names


def _unknown_ingredients(
    listed: Sequence[tuple[str, str]], drugs: DrugDictionary
) -> Iterator[Problem]:
    """Generic names, with the files that list them, that no product of the dictionary has:
    misspelt, or to be imported."""
    for file, name in listed:
        if drugs.knows_ingredient(name):
            continue
        near = drugs.near_ingredient(name)
        yield problem(
            file,
            "$.compose.include",
            "V014",
            f"no product of the drug dictionary has the ingredient '{name}': "
            "it is found in text alone",
            f"Did you mean '{near}'?" if near else "Is it new? Say so: cds add drug does",
            severity="warning",
        )
