"""Conditions that no value set of a fact could recognise, and what follows from them.

A problem list in a code system that a fact's sets do not have says neither that the problem is
there nor that it is not: the fact is unknown, not absent. The same holds for problems in words.
Words that are equal to a name say a little more: that entry may be the problem itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cds_service.facts.catalogue import Catalogue, FactDefinition
from cds_service.facts.chart import Resource
from cds_service.facts.chart_index import ChartIndex
from cds_service.facts.codes import OTHER, problem_names
from cds_service.terminology.codings import codings, names_of
from cds_service.terminology.index import Terminology


class Unread(NamedTuple):
    """Conditions of one sort. `named`: the value sets that their words are a name of."""

    systems: frozenset[str]  # empty: words alone
    named: frozenset[str]
    words: str
    resources: list[Resource]


def unread(index: ChartIndex, catalogue: Catalogue, terminology: Terminology) -> list[Unread]:
    """The chart's Conditions that some fact could not recognise, by what they say."""
    names = problem_names(catalogue, terminology)
    found: dict[tuple[frozenset[str], frozenset[str]], Unread] = {}
    hits = {id(hit.entry): hit for hit in index.conditions.get(OTHER, ())}
    for hit in hits.values():
        said = names_of(hit.concept)
        if any(map(terminology.names.denies, said)):
            continue
        systems = frozenset(system for system, _, _ in codings(hit.concept))
        if not (systems or said):
            continue
        named = frozenset(set_id for text in said for set_id in names.sets_of(text))
        key = (systems, named)
        entry = found.setdefault(key, Unread(systems, named, next(iter(said), ""), []))
        entry.resources.append(hit.resource)
    return list(found.values())


def coverage(catalogue: Catalogue, terminology: Terminology) -> Mapping[str, frozenset[str]]:
    """The code systems that the value sets of each problem have, by fact."""
    remembered: dict[tuple[str, Terminology], Mapping[str, frozenset[str]]] = catalogue.remembered
    known = remembered.get(("coverage", terminology))
    if known is None:
        made = {
            name: _covered(definition, terminology)
            for name, definition in catalogue.facts.items()
            if definition.kind == "problem" and "condition" in definition.sources
            if definition.unread != "never"
        }
        known = remembered.setdefault(("coverage", terminology), made)
    return known


def _covered(definition: FactDefinition, terminology: Terminology) -> frozenset[str]:
    sets = (name for name in definition.value_sets if terminology.has_set(name))
    return frozenset(system for name in sets for system in terminology.systems_of(name))


def may_concern(definition: FactDefinition, entry: Unread, systems: frozenset[str]) -> bool:
    """Whether Conditions of a sort may be the problem of a fact whose sets have `systems`."""
    if entry.systems & systems:
        return False
    return not entry.named or not entry.named.isdisjoint(definition.value_sets)


def concerned(
    entries: Sequence[Unread], catalogue: Catalogue, terminology: Terminology
) -> Iterator[str]:
    """Names of the facts that the Conditions may concern."""
    if entries:
        for name, systems in coverage(catalogue, terminology).items():
            definition = catalogue.facts[name]
            if any(may_concern(definition, entry, systems) for entry in entries):
                yield name
