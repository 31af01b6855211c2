"""What is peculiar to ratios measured at both legs: sides, missing legs, tests after exercise."""

from collections.abc import Sequence

from cds_service.facts.body_sites import side_of
from cds_service.facts.chart import Resource
from cds_service.facts.chart_index import Hit
from cds_service.facts.fhir import objects
from cds_service.facts.model import Item
from cds_service.facts.query import Query
from cds_service.terminology.codings import codings, text_of

RATIO = "{ratio}"
# LOINC codes that name the leg: posterior tibial/brachial, toe/brachial.
_SIDES = {"8579-5": "left", "8580-3": "right", "77617-9": "left", "77618-7": "right"}
_EXERCISE = ("post-exercise", "post exercise", "after exercise", "exercise abi", "postexercise")


def side(query: Query, hit: Hit, part: Resource) -> str:
    """ "left" or "right" by code, component, body site or text; "" where none of them says so."""
    if query.definition.unit != RATIO:
        return ""
    if hit.code in _SIDES:
        return _SIDES[hit.code]
    found = side_of(part.get("code")) if part is not hit.resource else ""
    return found or side_of(hit.resource.get("bodySite")) or side_of(hit.resource.get("code"))


def sided_components(query: Query, hit: Hit) -> list[Resource]:
    """Components of an ABI that only say which leg they are; the code stands on the whole."""
    if query.definition.unit != RATIO or "valueQuantity" in hit.resource:
        return []
    return [
        component
        for component in objects(hit.resource.get("component"))
        if "valueQuantity" in component
        and side_of(component.get("code"))
        and not _known_elsewhere(query, component)
    ]


def _known_elsewhere(query: Query, component: Resource) -> bool:
    """Whether a value set knows the component by a code of its own: a pressure, a toe index."""
    sets_of = query.patient.terminology.sets_of
    return any(sets_of(system, code) for system, code, _ in codings(component.get("code")))


def after_exercise(query: Query, hit: Hit, part: Resource) -> bool:
    """Whether the ratio was taken after exercise: the thresholds are for the leg at rest."""
    if query.definition.unit != RATIO:
        return False
    text = f"{text_of(hit.resource.get('code'))} {text_of(part.get('code'))}".lower()
    return any(words in text for words in _EXERCISE)


def missing_side(query: Query, items: Sequence[Item]) -> list[str]:
    """A note where only one leg was reported."""
    sides = {item.details.get("side", "") for item in items}
    if len(sides) != 1 or not sides <= {"left", "right"}:
        return []
    other = "left" if "right" in sides else "right"
    title = query.definition.title.split(" (")[0]
    return [f"{title[:1].upper()}{title[1:]}: {other} not reported."]
