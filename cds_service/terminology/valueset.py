"""Reading one FHIR R4 ValueSet into plain codes, prefixes and references.

Supported: `compose.include` and `exclude` by concept list, by is-a filter in the systems whose
codes show their hierarchy (the editions of ICD-10, ATC), or by reference to other sets; and an
`expansion`, which wins when there is one, because it needs no terminology server.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cds_service.errors import Problem
from cds_service.terminology.codings import (
    ATC,
    ICD10_EDITIONS,
    INGREDIENT,
    SNOMED,
    canonical_code,
)
from cds_service.terminology.word_lists import Canonical

PREFIX_SYSTEMS = frozenset({*ICD10_EDITIONS, ATC})
WIDENED = "https://cds.legcramps.example/StructureDefinition/widened"
SET_WORDS = "https://cds.legcramps.example/StructureDefinition/set-words"
# On a site's set: what it lists is added to the shipped set of the same id.
ADDS = "https://cds.legcramps.example/StructureDefinition/adds-to-shipped"
# On an ingredient that the drug dictionary does not have: it is meant so.
NEW_INGREDIENT = "https://cds.legcramps.example/StructureDefinition/new-ingredient"
FILTER_DISPLAY = "https://cds.legcramps.example/StructureDefinition/filter-display"

Key = tuple[str, str]  # (canonical system, code)
Json = Any


@dataclass
class ParsedSet:
    """One value set as loaded. `below` holds ICD and ATC prefixes, the code itself included.

    `explicit`: it lists SNOMED CT codes, of itself or of a set in it, that no server expanded.
    `words`: of its title and those of `SET_WORDS`, and of the sets in it: what its names speak of.
    """

    id: str
    title: str
    version: str
    file: str
    concepts: dict[Key, str] = field(default_factory=dict)
    below: dict[Key, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    excluded: set[Key] = field(default_factory=set)
    excluded_below: set[Key] = field(default_factory=set)
    explicit: bool = False
    expanded: bool = False
    words: list[str] = field(default_factory=list)
    spoken: dict[str, str] = field(default_factory=dict)  # further name: ingredient
    meant: set[str] = field(default_factory=set)  # ingredients that are new on purpose
    adds: bool = False  # to the set of the same id in the folder below

    def added_to(self, shipped: "ParsedSet") -> "ParsedSet":
        """The shipped set with what this one lists more and takes away."""
        return replace(
            shipped,
            version=f"{shipped.version}+{self.version}".rstrip("+"),
            file=self.file,
            concepts={**shipped.concepts, **self.concepts},
            below={**shipped.below, **self.below},
            references=[*shipped.references, *self.references],
            explicit=shipped.explicit or self.explicit,
            words=[*shipped.words, *self.words],
            spoken={**shipped.spoken, **self.spoken},
            excluded=(shipped.excluded - self.concepts.keys()) | self.excluded,
            excluded_below=(shipped.excluded_below - self.below.keys()) | self.excluded_below,
        )


def set_id(resource: Mapping[str, Json]) -> str:
    """The id that facts use: the resource's id, else the last part of its url."""
    own = resource.get("id")
    return own if isinstance(own, str) and own else last_part(resource.get("url"))


def adds_to_shipped(resource: Mapping[str, Json]) -> bool:
    """Whether a site's set adds to the shipped one of its id, in place of replacing it."""
    return _true(resource, ADDS)


def _true(element: Mapping[str, Json], url: str) -> bool:
    """Whether an element has a boolean extension that says true."""
    extensions = element.get("extension")
    return isinstance(extensions, list) and any(
        isinstance(extension, dict)
        and extension.get("url") == url
        and extension.get("valueBoolean") is True
        for extension in extensions
    )


def last_part(url: Json) -> str:
    """ "https://x/ValueSet/drug-statins|1.0" -> "drug-statins"; "" for what is no string."""
    return url.split("|", 1)[0].rstrip("/").rsplit("/", 1)[-1] if isinstance(url, str) else ""


def parse(
    resource: Mapping[str, Json], file: str, canonical: Canonical
) -> tuple[ParsedSet, list[Problem]]:
    """A ValueSet resource as codes, with everything that is wrong with it."""
    value_set = ParsedSet(
        set_id(resource),
        str(resource.get("title", "")),
        str(resource.get("version", "")),
        file,
        adds=adds_to_shipped(resource),
    )
    value_set.words = [value_set.title, *_extension(resource, SET_WORDS)]
    problems: list[Problem] = []
    if not value_set.id:
        problems.append(problem(file, "$.id", "V003", "the value set has no id and no url"))
    expansion = resource.get("expansion")
    if isinstance(expansion, dict) and expansion.get("contains"):
        problems += _read_expansion(value_set, expansion, canonical)
        value_set.expanded = True
    else:
        problems += _read_compose(value_set, resource.get("compose"), canonical)
        widened = any(_extension(resource, WIDENED))
        value_set.explicit = not widened and any(
            system == SNOMED for system, _ in value_set.concepts
        )
        value_set.expanded = widened
    if not (value_set.concepts or value_set.below or value_set.references or problems):
        problems.append(
            problem(
                file,
                "$.compose",
                "V008",
                "the value set is empty and can never match",
                severity="warning",
            )
        )
    return value_set, problems


def _read_expansion(
    value_set: ParsedSet, expansion: Mapping[str, Json], canonical: Canonical
) -> list[Problem]:
    count = 0
    for concept in _contained(expansion.get("contains")):
        count += 1
        system = canonical(concept.get("system"))
        code = canonical_code(system, concept.get("code"))
        if code:
            value_set.concepts[system, code] = str(concept.get("display", ""))
    total = expansion.get("total")
    if isinstance(total, int) and total > count:
        return [
            problem(
                value_set.file,
                "$.expansion.total",
                "V006",
                f"the expansion says {total} codes and holds {count}: it was cut off",
                "Export all pages of the expansion",
            )
        ]
    return []


def _contained(contains: Json) -> Iterator[Mapping[str, Json]]:
    for concept in contains if isinstance(contains, list) else ():
        if isinstance(concept, dict):
            yield concept
            yield from _contained(concept.get("contains"))


def _read_compose(value_set: ParsedSet, compose: Json, canonical: Canonical) -> list[Problem]:
    if not isinstance(compose, dict) or not compose.get("include"):
        return [
            problem(value_set.file, "$.compose", "V004", "neither compose.include nor an expansion")
        ]
    problems: list[Problem] = []
    for kind in ("include", "exclude"):
        for number, part in enumerate(compose.get(kind) or ()):
            where = f"$.compose.{kind}[{number}]"
            if isinstance(part, dict):
                problems += _read_part(
                    value_set,
                    part,
                    where,
                    canonical(part.get("system")),
                    excluding=kind == "exclude",
                )
            else:
                problems.append(problem(value_set.file, where, "V004", "is not an object"))
    return problems


def _read_part(
    value_set: ParsedSet, part: Mapping[str, Json], where: str, system: str, *, excluding: bool
) -> list[Problem]:
    if part.get("valueSet"):
        if system or excluding:
            return [
                problem(
                    value_set.file, where, "V005", "a reference to a value set must stand alone"
                )
            ]
        value_set.references += [last_part(url) for url in part["valueSet"]]
        return []
    if part.get("concept"):
        return _read_concepts(value_set, system, part["concept"], where, excluding)
    if part.get("filter"):
        return _read_filters(value_set, system, part["filter"], where, excluding)
    return [
        problem(
            value_set.file,
            where,
            "V005",
            "a whole code system is not a usable value set",
            "List concepts, add an is-a filter, or export the expansion",
        )
    ]


def _read_concepts(
    value_set: ParsedSet, system: str, concepts: Json, where: str, excluding: bool
) -> list[Problem]:
    problems = []
    for number, concept in enumerate(concepts if isinstance(concepts, list) else ()):
        code = canonical_code(system, concept.get("code")) if isinstance(concept, dict) else ""
        if not code or not system:
            problems.append(
                problem(
                    value_set.file, f"{where}.concept[{number}]", "V004", "no system or no code"
                )
            )
        elif excluding:
            value_set.excluded.add((system, code))
        else:
            value_set.concepts[system, code] = str(concept.get("display", ""))
            if system == INGREDIENT:
                if _true(concept, NEW_INGREDIENT):
                    value_set.meant.add(code)
                value_set.spoken |= dict.fromkeys(_designations(concept), code)
    return problems


def _designations(concept: Mapping[str, Json]) -> Iterator[str]:
    """Brands and spellings of an ingredient."""
    for designation in concept.get("designation") or ():
        if isinstance(designation, dict) and isinstance(designation.get("value"), str):
            yield designation["value"]


def _read_filters(
    value_set: ParsedSet, system: str, filters: Json, where: str, excluding: bool
) -> list[Problem]:
    only = filters[0] if isinstance(filters, list) and len(filters) == 1 else None
    usable = (
        isinstance(only, dict)
        and system in PREFIX_SYSTEMS
        and only.get("property") in ("concept", "code")
        and only.get("op") in ("is-a", "=")
        and canonical_code(system, only.get("value"))
    )
    if not usable or not isinstance(only, dict):
        return [
            problem(
                value_set.file,
                f"{where}.filter",
                "V005",
                "only one filter {property: concept, op: is-a} in ICD-10 or ATC can be evaluated",
                "Export the expansion of the set from a terminology server",
            )
        ]
    key = (system, canonical_code(system, only["value"]))
    exact = only["op"] == "="
    if excluding:
        (value_set.excluded if exact else value_set.excluded_below).add(key)
    else:
        (value_set.concepts if exact else value_set.below)[key] = _filter_display(only)
    return []


def _filter_display(entry: Mapping[str, Json]) -> str:
    return next(_extension(entry, FILTER_DISPLAY), "")


def _extension(entry: Mapping[str, Json], url: str) -> Iterator[str]:
    """The strings of an extension."""
    extensions = entry.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and extension.get("url") == url:
            yield str(extension.get("valueString", ""))


def problem(
    file: str, path: str, code: str, message: str, hint: str = "", *, severity: str = "error"
) -> Problem:
    """A Problem at the head of a file: a value set is one resource, its path says the place."""
    return Problem(
        file, 1, 1, path, code, message, hint, "warning" if severity == "warning" else "error"
    )
