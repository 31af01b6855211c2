"""Checks of facts.json: the settings and value sets that facts name, and their units."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.errors import Problem
from cds_service.facts.catalogue import Catalogue
from cds_service.facts.kinds.flag import FLAGS
from cds_service.packs.fact_words import named_by
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import Entry, PackSource, obj, seq, word
from cds_service.units.convert import UnitUnknown, convert_by

Json = Any

_SETTINGS = ("lookback", "encounterLookback", "givenWithin")
_SETS = ("valueSet", "bodySite", "notBodySite", "clearedBy")


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every fact."""
    sets = {value_set.id for value_set in source.value_sets}
    for name, entry in source.facts.items():
        problems = [
            *_settings(source, entry),
            *_value_sets(entry, sets),
            *_word_lists(source, entry),
            *_flag(name, entry),
            *_computed(source, entry),
            *_plausible(entry),
            *_units(source, entry),
        ]
        yield from problems or _catalogue(name, entry)


def _word_lists(source: PackSource, entry: Entry) -> Iterator[Problem]:
    for path, name in named_by(entry.data):  # what is still a name has no list
        message = f"There is no list '{name}' in the 'words' of facts.json."
        hint = did_you_mean(name, source.words)
        yield entry.document.problem((*entry.path, *path), "F321", message, hint)


def _flag(name: str, entry: Entry) -> Iterator[Problem]:
    if obj(entry.data).get("kind") == "flag" and name not in FLAGS:
        message = f"The program has no flag '{name}'."
        yield entry.document.problem(entry.path, "F313", message, did_you_mean(name, FLAGS))


def _computed(source: PackSource, entry: Entry) -> Iterator[Problem]:
    """A value is computed from measured ones: names of facts that are quantities of their own."""
    fact = obj(entry.data)
    given = [*obj(fact.get("computed")).items(), *([("of", fact["of"])] if "of" in fact else [])]
    for how, named in given:
        for name in filter(word, seq(named) or [named]):
            other = obj(source.facts[name].data) if name in source.facts else {}
            if other.get("kind") == "quantity" and (how == "of" or "computed" not in other):
                continue
            message = f"'{name}' is no measured quantity of facts.json."
            hint = did_you_mean(name, source.facts)
            path = (*entry.path, *(("of",) if how == "of" else ("computed", how)))
            yield entry.document.problem(path, "F301", message, hint)


def _plausible(entry: Entry) -> Iterator[Problem]:
    """Bounds between which a value can lie."""
    bounds = obj(obj(entry.data).get("plausible"))
    low = next((bounds[key] for key in ("above", "atLeast") if key in bounds), None)
    high = next((bounds[key] for key in ("below", "atMost") if key in bounds), None)
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal) and low >= high:
        message = f"No value lies above {low} and below {high}: none would ever be read."
        yield entry.document.problem((*entry.path, "plausible"), "F308", message)


def _units(source: PackSource, entry: Entry) -> Iterator[Problem]:
    """A measured value's table of units is there, and leads to the fact's own unit."""
    fact, tables = obj(entry.data), source.terminology.units
    named, unit = word(fact.get("analyte")), word(fact.get("unit"))
    if named and named not in source.units:
        message = f"There are no units for '{named}' in units.json."
        hint = did_you_mean(named, source.units)
        yield entry.document.problem((*entry.path, "analyte"), "F305", message, hint)
    sets = (named, fact.get("valueSet"), *seq(fact.get("valueSets")))
    table = tables.get(next(filter(None, map(word, sets)), ""))
    if fact.get("kind") != "quantity" or "computed" in fact or not table or not unit:
        return
    if unit != table.canonical and isinstance(
        convert_by(table, Decimal(1), unit, None), UnitUnknown
    ):
        message = f"'{unit}' can't be converted to {table.canonical}, the unit of units.json."
        yield entry.document.problem((*entry.path, "unit"), "F304", message)


def value_sets_of(fact: Mapping[str, Json]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The value set ids of a fact with their paths."""
    for key in _SETS:
        if word(fact.get(key)):
            yield (key,), fact[key]
    for key in ("wide", "narrow"):
        if word(obj(fact.get("byWords")).get(key)):
            yield ("byWords", key), fact["byWords"][key]
    for index, name in enumerate(seq(fact.get("valueSets"))):
        if word(name):
            yield ("valueSets", index), name
    if fact.get("kind") == "coded" and word(fact.get("answers")):
        yield ("answers",), fact["answers"]


def _settings(source: PackSource, entry: Entry) -> Iterator[Problem]:
    settings = source.named("settings")
    fact = obj(entry.data)
    for key in _SETTINGS:
        name = word(fact.get(key))
        if not name:
            continue
        path = (*entry.path, key)
        if name not in settings:
            message = f"There is no setting '{name}' in pack.json."
            yield entry.document.problem(path, "F306", message, did_you_mean(name, settings))
        elif obj(settings[name]).get("unit") != "d":
            yield entry.document.problem(path, "F311", f"'{name}' is not a number of days.")
    strength = word(obj(fact.get("maxStrength")).get("setting"))
    if strength and strength not in settings:
        path = (*entry.path, "maxStrength", "setting")
        message = f"There is no setting '{strength}' in pack.json."
        yield entry.document.problem(path, "F306", message, did_you_mean(strength, settings))


def _value_sets(entry: Entry, sets: set[str]) -> Iterator[Problem]:
    for path, name in value_sets_of(obj(entry.data)):
        if name not in sets:
            message = f"There is no value set '{name}' in valuesets/."
            at = (*entry.path, *path)
            yield entry.document.problem(at, "V601", message, did_you_mean(name, list(sets)))


def _catalogue(name: str, entry: Entry) -> Iterator[Problem]:
    """What the catalogue itself refuses, where the schema saw nothing wrong."""
    if not isinstance(entry.data, dict):
        return
    try:
        Catalogue.from_json({"facts": {name: without_notes(entry.data)}})
    except ValueError as error:
        message = str(error).removeprefix(f"fact {name}: ")
        yield entry.document.problem(entry.path, "F316", f"{message[:1].upper()}{message[1:]}.")


def without_notes(fact: Mapping[str, Json]) -> dict[str, Json]:
    """A fact as the catalogue reads it."""
    return {key: value for key, value in fact.items() if key not in ("note", "description")}
