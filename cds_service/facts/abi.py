"""What is peculiar to ratios measured at both legs: sides, missing legs, tests after exercise."""

from collections.abc import Sequence

from cds_service.facts import notes
from cds_service.facts.body_sites import side_of
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Quantity
from cds_service.facts.fhir import objects
from cds_service.facts.hits import Hit
from cds_service.facts.model import Item
from cds_service.facts.notes import Note
from cds_service.facts.query import Query
from cds_service.terminology.codings import names_of
from cds_service.terminology.sides import Sides
from cds_service.terminology.vocabulary import Vocabulary

RATIO = "{ratio}"


def side(query: Query[Quantity], hit: Hit, part: Resource) -> str:
    """ "left" or "right" by code, component, body site or text; "" where none of them says so."""
    if query.definition.unit != RATIO:
        return ""
    words = words_of(query)
    coded = words.sides.of_test(hit.system, hit.code)
    if coded:
        return coded
    own = side_of(words, part.get("code")) if part is not hit.resource else ""
    places = (hit.resource.get(key) for key in ("bodySite", "code"))
    return own or next((known for place in places if (known := side_of(words, place))), "")


def words_of(query: Query[Quantity]) -> Vocabulary:
    """The words and codes in force."""
    return query.patient.terminology.vocabulary


def sided_components(query: Query[Quantity], hit: Hit) -> list[Resource]:
    """Components of an ABI that only say which leg they are; the code stands on the whole."""
    if query.definition.unit != RATIO or "valueQuantity" in hit.resource:
        return []
    return [
        component
        for component in objects(hit.resource.get("component"))
        if "valueQuantity" in component
        and side_of(words_of(query), component.get("code"))
        and not _known_elsewhere(query, component)
    ]


def _known_elsewhere(query: Query[Quantity], component: Resource) -> bool:
    """Whether a value set knows the component by a code of its own: a pressure, a toe index."""
    terminology = query.patient.terminology
    codings = terminology.vocabulary.systems.codings(component.get("code"))
    return any(terminology.sets_of(system, code) for system, code, _ in codings)


def other_state(query: Query[Quantity], hit: Hit, part: Resource) -> bool:
    """Whether the ratio is of the other state than the fact's: at rest, or after exercise.

    LOINC and SNOMED CT have no code for an index after exercise: only words tell it.
    """
    if query.definition.unit != RATIO:
        return False
    exercised = _after_exercise(words_of(query).sides, hit, part)
    return exercised is not (query.definition.taken == "after-exercise")


def _after_exercise(sides: Sides, hit: Hit, part: Resource) -> bool:
    resource = hit.resource
    named = [*names_of(resource.get("code")), *names_of(resource.get("method"))]
    if part is not resource:
        named += names_of(part.get("code"))
    return sides.after_exercise(" ".join(named).lower().replace("-", " "))


def missing_side(query: Query[Quantity], items: Sequence[Item]) -> list[str]:
    """A note where only one leg was reported."""
    sides = {item.details.get("side", "") for item in items}
    if len(sides) != 1 or not sides <= {"left", "right"}:
        return []
    phrase = notes.LEFT_MISSING if "right" in sides else notes.RIGHT_MISSING
    title = query.definition.title.split(" (")[0]
    return [Note(phrase, title=f"{title[:1].upper()}{title[1:]}")]
