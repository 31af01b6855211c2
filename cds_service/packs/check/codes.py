"""Slips in value sets that no schema sees: check digits, code systems, excludes, status."""

import re
from collections.abc import Iterator
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check.facts import value_sets_of
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, seq, word
from cds_service.terminology.code_systems import CodeSystems
from cds_service.terminology.codings import (
    CANONICAL,
    LOINC,
    SNOMED,
    canonical_code,
    check_digit_fits,
)

Json = Any

_ADDRESS = re.compile(r"^(?:https?://|urn:)\S+$")


def check(source: PackSource) -> Iterator[Problem]:
    """Sets that came to be empty, or that are retired and still asked for."""
    used = {name for entry in source.facts.values() for _, name in value_sets_of(obj(entry.data))}
    for value_set in source.value_sets:
        if value_set.id in used and value_set.data.get("status") == "retired":
            message = f"The value set '{value_set.id}' is retired, and facts read it."
            hint = "Give it the status active, or take it out of the facts."
            yield Problem(value_set.name, 1, 1, "$.status", "V018", message, hint, "warning")
        if _emptied(source, value_set.id) and seq(
            obj(value_set.data.get("compose")).get("exclude")
        ):
            message = f"What '{value_set.id}' excludes is all that it has: it can never match."
            at = "$.compose.exclude"
            yield Problem(value_set.name, 1, 1, at, "V017", message, "", "warning")


def _emptied(source: PackSource, set_id: str) -> bool:
    if not source.terminology.has_set(set_id):
        return False
    value_set = source.terminology.value_set(set_id)
    return not value_set.concepts and not (value_set.below.keys() - value_set.excluded_below)


def of_document(document: Document, systems: CodeSystems) -> Iterator[Problem]:
    """Code systems that nobody knows and wrong check digits, each at its place."""
    compose = obj(obj(document.data).get("compose"))
    for kind in ("include", "exclude"):
        for number, part in enumerate(seq(compose.get(kind))):
            path: JsonPath = ("compose", kind, number)
            yield from _part(document, path, obj(part), systems)
    expansion = obj(obj(document.data).get("expansion"))
    for number, part in enumerate(seq(expansion.get("contains"))):
        here: JsonPath = ("expansion", "contains", number)
        yield from _system(document, here, word(obj(part).get("system")), systems)
        yield from _digit(document, here, obj(part), word(obj(part).get("system")), systems)


def _part(
    document: Document, path: JsonPath, part: Json, systems: CodeSystems
) -> Iterator[Problem]:
    system = word(part.get("system"))
    yield from _system(document, path, system, systems)
    for number, concept in enumerate(seq(part.get("concept"))):
        yield from _digit(document, (*path, "concept", number), obj(concept), system, systems)


def of_list(
    document: Document, path: JsonPath, listed: Json, systems: CodeSystems
) -> Iterator[Problem]:
    """The same for codes that stand each with its system (`routes.json`)."""
    for number, coding in enumerate(seq(listed)):
        here: JsonPath = (*path, "codes", number)
        system = word(obj(coding).get("system"))
        yield from _system(document, here, system, systems)
        yield from _digit(document, here, obj(coding), system, systems)


def _system(
    document: Document, path: JsonPath, system: str, systems: CodeSystems
) -> Iterator[Problem]:
    if not system or systems.canonical(system) in CANONICAL:
        return
    hint = did_you_mean(system, systems.addresses())
    if hint or not _ADDRESS.match(system):
        message = f"Nobody knows the code system '{system[:80]}'."
        hint = hint or "A code system of your own is an address: https://hospital.example.org/lab."
        yield document.problem((*path, "system"), "V016", message, hint, severity="warning")


def _digit(
    document: Document, path: JsonPath, coding: Json, system: str, systems: CodeSystems
) -> Iterator[Problem]:
    canonical = systems.canonical(system)
    written = canonical_code(canonical, coding.get("code"))
    if not written or check_digit_fits(canonical, written):
        return
    name = {LOINC: "LOINC", SNOMED: "SNOMED CT"}[canonical]
    message = f"'{written}' is no code of {name}: its check digit is wrong."
    hint = "Look for a digit too many, too few or exchanged."
    yield document.problem((*path, "code"), "V015", message, hint, severity="warning")
