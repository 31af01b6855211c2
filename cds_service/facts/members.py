"""Results that a report or a panel names and that were not sent with it, or that it has in words
or as a document alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.fhir import objects, string
from cds_service.protocol import identity

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


def _is_there(reference: str, sent: set[str]) -> bool:
    """What is contained was read with the panel (`gather.prefetch`)."""
    return reference.startswith("#") or not sent.isdisjoint(identity.of_reference(reference))
