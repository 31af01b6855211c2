"""Where on the body an entry is: a cramp of the hand does not count, an ABI has a side."""

from typing import Any

from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Problem
from cds_service.facts.fhir import objects, string
from cds_service.facts.query import Query
from cds_service.terminology.codings import codings
from cds_service.terminology.index import Terminology

# SNOMED CT laterality qualifiers.
SIDE_CODES = {"7771000": "left", "24028007": "right"}


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
    found = codings(concept)
    return any(set_id in terminology.sets_of(system, code) for system, code, _ in found)


def side_of(*concepts: Any) -> str:
    """ "left", "right", or "" where no concept or text names exactly one of them."""
    found: set[str] = set()
    for concept in concepts:
        if isinstance(concept, str):
            found.update(_sides(concept.lower().replace("-", " ").replace("/", " ").split()))
            continue
        for element in objects(concept):
            for coding in objects(element.get("coding")):
                code = coding.get("code")
                if isinstance(code, str) and code in SIDE_CODES:
                    found.add(SIDE_CODES[code])
            found.update(_sides(_words(element)))
    return found.pop() if len(found) == 1 else ""


def _sides(words: list[str]) -> set[str]:
    cleaned = {word.strip(".,;:()[]/") for word in words}
    return {side for side in ("left", "right") if side in cleaned}


def _words(concept: Resource) -> list[str]:
    texts = [string(concept.get("text"))]
    texts += [string(coding.get("display")) for coding in objects(concept.get("coding"))]
    return [
        word.strip(".,;:()[]/")
        for word in " ".join(texts).lower().replace("-", " ").replace("/", " ").split()
    ]
