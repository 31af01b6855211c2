"""Where on the body an entry is: a cramp of the hand does not count, an ABI has a side."""

from typing import Any, Literal

from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Problem
from cds_service.facts.fhir import objects, string
from cds_service.facts.query import Query
from cds_service.terminology.index import Terminology
from cds_service.terminology.sides import Side
from cds_service.terminology.vocabulary import Vocabulary


def right_site(query: Query[Problem], resource: Resource) -> bool:
    """Whether the entry is at a place that the fact means. Without a place it is."""
    definition = query.definition
    if "bodySite" not in resource:
        return True
    sites = list(objects(resource["bodySite"]))
    if not sites:
        return True
    if all(_elsewhere(query, site) for site in sites):
        return False
    if definition.body_site:
        return any(_in_set(query.patient.terminology, definition.body_site, s) for s in sites)
    return True


def _elsewhere(query: Query[Problem], site: Resource) -> bool:
    definition = query.definition
    unwanted = definition.not_body_site
    if unwanted and _in_set(query.patient.terminology, unwanted, site):
        return True
    words = set(_words(site))
    return any(word in words for word in definition.not_body_site_words)


def _in_set(terminology: Terminology, set_id: str, concept: Resource) -> bool:
    codings = terminology.vocabulary.systems.codings(concept)
    return any(set_id in terminology.sets_of(system, code) for system, code, _ in codings)


def side_of(words: Vocabulary, concept: Any) -> Side | Literal[""]:
    """ "left", "right", or "" where a concept names not exactly one of them."""
    named: set[Side] = set()
    for element in objects(concept):
        codings = words.systems.codings(element)
        coded = (words.sides.of_code(system, code) for system, code, _ in codings)
        named.update(side for side in coded if side)
        named |= words.sides.of_words(_words(element))
    return named.pop() if len(named) == 1 else ""


def _words(concept: Resource) -> list[str]:
    texts = [string(concept.get("text"))]
    texts += [string(coding.get("display")) for coding in objects(concept.get("coding"))]
    return [
        word.strip(".,;:()[]/")
        for word in " ".join(texts).lower().replace("-", " ").replace("/", " ").split()
    ]
