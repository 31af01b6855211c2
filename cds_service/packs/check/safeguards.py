"""Value sets that a safeguard rests on: what silences a rule, makes its card milder, or keeps it.

A safeguard that does not know the code system of a chart lets the wrong card through, so its sets
must hold every system that the pack says it reads (`conditionSystems` in pack.json).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cds_service.errors import Problem
from cds_service.packs.check.walk import MAX_CHAIN, Json
from cds_service.packs.source import PackSource, ValueSetFile, obj, seq, word
from cds_service.rules.syntax import parts_of, sort_of
from cds_service.terminology.codings import SNOMED
from cds_service.terminology.valueset import last_part
from cds_service.terminology.word_lists import Canonical

_STRENGTH = {"info": 0, "warning": 1, "critical": 2}


def check(source: PackSource) -> Iterator[Problem]:
    """Sets of safeguards that lack a code system; a warning for a site's own set."""
    frame = obj(source.pack.data) if source.pack else {}
    canonical = source.terminology.vocabulary.systems.canonical
    systems = [canonical(system) for system in seq(frame.get("conditionSystems"))]
    gaps = obj(frame.get("conditionSystemGaps"))
    files = {value_set.id: value_set for value_set in source.value_sets}
    for set_id, facts in safeguard_sets(source).items():
        if set_id in files and set_id not in gaps and source.terminology.has_set(set_id):
            value_set = source.terminology.value_set(set_id)
            held = {system for system, _ in (*value_set.concepts, *value_set.below)}
            missing = [system for system in systems if system not in held]
            if missing:
                yield _lacking(source, files[set_id], missing, facts[0])


def _lacking(source: PackSource, value_set: ValueSetFile, missing: list[str], fact: str) -> Problem:
    message = f"'{value_set.id}' holds no code of {', '.join(missing)}, and '{fact}' safeguards."
    hint = "A chart in that system would look as if it had no such problem: add its codes."
    place = (value_set.name, 1, 1, "$.compose", "V012", message, hint)
    return Problem(*place, "warning" if _of_site(source, value_set) else "error")


def _of_site(source: PackSource, value_set: ValueSetFile) -> bool:
    parsed = source.terminology.value_set(value_set.id)
    site = source.site_folder
    return site is not None and Path(parsed.file).is_relative_to(site.root)


def explicit_only(source: PackSource) -> tuple[str, ...]:
    """Titles of the safeguards that know SNOMED CT by listed codes alone, sorted."""
    sets = safeguard_sets(source)
    known = (set_id for set_id in sets if source.terminology.has_set(set_id))
    listed = (source.terminology.value_set(set_id) for set_id in known)
    return tuple(
        sorted(value_set.title or value_set.id for value_set in listed if value_set.explicit)
    )


def listing_files(source: PackSource) -> list[Path]:
    """The files of the sets that make up the safeguards and list SNOMED CT codes themselves.

    Of a union those of its members, which the site's own versions replace.
    """
    canonical = source.terminology.vocabulary.systems.canonical
    own = {value_set.id: value_set for value_set in source.value_sets}
    waiting, seen = [*safeguard_sets(source)], set[str]()
    files = []
    while waiting:
        set_id = waiting.pop()
        if set_id in seen or set_id not in own or not source.terminology.has_set(set_id):
            continue
        seen.add(set_id)
        parts = seq(obj(own[set_id].data.get("compose")).get("include"))
        for part in parts:
            waiting += [last_part(url) for url in seq(obj(part).get("valueSet"))]
        if any(_lists_snomed(obj(part), canonical) for part in parts):
            files.append(Path(source.terminology.value_set(set_id).file))
    return sorted(files, key=lambda file: file.name)


def _lists_snomed(part: Mapping[str, Json], canonical: Canonical) -> bool:
    return canonical(part.get("system")) == SNOMED and "concept" in part


def safeguard_sets(source: PackSource) -> Mapping[str, tuple[str, ...]]:
    """The condition sets that safeguards read, each with the facts that read it."""
    readers: dict[str, list[str]] = {}
    for name in sorted(_safeguards(source)):
        for set_id in _sets(obj(source.facts[name].data)):
            readers.setdefault(set_id, []).append(name)
    return {set_id: tuple(facts) for set_id, facts in readers.items()}


def _sets(fact: Mapping[str, Json]) -> Iterator[str]:
    if fact.get("kind") == "problem":
        yield from filter(word, [fact.get("valueSet"), *seq(fact.get("valueSets"))])
    if word(fact.get("clearedBy")):
        yield fact["clearedBy"]


def _safeguards(source: PackSource) -> set[str]:
    """Facts whose presence silences, softens or excludes; and those that another entry clears."""
    definitions = {name: entry.data for name, entry in source.definitions.items()}
    facts: set[str] = set()
    for exclusion in seq(obj(source.pack.data).get("exclusions")) if source.pack else ():
        facts |= set(guards(definitions, obj(exclusion).get("when"), guarding=True))
    for rule in source.rules:
        facts |= guards_of_rule(definitions, rule.data)
    facts |= {name for name, entry in source.facts.items() if obj(entry.data).get("clearedBy")}
    return facts & source.facts.keys()


def guards_of_rule(definitions: Mapping[str, Json], rule: Mapping[str, Json]) -> set[str]:
    """The facts of one rule file whose presence silences it or makes its card milder."""
    return {
        fact
        for condition, guarding in _conditions(rule)
        for fact in guards(definitions, condition, guarding=guarding)
    }


def _conditions(rule: Mapping[str, Json]) -> Iterator[tuple[Json, bool]]:
    """Every condition of a rule; True where its truth is what guards."""
    card = obj(rule.get("card"))
    yield rule.get("when"), False
    yield rule.get("unless"), True
    yield from ((obj(offer).get("when"), False) for offer in seq(card.get("suggestions")))
    for variant in seq(rule.get("variants")):
        yield obj(variant).get("when"), _softens(obj(obj(variant).get("card")), card)


def _softens(variant: Mapping[str, Json], card: Mapping[str, Json]) -> bool:
    """Whether a variant's card is milder, or offers less."""
    usual = word(card.get("indicator"))
    milder = _STRENGTH.get(word(variant.get("indicator")), 9) < _STRENGTH.get(usual, 0)
    offers = seq(variant.get("suggestions", card.get("suggestions")))
    return milder or len(offers) < len(seq(card.get("suggestions")))


def guards(
    definitions: Mapping[str, Json], condition: Json, *, guarding: bool, chain: int = 0
) -> Iterator[str]:
    """Facts whose *presence* guards: under an odd number of `not`, or in what guards by holding."""
    node = obj(condition)
    sort = sort_of(node)
    parts, flipped = parts_of(node), sort == "not"
    if sort == "is" and chain < MAX_CHAIN:
        parts, chain = [definitions.get(word(node["is"]))], chain + 1
    for part in parts:
        yield from guards(definitions, part, guarding=guarding != flipped, chain=chain)
    if sort == "fact" and word(node["fact"]) and guarding != (node.get("op") == "absent"):
        yield node["fact"]
