"""New chart entries: what a person picks, as the FHIR resource that an EHR would send for it.

Made by the builders of test sketches, so that a chart made here and one in a test are alike.
"""

from datetime import datetime
from typing import Any, Literal

from cds_service.errors import BadRequest
from cds_service.facts.definitions import FactDefinition
from cds_service.rules.model import Pack
from cds_service.ruletests import sketch_entries as builders
from cds_service.ruletests.sketch_values import SYSTEMS, SketchError
from cds_service.terminology.codings import ATC, INGREDIENT, RXNORM, SNOMED
from cds_service.workbench.chart import ChartState, Order, Resource

Json = Any
Kind = Literal["problem", "drug", "result", "procedure", "order", "draft-drug", "draft-test"]
KINDS: tuple[Kind, ...] = (
    "problem", "drug", "result", "procedure", "order", "draft-drug", "draft-test",
)  # fmt: skip
UCUM = "http://unitsofmeasure.org"
_PREFIXES = {system: prefix for prefix, system in SYSTEMS.items()}


def add(
    state: ChartState,
    kind: Kind,
    coded: tuple[str, str, str],
    now: datetime,
    value: str = "",
) -> ChartState:
    """The chart with one more entry. `coded` is system, code and name; `value` is of a result,
    "52 ng/mL". Raises BadRequest."""
    system, code, name = coded
    place = builders.Place(kind, 1, now)
    prefix = _PREFIXES.get(system)
    word = f"{prefix}:{code}" if prefix else f"text:{name}"
    entry: dict[str, Json] = {"text": name} if prefix else {}
    try:
        resource = _build(kind, word, entry, place, value)
    except SketchError as error:
        raise BadRequest("entry-invalid", f"That entry cannot be added: {error}.") from None
    resource["id"] = state.new_id(resource["resourceType"])
    resource["subject"] = {"reference": f"Patient/{state.patient_id}"}
    _name(resource, name)
    if kind in ("draft-drug", "draft-test"):
        return ChartState(
            state.resources, (*state.drafts, Order(resource)), state.now, state.supply
        )
    return state.with_resource(resource)


def _build(
    kind: Kind, word: str, entry: dict[str, Json], place: builders.Place, value: str
) -> Resource:
    if kind == "problem":
        return builders.condition({**entry, "code": word, "recorded": "-30d"}, place)
    if kind == "drug":
        return builders.request({**entry, "drug": word, "authored": "-30d"}, place)
    if kind == "result":
        return _result(word, entry, place, value)
    if kind == "procedure":
        return builders.procedure({**entry, "code": word, "date": "-30d"}, place)
    if kind == "order":
        return builders.order({**entry, "code": word}, place)
    return builders.draft({**entry, "drug" if kind == "draft-drug" else "test": word}, place)


def _result(word: str, entry: dict[str, Json], place: builders.Place, value: str) -> Resource:
    """A result; of one without a number the unit waits for it."""
    unit = value.strip() if value.startswith(" ") else ""
    measured = {"value": value} if value and not unit else {}
    resource = builders.observation({**entry, "code": word, "date": "-7d", **measured}, place)
    if unit:
        resource["valueQuantity"] = {"unit": unit, "system": UCUM, "code": unit}
    return resource


def _name(resource: Resource, name: str) -> None:
    """Give the coding its display, as EHRs do."""
    for key in ("code", "medicationCodeableConcept"):
        for coding in resource.get(key, {}).get("coding", ()):
            coding.setdefault("display", name)


def example(pack: Pack, fact: FactDefinition) -> tuple[str, str, str] | None:
    """A code that the fact reads, with its name; None where it reads no codes."""
    for set_id in fact.value_sets:
        value_set = pack.terminology.value_set(set_id)
        listed = sorted(
            {**value_set.below, **value_set.concepts}.items(),
            key=lambda entry: (
                _awkward(entry[0][0]),
                not fits(entry[1], fact.unit),
                _special(entry[1]),
            ),
        )
        for (system, code), display in listed:
            if system == INGREDIENT:
                return _product(pack, code)
            return system, code, display or code
    return None


def _awkward(system: str) -> int:
    """What people know first: ICD-10-CM, LOINC, RxNorm; an ATC class is no drug to take."""
    return {SNOMED: 1, INGREDIENT: 2, ATC: 3}.get(system, 0)


def _special(display: str) -> tuple[bool, int]:
    """The usual specimen first; a LOINC name grows with each method that it is restricted to."""
    if "[" not in display:
        return False, 0
    return not display.endswith(" in Serum or Plasma"), len(display)


def fits(display: str, unit: str) -> bool:
    """Whether a LOINC name and a unit speak of the same property: mass or substance."""
    return ("[Moles/" in display) == ("mol" in unit) or "[" not in display


def _product(pack: Pack, ingredient: str) -> tuple[str, str, str]:
    """A product of the ingredient by mouth, else any, else its name alone."""
    products = [p for p in pack.terminology.drugs.products() if p.ingredients == (ingredient,)]
    ranked = sorted(products, key=lambda p: (p.is_ingredient, p.route != "oral", p.code))
    if not ranked:
        return "", "", ingredient
    return RXNORM, ranked[0].code, ranked[0].name
