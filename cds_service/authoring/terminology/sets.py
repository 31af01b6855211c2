"""The shipped FHIR R4 ValueSets, made from the recipe and the verified codes of the collection."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.authoring.terminology.products import Row
from cds_service.authoring.terminology.source import TWO_SOURCES, Source, usable
from cds_service.errors import ConfigurationError
from cds_service.terminology.codings import (
    ATC,
    CPT,
    ICD10,
    ICD10CM,
    ICD10GM,
    INGREDIENT,
    LOINC,
    RXNORM,
    SNOMED,
)
from cds_service.terminology.drugs import INGREDIENT_FORM
from cds_service.terminology.valueset import FILTER_DISPLAY, SET_WORDS

Json = Any
BASE = "https://cds.legcramps.example"
CONFIDENCE = f"{BASE}/StructureDefinition/confidence"
PROVENANCE = f"{BASE}/StructureDefinition/value-set-provenance"
_WHO, _GERMAN = "who", "gm"  # editions of ICD-10 besides ICD-10-CM
COPYRIGHT = {
    SNOMED: "SNOMED CT codes and terms: SNOMED International. Use in production needs an affiliate "
    "license (free in member countries, in the US through the NLM); concepts of the IPS Free Set "
    "are CC BY 4.0.",
    LOINC: "LOINC codes and names: Regenstrief Institute, Inc., and the LOINC Committee, available "
    "at no cost under the license at https://loinc.org/license.",
    CPT: "CPT codes: American Medical Association; a license is needed to use them. Their names "
    "here are our own.",
    ICD10: "ICD-10 codes: World Health Organization. Their names here are those of ICD-10-CM.",
    ICD10GM: "ICD-10-GM codes: BfArM. Their names here are those of ICD-10-CM.",
    ATC: "ATC codes: WHO Collaborating Centre for Drug Statistics Methodology.",
}


class SetMaker:
    """Makes ValueSet resources one by one; remembers the codes of the collection by system."""

    def __init__(self, source: Source, table: Mapping[str, Row]) -> None:
        self._source = source
        self._table = table
        self._recipe = source.recipe
        self._names = _display_names(source)
        self._two_sourced = {
            (concept["system"], concept["code"])
            for entry in source.sets.values()
            for concept in entry["concepts"]
            if concept["confidence"] == TWO_SOURCES
        }
        self._families = _families(source)
        self._same = _same_meaning(source)
        missing = {origin for entry in self._recipe["sets"].values() for origin in _origins(entry)}
        if missing := missing - source.sets.keys():
            raise ConfigurationError(f"the source lacks the sets {', '.join(sorted(missing))}")

    def make(self, name: str) -> dict[str, Json]:
        """One ValueSet as a JSON object. Raises ConfigurationError for a code without a name."""
        entry = self._recipe["sets"][name]
        codes = self._codes(name, entry)
        includes = _concept_includes(codes)
        icd = self._icd(entry)
        includes += self._filters(ICD10CM, icd)
        includes += self._filters(ICD10, {**self._abroad(icd, _WHO), **entry.get("who", {})})
        includes += self._filters(ICD10GM, {**self._abroad(icd, _GERMAN), **entry.get("gm", {})})
        includes += self._filters(ATC, self._atc(entry))
        if entry.get("include"):
            includes += [{"valueSet": [f"{BASE}/ValueSet/{other}"]} for other in entry["include"]]
        compose: dict[str, Json] = {"include": includes}
        excluded = self._excluded(entry)
        if excluded:
            compose["exclude"] = excluded
        return self._resource(name, entry, codes, compose)

    def _excluded(self, entry: Mapping[str, Json]) -> list[Json]:
        excluded = self._filters(ATC, self._named(ATC, entry.get("withoutAtc", ())))
        out = [_concept(c, two_sourced=True) for c in self._members(entry.get("excludeFrom", {}))]
        excluded += _concept_includes(out)
        narrower: Mapping[str, str] = entry.get("excludeIcd", {})
        excluded += self._filters(ICD10CM, narrower)
        excluded += self._filters(ICD10, self._abroad(narrower, _WHO))
        return excluded + self._filters(ICD10GM, self._abroad(narrower, _GERMAN))

    def _abroad(self, prefixes: Mapping[str, str], edition: str) -> dict[str, str]:
        """Those ICD-10-CM prefixes that mean the same in another edition of ICD-10.

        The German one is read at four characters at most: its fifth is another division.
        """
        same = self._same[edition]
        return {
            prefix: display
            for prefix, display in prefixes.items()
            if prefix in same and (edition != _GERMAN or len(prefix.replace(".", "")) <= 4)
        }

    def _resource(
        self, name: str, entry: Mapping[str, Json], codes: list[Json], compose: Json
    ) -> dict[str, Json]:
        systems = {part.get("system") for part in compose["include"]}
        copyright_text = " ".join(text for system, text in COPYRIGHT.items() if system in systems)
        note = f" {entry['note']}" if entry.get("note") else ""
        return {
            "resourceType": "ValueSet",
            "id": name,
            "extension": [self._provenance(entry, codes, compose), *_words(entry)],
            "url": f"{BASE}/ValueSet/{name}",
            "version": self._recipe["version"],
            "name": "".join(part.capitalize() for part in name.split("-")),
            "title": entry["title"],
            "status": "active",
            "experimental": False,
            "date": self._recipe["date"],
            "publisher": "Leg Cramps CDS",
            "description": entry["description"] + note,
            **({"copyright": copyright_text} if copyright_text else {}),
            "compose": compose,
        }

    def _provenance(self, entry: Mapping[str, Json], codes: list[Json], compose: Json) -> Json:
        """Where the codes were seen and how sure they are, as one extension with parts."""
        keys = [(code["system"], code["code"]) for code in codes]
        keys += [
            (part["system"], only["value"])
            for part in compose["include"]
            for only in part.get("filter", ())
        ]
        families = sorted({family for key in keys for family in self._families.get(key, ())})
        counts = Counter(self._confidence(key) for key in keys)
        parts = [
            {"url": "confidence", "valueString": f"{kind}: {n}"}
            for kind, n in sorted(counts.items())
        ]
        parts += [
            {"url": "source", "valueString": text}
            for text in [*families, *entry.get("sources", ())]
        ]
        return {
            "url": PROVENANCE,
            "extension": parts or [{"url": "source", "valueString": "included sets"}],
        }

    def _confidence(self, key: tuple[str, str]) -> str:
        if key in self._two_sourced:
            return "two-source"
        return (
            "by name"
            if key[0] == INGREDIENT
            else "see source"
            if key not in self._families
            else "one-source"
        )

    def _codes(self, name: str, entry: Mapping[str, Json]) -> list[Json]:
        concepts: dict[tuple[str, str], Json] = {}
        for concept in self._collected(entry):
            key = (concept["system"], concept["code"])
            if key not in self._source.negative and key[1] not in entry.get("without", {}):
                concepts[key] = _concept(concept, two_sourced=key in self._two_sourced)
        for system, code, display in entry.get("codes", ()):
            concepts[system, code] = {"system": system, "code": code, "display": display}
        for code in self._substances(entry):
            concepts[code["system"], code["code"]] = code
        return [concepts[key] for key in sorted(concepts, key=_code_order)]

    def _collected(self, entry: Mapping[str, Json]) -> Iterable[Json]:
        """Concepts taken from the collection, ICD and drug codes left aside."""
        for origin in entry.get("from", ()):
            for concept in self._source.sets[origin]["concepts"]:
                if concept["system"] in (SNOMED, LOINC) and usable(
                    concept, one_source=bool(entry.get("allowOneSource"))
                ):
                    yield concept
        for origin in entry.get("snomedOf", ()):
            for concept in self._source.sets[origin]["concepts"]:
                if concept["system"] == SNOMED and usable(concept):
                    yield concept
        yield from self._members(entry.get("codesFrom", {}))
        if matching := entry.get("codesMatching"):
            for concept in self._source.sets[matching["from"]]["concepts"]:
                fits = re.search(matching["display"], concept["display"], re.IGNORECASE)
                if concept["system"] == SNOMED and usable(concept) and fits:
                    yield concept

    def _members(self, wanted: Mapping[str, Iterable[str]]) -> Iterable[Json]:
        """Named codes of sets of the collection."""
        for origin, codes in wanted.items():
            members = {
                concept["code"]: concept for concept in self._source.sets[origin]["concepts"]
            }
            yield from (members[code] for code in codes)

    def _substances(self, entry: Mapping[str, Json]) -> Iterable[Json]:
        """RxNorm codes of the set's ingredients; an ingredient without a code by its name."""
        wanted = set(entry.get("ingredients", ()))
        coded: set[str] = set()
        for code, (ingredients, form, _, display) in self._table.items():
            if form == INGREDIENT_FORM and wanted.issuperset(ingredients):
                coded.update(ingredients)
                key = (RXNORM, code)
                yield _concept(
                    {"system": RXNORM, "code": code, "display": display},
                    two_sourced=key in self._two_sourced,
                )
        for ingredient in sorted(wanted - coded):
            yield {"system": INGREDIENT, "code": ingredient, "display": ingredient}

    def _icd(self, entry: Mapping[str, Json]) -> dict[str, str]:
        prefixes = {
            prefix: self._names.get((ICD10CM, prefix), "")
            for origin in entry.get("from", ())
            for prefix in self._source.sets[origin].get("icd_prefixes", ())
            if prefix not in entry.get("withoutIcd", ())
        }
        return {**prefixes, **entry.get("icd", {})}

    def _atc(self, entry: Mapping[str, Json]) -> dict[str, str]:
        listed = self._named(ATC, entry.get("atc", ()))
        if group := entry.get("atcOf"):
            # Only those combinations of the group that name an ingredient of the set.
            wanted = [ingredient.removesuffix("e") for ingredient in entry["ingredients"]]
            listed |= {
                code: display
                for (system, code), display in self._names.items()
                if system == ATC
                and code.startswith(group)
                and len(code) == 7
                and any(ingredient in display.lower() for ingredient in wanted)
            }
        return listed

    def _named(self, system: str, codes: Iterable[str]) -> dict[str, str]:
        return {code: self._names.get((system, code), "") for code in codes}

    def _filters(self, system: str, prefixes: Mapping[str, str]) -> list[Json]:
        nameless = sorted(prefix for prefix, display in prefixes.items() if not display)
        if nameless:
            raise ConfigurationError(
                f"no name is known for {system} {', '.join(nameless)}", "Name it in the recipe"
            )
        return [
            {
                "system": system,
                "filter": [
                    {
                        "extension": [{"url": FILTER_DISPLAY, "valueString": display}],
                        "property": "concept",
                        "op": "is-a",
                        "value": prefix,
                    }
                ],
            }
            for prefix, display in sorted(prefixes.items())
        ]


def _words(entry: Mapping[str, Json]) -> list[Json]:
    """Words that names of the set have besides those of its title: synonyms that were looked at."""
    words = entry.get("words", ())
    return [{"url": SET_WORDS, "valueString": " ".join(words)}] if words else []


def _same_meaning(source: Source) -> dict[str, frozenset[str]]:
    """By edition the codes that mean there what they mean in ICD-10-CM.

    From the collection's map, and from the recipe's `sameAbroad`: titles that are equal.
    """
    rows = [
        row
        for row in source.editions
        if row.get("relation") == "same"
        and row.get("usable") is not False
        and row.get("who_code") == row["icd10cm_prefix"]
    ]
    german = [row for row in rows if (row.get("icd10gm_2017") or {}).get("code") == row["who_code"]]
    ours = frozenset(source.recipe.get("sameAbroad", ()))
    return {
        _WHO: ours | {row["who_code"] for row in rows},
        _GERMAN: ours | {row["who_code"] for row in german},
    }


def _origins(entry: Mapping[str, Json]) -> set[str]:
    """The sets of the collection that a recipe entry takes from."""
    matching = entry.get("codesMatching", {})
    named = {
        *entry.get("from", ()),
        *entry.get("snomedOf", ()),
        *entry.get("codesFrom", {}),
        *entry.get("excludeFrom", {}),
    }
    return named | ({matching["from"]} if matching else set())


def _concept(concept: Mapping[str, Json], *, two_sourced: bool) -> Json:
    written = {"system": concept["system"], "code": concept["code"], "display": concept["display"]}
    if not two_sourced:
        written["extension"] = [{"url": CONFIDENCE, "valueCode": "one-source"}]
    return written


def _concept_includes(codes: list[Json]) -> list[Json]:
    systems = dict.fromkeys(code["system"] for code in codes)
    return [
        {
            "system": system,
            "concept": [
                {key: value for key, value in code.items() if key != "system"}
                for code in codes
                if code["system"] == system
            ],
        }
        for system in systems
    ]


def _display_names(source: Source) -> dict[tuple[str, str], str]:
    """Names of the collection's codes; the recipe names ATC codes that it lacks."""
    named = {
        (concept["system"], concept["code"]): concept["display"]
        for entry in source.sets.values()
        for concept in entry["concepts"]
    }
    ours = source.recipe.get("atcNames", {})
    return {**{(ATC, code): display for code, display in ours.items()}, **named}


def _families(source: Source) -> dict[tuple[str, str], list[str]]:
    return {
        (concept["system"], concept["code"]): [
            re.split(r" [(—]", family, maxsplit=1)[0] for family in concept["source_families"]
        ]
        for entry in source.sets.values()
        for concept in entry["concepts"]
    }


def _code_order(key: tuple[str, str]) -> tuple[str, int, str]:
    return key[0], int(key[1]) if key[1].isdigit() else 0, key[1]
