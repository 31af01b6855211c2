"""What is peculiar to ratios measured at both legs: sides, missing legs, tests after exercise."""

from collections.abc import Sequence

from cds_service.facts.body_sites import side_of
from cds_service.facts.chart import Resource
from cds_service.facts.chart_index import Hit
from cds_service.facts.definitions import Quantity
from cds_service.facts.fhir import objects
from cds_service.facts.model import Item
from cds_service.facts.query import Query
from cds_service.terminology.codings import codings, names_of

RATIO = "{ratio}"
# LOINC codes that name the leg: posterior tibial/brachial, toe/brachial.
SIDED_CODES = {"8579-5": "left", "8580-3": "right", "77617-9": "left", "77618-7": "right"}
_EXERCISE = ("exercise", "postexercise", "treadmill", "exertion")
_AT_REST = ("pre exercise", "preexercise", "before exercise", "without exercise", "no exercise")


def side(query: Query[Quantity], hit: Hit, part: Resource) -> str:
    """ "left" or "right" by code, component, body site or text; "" where none of them says so."""
    if query.definition.unit != RATIO:
        return ""
    if hit.code in SIDED_CODES:
        return SIDED_CODES[hit.code]
    found = side_of(part.get("code")) if part is not hit.resource else ""
    return found or side_of(hit.resource.get("bodySite")) or side_of(hit.resource.get("code"))


def sided_components(query: Query[Quantity], hit: Hit) -> list[Resource]:
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


def _known_elsewhere(query: Query[Quantity], component: Resource) -> bool:
    """Whether a value set knows the component by a code of its own: a pressure, a toe index."""
    sets_of = query.patient.terminology.sets_of
    return any(sets_of(system, code) for system, code, _ in codings(component.get("code")))


def other_state(query: Query[Quantity], hit: Hit, part: Resource) -> bool:
    """Whether the ratio is of the other state than the fact's: at rest, or after exercise.

    LOINC and SNOMED CT have no code for an index after exercise: only words tell it.
    """
    if query.definition.unit != RATIO:
        return False
    return _after_exercise(hit, part) is not (query.definition.taken == "after-exercise")


def _after_exercise(hit: Hit, part: Resource) -> bool:
    resource = hit.resource
    named = [*names_of(resource.get("code")), *names_of(resource.get("method"))]
    if part is not resource:
        named += names_of(part.get("code"))
    text = " ".join(named).lower().replace("-", " ")
    return any(words in text for words in _EXERCISE) and not any(w in text for w in _AT_REST)


def missing_side(query: Query[Quantity], items: Sequence[Item]) -> list[str]:
    """A note where only one leg was reported."""
    sides = {item.details.get("side", "") for item in items}
    if len(sides) != 1 or not sides <= {"left", "right"}:
        return []
    other = "left" if "right" in sides else "right"
    title = query.definition.title.split(" (")[0]
    return [f"{title[:1].upper()}{title[1:]}: {other} not reported."]
