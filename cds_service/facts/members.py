"""Results that a report or a panel names: those that were not sent with it, or that it has in words
or as a document alone, and those that have no date but its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.fhir import objects, string
from cds_service.protocol import identity
from cds_service.protocol.raw import NOTHING, NULL

_NO_DATE = (NOTHING, NULL)
_IN_WORDS = ("conclusion", "conclusionCode", "codedDiagnosis", "presentedForm")


def not_sent(
    panels: Sequence[Entry], results: Iterable[Entry]
) -> Iterator[tuple[Entry, Resource, Any]]:
    """Of each panel the members that none of the results is: the panel, the Reference, and a
    concept that may say of which test it is (the panel's own, then the words of the reference)."""
    if not panels:
        return
    sent = {name for entry in results for name in entry.identities()}
    for panel in panels:
        body = panel.body
        if not body.get("result") and any(body.get(key) for key in _IN_WORDS):
            yield panel, {"display": "report"}, body.get("code")
        for key in ("result", "hasMember"):
            for reference in objects(body.get(key)):
                if not _is_there(string(reference.get("reference")), sent):
                    yield panel, reference, body.get("code")
                    yield panel, reference, {"text": string(reference.get("display"))}


def dated_by(panels: Sequence[Entry], results: Iterable[Entry]) -> dict[int, list[Entry]]:
    """Of each result without a date of its own, by identity, the reports and panels that contain or
    name it."""
    undated = [entry for entry in results if entry.head.effective_date_time in _NO_DATE]
    owners: dict[int, list[Entry]] = defaultdict(list)
    if not undated:
        return owners
    by_name = _by_name(panels)
    for entry in undated:
        names = {panel for name in entry.identities() for panel in by_name.get(name, ())}
        owner = (entry.owner,) if entry.owner is not None else ()
        for panel in {*names, *owner} - {entry}:
            owners[id(entry)].append(panel)
    return owners


def _by_name(panels: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Reports and panels by what they refer to."""
    by_name: dict[str, list[Entry]] = defaultdict(list)
    for panel in panels:
        for key in ("result", "hasMember"):
            for reference in objects(panel.body.get(key)):
                for name in identity.of_reference(string(reference.get("reference"))):
                    by_name[name].append(panel)
    return by_name


def _is_there(reference: str, sent: set[str]) -> bool:
    """What is contained was read with the panel (`gather.prefetch`)."""
    return reference.startswith("#") or not sent.isdisjoint(identity.of_reference(reference))
