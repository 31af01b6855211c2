"""Suggestions: draft orders to create, the draft under evaluation to remove.

One action a suggestion, with the suggestion's label as its description: some EHRs carry out only
the first action and show only the description (spec section 5.1, Epic). Details of an order
are the EHR's to fill in.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from cds_service.cards import phrases
from cds_service.cards.finding_texts import LONGEST_LABEL, Offer
from cds_service.cards.grouping import Part
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.markdown import shorten
from cds_service.facts.chart import Draft
from cds_service.protocol.model import Action, HookRequest, Suggestion
from cds_service.values import value

Json = Any


@value
class Orders:
    """What is needed to write a suggestion for this call."""

    templates: Mapping[str, Json]  # orders.json
    request: HookRequest
    drafts: Sequence[Draft]
    draft_names: Mapping[int, str]
    new_uuid: Callable[[], str]
    language: Language = ENGLISH


def suggestions(parts: Sequence[Part], orders: Orders, behavior: str) -> tuple[Suggestion, ...]:
    """The parts' offers, each once; at most one is recommended where one may be chosen."""
    actions: dict[tuple[str, str], tuple[str, Action, bool]] = {}
    several = len({part.draft for part in parts}) > 1
    for part in parts:
        for offer in part.texts.offers:
            label = _label(offer, part, orders, several)
            action = _action(offer, label, part, orders)
            if action:
                key = (action.type, offer.create or action.resource_id)
                actions.setdefault(key, (label, action, offer.recommended))
    return _written(
        _told_apart(actions.values(), orders.language), orders, single=behavior == "at-most-one"
    )


def _told_apart(
    offers: Iterable[tuple[str, Action, bool]], language: Language
) -> list[tuple[str, Action, bool]]:
    """Two drafts of the same drug earn the same label; a number tells them apart."""
    waiting = list(offers)
    if len(waiting) < 2:
        return waiting
    counts = Counter(label for label, _, _ in waiting)
    seen: Counter[str] = Counter()
    told = []
    for label, action, recommended in waiting:
        seen[label] += 1
        if counts[label] > 1:
            place, all_ = str(seen[label]), str(counts[label])
            number = f" {language.say(phrases.OF_SEVERAL, number=place, count=all_)}"
            label = shorten(label, LONGEST_LABEL - len(number)) + number
            action = replace(action, description=label)
        told.append((label, action, recommended))
    return told


def _written(
    offers: list[tuple[str, Action, bool]], orders: Orders, single: bool
) -> tuple[Suggestion, ...]:
    taken = False
    written = []
    for label, action, recommended in offers:
        recommended = recommended and not (single and taken)
        taken = taken or recommended
        written.append(Suggestion(label, orders.new_uuid(), (action,), recommended))
    return tuple(written)


def _label(offer: Offer, part: Part, orders: Orders, several: bool) -> str:
    """With several drafts on the card, a removal says which draft it means."""
    name = orders.draft_names.get(part.draft, "") if part.draft is not None else ""
    if offer.create or not several or not name or name in offer.label:
        return offer.label
    return shorten(f"{offer.label}: {name}", LONGEST_LABEL)


def _action(offer: Offer, label: str, part: Part, orders: Orders) -> Action | None:
    if offer.create:
        return Action(
            "create", label, resource=_order(orders.templates[offer.create], orders.request)
        )
    reference = orders.drafts[part.draft].reference if part.draft is not None else ""
    # A draft without an id cannot be named, so nothing can be offered (spec K5, K6).
    return Action("delete", label, resource_id=reference) if reference else None


def _order(template: Json, request: HookRequest) -> dict[str, Json]:
    """A new ServiceRequest for this patient and encounter (spec K3)."""
    order: dict[str, Json] = deepcopy(template)
    order.setdefault("resourceType", "ServiceRequest")
    order.setdefault("status", "draft")
    order.setdefault("intent", "proposal")
    order["subject"] = {"reference": f"Patient/{request.patient_id}"}
    if request.encounter_id:
        encounter = request.encounter_id.removeprefix("Encounter/")
        order["encounter"] = {"reference": f"Encounter/{encounter}"}
    return order
