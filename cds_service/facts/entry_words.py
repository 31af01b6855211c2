"""Whether an entry's own words fit a wide code: "Cramp and spasm" of the hand is no leg cramp.

Some codes name no place ("wide": they count unless the words name another place or kind), and some
are mostly used for other places ("narrow": they count only where the words name the place). A code
that names its place needs no words.
"""

from collections.abc import Iterable, Iterator

from cds_service.facts.chart import Resource
from cds_service.facts.definition_parts import ByWords
from cds_service.facts.definitions import Problem
from cds_service.facts.hits import Hit
from cds_service.facts.query import Query
from cds_service.terminology.codings import names_of

_BREAKS = str.maketrans(dict.fromkeys(".,;:()[]/-&+\n\t", " "))


def words_fit(query: Query[Problem], hit: Hit) -> bool:
    """Whether the entry counts by its codes and words. True for facts that ask for no words."""
    rule = query.definition.by_words
    if rule is None:
        return True

    def kinds_of(hit: Hit) -> frozenset[str]:
        return frozenset(_kind(query, rule, *coding) for coding in _codes(query, hit))

    kinds = query.of_words(hit, "kinds", kinds_of)
    if "" in kinds:
        return True
    text = _text_of_entry(query, hit)
    named = _holds(text, rule.here)
    if "wide" in kinds:
        return named or not _holds(text, (*rule.elsewhere, *query.definition.not_body_site_words))
    return named


def _codes(query: Query[Problem], hit: Hit) -> Iterator[tuple[str, str]]:
    """The codings of the entry that are in the fact's sets."""
    wanted = set(query.definition.value_sets)
    for system, code, _ in query.patient.terminology.vocabulary.systems.codings(hit.concept):
        if not wanted.isdisjoint(query.patient.terminology.sets_of(system, code)):
            yield system, code


def _kind(query: Query[Problem], rule: ByWords, system: str, code: str) -> str:
    sets = query.patient.terminology.sets_of(system, code)
    return "wide" if rule.wide in sets else "narrow" if rule.narrow in sets else ""


def _text_of_entry(query: Query[Problem], hit: Hit) -> str:
    """Text, displays and body site of the entry, and the pack's name of its codes."""
    names = [*names_of(hit.concept), *names_of(_body_site(hit.resource))]
    terminology = query.patient.terminology
    for system, code in _codes(query, hit):
        names += [terminology.display(set_id, system, code) for set_id in
                  terminology.sets_of(system, code)]  # fmt: skip
    return f" {' '.join(' '.join(names).lower().translate(_BREAKS).split())} "


def _body_site(resource: Resource) -> object:
    return resource.get("bodySite")


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(f" {word} " in text for word in words)
