"""Whether not finding something shows that it is not on file (docs/architecture.md, Chart)."""

from collections.abc import Iterable

from cds_service.facts.catalogue import FactDefinition, slots_of
from cds_service.facts.chart import Chart, Supply

_WORDS = {
    "patient": ("the patient", "was", "is"),
    "encounter": ("the encounter", "was", "is"),
    "conditions": ("conditions", "were", "are"),
    "medicationRequests": ("medication requests", "were", "are"),
    "medicationStatements": ("medication statements", "were", "are"),
    "observations": ("observations", "were", "are"),
    "procedures": ("procedures", "were", "are"),
    "serviceRequests": ("service requests", "were", "are"),
}
# Many calls have no encounter, and many EHRs no MedicationStatement.
_OPTIONAL = frozenset({"encounter", "medicationStatements"})


def gap(chart: Chart, key: str) -> str:
    """Why a slot may lack entries, in words; "" where it is complete."""
    supply = chart.slot(key).supply
    if supply.complete:
        return ""
    words, past, present = _WORDS.get(key, (key, "were", "are"))
    if supply is Supply.MISSING:
        return f"{words} {past} not supplied"
    if supply is Supply.FAILED:
        return f"{words} could not be read"
    return f"{words} {present} incomplete"


def gaps(chart: Chart, keys: Iterable[str]) -> tuple[str, ...]:
    """The gaps of several slots; slots that an EHR need not have are none when they are missing."""
    return tuple(
        text
        for key in keys
        if (text := gap(chart, key))
        and not (key in _OPTIONAL and chart.slot(key).supply is Supply.MISSING)
    )


def rests_on(definition: FactDefinition) -> tuple[str, ...]:
    """The prefetch keys without which a fact is unknown or missing."""
    if definition.kind == "number":
        return ("patient",)
    if definition.kind == "code":
        return ((definition.path or definition.name).partition(".")[0].lower(),)
    return slots_of(definition)


def medication_gaps(chart: Chart) -> tuple[str, ...]:
    """Gaps in the medication list."""
    return gaps(chart, ("medicationRequests", "medicationStatements"))
