"""Conditions that no value set of a fact could recognise, and what follows from them.

A problem list in a code system that a fact's sets do not have says neither that the problem is
there nor that it is not: the fact is unknown, not absent. The same holds for problems in words.
Words that are equal to a name say a little more: that entry may be the problem itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.chart import Entry, Resource
from cds_service.facts.chart_index import ChartIndex
from cds_service.facts.codes import problem_names
from cds_service.facts.definitions import FactDefinition, Problem
from cds_service.protocol.raw import decoded
from cds_service.terminology.codings import names_of
from cds_service.terminology.index import Terminology
from cds_service.terminology.statuses import NO_INFORMATION

MOST_REMEMBERED = 2_000  # concepts, and charts by what their Conditions say
_LONGEST_REMEMBERED = 600  # bytes

Told = tuple[frozenset[str], frozenset[str], str]  # systems, value sets of that name, words


class Unread(NamedTuple):
    """Conditions of one sort. `named`: the value sets that their words are a name of."""

    systems: frozenset[str]  # empty: words alone
    named: frozenset[str]
    words: str
    entries: list[Entry]

    @property
    def resources(self) -> list[Resource]:
        """The Conditions as a whole."""
        return [entry.body for entry in self.entries]


def unread(index: ChartIndex, catalogue: Catalogue, terminology: Terminology) -> list[Unread]:
    """The chart's Conditions that some fact could not recognise, by what they say."""
    sorts: dict[tuple[frozenset[str], frozenset[str]], Unread] = {}
    known: dict[bytes, Told | None] = catalogue.remembered.setdefault(("said", terminology), {})
    for entry in index.unclear:
        written = bytes(entry.head.code)
        told = known[written] if written in known else _read(written, known, catalogue, terminology)
        if told is not None:
            systems, named, words = told
            sort = sorts.get((systems, named))
            if sort is None:
                sort = sorts[systems, named] = Unread(systems, named, words, [])
            sort.entries.append(entry)
    return list(sorts.values())


def _read(
    written: bytes,
    known: dict[bytes, Told | None],
    catalogue: Catalogue,
    terminology: Terminology,
) -> Told | None:
    """What a Condition says without a code that is known; None for one that denies a problem."""
    told = _told_by(decoded(written) if written else None, catalogue, terminology)
    if len(written) <= _LONGEST_REMEMBERED:
        if len(known) >= MOST_REMEMBERED:
            known.clear()
        known[written] = told
    return told


def _told_by(concept: Any, catalogue: Catalogue, terminology: Terminology) -> Told | None:
    texts = names_of(concept)
    vocabulary = terminology.vocabulary
    codings = vocabulary.systems.codings(concept)
    keys = [(system, code) for system, code, _ in codings]
    if vocabulary.statuses.about_the_list(keys, texts) == NO_INFORMATION:
        return frozenset({NO_INFORMATION}), frozenset(), ""
    if any(map(terminology.names.denies, texts)):
        return None
    systems = frozenset(system for system, _, _ in codings)
    if not (systems or texts):
        return None
    names = problem_names(catalogue, terminology)
    named = frozenset(set_id for text in texts for set_id in names.sets_of(text))
    return systems, named, next(iter(texts), "")


def coverage(catalogue: Catalogue, terminology: Terminology) -> Mapping[str, frozenset[str]]:
    """The code systems that the value sets of each problem have, by fact."""
    remembered: dict[tuple[str, Terminology], Mapping[str, frozenset[str]]] = catalogue.remembered
    known = remembered.get(("coverage", terminology))
    if known is None:
        covered = {
            name: _covered(definition, terminology)
            for name, definition in catalogue.facts.items()
            if isinstance(definition, Problem) and "condition" in definition.sources
            if definition.unread != "never"
        }
        known = remembered.setdefault(("coverage", terminology), covered)
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
) -> frozenset[str]:
    """Names of the facts that the Conditions may concern."""
    known: dict[Any, frozenset[str]] = catalogue.remembered.setdefault(
        ("concerned", terminology), {}
    )
    sorts = frozenset((entry.systems, entry.named) for entry in entries)
    names = known.get(sorts)
    if names is None:
        if len(known) >= MOST_REMEMBERED:
            known.clear()
        names = known[sorts] = frozenset(
            name
            for name, systems in coverage(catalogue, terminology).items()
            if any(may_concern(catalogue.facts[name], entry, systems) for entry in entries)
        )
    return names
