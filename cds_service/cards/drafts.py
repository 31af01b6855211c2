"""What a draft order is called, and why it was ordered, as the order itself says.

Tolerant: an order may name its drug or test by code, text or reference, and senders write a
single object where FHIR has a list.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cds_service.cards import values
from cds_service.cards.language import ENGLISH, Language
from cds_service.facts.chart import Draft
from cds_service.facts.model import Item

Json = Any
_NAMED_BY = ("medicationCodeableConcept", "code")


def draft_name(draft: Draft, about: Sequence[Item], language: Language = ENGLISH) -> str:
    """The order's drug or test: as the finding names it, else in the order's own words."""
    for item in about:
        if item.reference == draft.reference and item.text:
            return values.name(item, language)
    for key in _NAMED_BY:
        if words := _words(draft.resource.get(key)):
            return language.inside(words)
    medication = draft.resource.get("medicationReference")
    return language.inside(_text(medication, "display"))


def draft_reason(draft: Draft, language: Language = ENGLISH) -> str:
    """The first reason that the order states in words, or ""."""
    reasons = draft.resource.get("reasonCode")
    for reason in reasons if isinstance(reasons, list) else [reasons]:
        if words := _words(reason):
            return language.inside(words)
    return ""


def _words(concept: Json) -> str:
    if text := _text(concept, "text"):
        return text
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    for coding in codings if isinstance(codings, list) else [codings]:
        if display := _text(coding, "display"):
            return display
    return ""


def _text(holder: Json, key: str) -> str:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value.strip() if isinstance(value, str) else ""
