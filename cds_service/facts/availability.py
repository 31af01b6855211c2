"""Whether not finding something shows that it is not on file (docs/architecture.md, Chart)."""

from collections.abc import Iterable

from cds_service.facts import notes
from cds_service.facts.chart import Chart, Supply
from cds_service.facts.definitions import Code, FactDefinition, Number
from cds_service.facts.notes import Note
from cds_service.facts.prefetch_keys import MEDICATIONS, described


def _gap(chart: Chart, key: str) -> str:
    """Why a slot that is not complete may lack entries, in words."""
    supply = chart.slot(key).supply
    name, plural = described(key).name, described(key).plural
    if supply is Supply.MISSING:
        return Note(notes.NOT_SUPPLIED if plural else notes.ONE_NOT_SUPPLIED, what=name)
    if supply is Supply.FAILED:
        return Note(notes.NOT_READ, what=name)
    return Note(notes.INCOMPLETE if plural else notes.ONE_INCOMPLETE, what=name)


def gaps(chart: Chart, keys: Iterable[str]) -> tuple[str, ...]:
    """The gaps of several slots; slots that an EHR need not have are none when they are missing."""
    return tuple([_gap(chart, key) for key in keys if _lacks(chart, key)])


def lacking(chart: Chart, keys: Iterable[str]) -> frozenset[str]:
    """Those of the keys whose slots have gaps."""
    return frozenset([key for key in keys if _lacks(chart, key)])


def _lacks(chart: Chart, key: str) -> bool:
    supply = chart.slot(key).supply
    if supply is Supply.MISSING:
        return described(key).expected
    return not supply.complete


def rests_on(definition: FactDefinition) -> tuple[str, ...]:
    """The prefetch keys without which a fact is unknown or missing."""
    if isinstance(definition, Number):
        return ("patient",)
    if isinstance(definition, Code):
        return ((definition.path or definition.name).partition(".")[0].lower(),)
    return definition.slots


def medication_gaps(chart: Chart) -> tuple[str, ...]:
    """Gaps in the medication list."""
    return gaps(chart, MEDICATIONS)
