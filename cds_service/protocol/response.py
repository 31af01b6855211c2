"""Cards as JSON, written strictly (CDS Hooks 2.0.1: CDS Service Response; rows G1 to M10).

No null and no empty value leaves the service, an optional attribute without a value is left out,
and what the specification makes conditional is checked here. A card that breaks a rule is our own
fault: ValueError.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.protocol.model import Action, Card, Coding, Link, Source, Suggestion

SUMMARY_LIMIT = 139  # the specification says fewer than 140
_INDICATORS = ("info", "warning", "critical")

_CONTAINERS = (dict, list, tuple)

Json = Any
Object = dict[str, Json]


def write(cards: Iterable[Card]) -> bytes:
    """The response body. Raises ValueError for a card that CDS Hooks does not allow."""
    return orjson.dumps({"cards": [card_object(card) for card in cards]})


def card_object(card: Card) -> Object:
    """One card as CDS Hooks defines it."""
    if card.indicator not in _INDICATORS:
        raise ValueError(f"card indicator {card.indicator!r} is not one of {_INDICATORS}")
    return _without_empty(
        {
            "uuid": _filled(card.uuid, "card.uuid"),
            "summary": _summary(card.summary),
            "detail": card.detail,
            "indicator": card.indicator,
            "source": _source(card.source),
            "selectionBehavior": _selection_behavior(card),
            "suggestions": [_suggestion(suggestion) for suggestion in card.suggestions],
            "overrideReasons": [_reason(reason) for reason in card.override_reasons],
            "links": [_link(link) for link in card.links],
            "extension": _complete(dict(card.extension), "card.extension"),
        }
    )


def _summary(text: str) -> str:
    """One line; the composer keeps to the limit, this is the last guard before a clinician."""
    line = " ".join(_filled(text, "card.summary").split())
    if len(line) <= SUMMARY_LIMIT:
        return line
    return line[: SUMMARY_LIMIT - 1].rpartition(" ")[0].rstrip(" ,;:(") + "…"


def _source(source: Source) -> Object:
    return _without_empty(
        {
            "label": _filled(source.label, "source.label"),
            "url": _address(source.url, "source.url") if source.url else "",
            "topic": _coding(source.topic) if source.topic else {},
        }
    )


def _coding(coding: Coding) -> Object:
    return _without_empty(
        {
            "system": _filled(coding.system, "coding.system"),
            "code": _filled(coding.code, "coding.code"),
            "display": coding.display,
        }
    )


def _reason(reason: Coding) -> Object:
    _filled(reason.display, "overrideReasons.display")
    return _coding(reason)


def _selection_behavior(card: Card) -> str:
    if not card.suggestions:
        return ""
    if card.selection_behavior not in ("any", "at-most-one"):
        raise ValueError("a card with suggestions needs a selectionBehavior")
    recommended = sum(suggestion.is_recommended for suggestion in card.suggestions)
    if card.selection_behavior == "at-most-one" and recommended > 1:
        raise ValueError("at-most-one allows one recommended suggestion")
    return card.selection_behavior


def _suggestion(suggestion: Suggestion) -> Object:
    written: Object = {
        "label": _filled(suggestion.label, "suggestion.label"),
        "uuid": _filled(suggestion.uuid, "suggestion.uuid"),
        "actions": [_action(action) for action in suggestion.actions],
    }
    if suggestion.is_recommended:
        written["isRecommended"] = True
    return _without_empty(written)


def _action(action: Action) -> Object:
    written: Object = {
        "type": action.type,
        "description": _filled(action.description, "action.description"),
    }
    if action.type == "delete":
        if action.resource is not None:
            raise ValueError("a delete names its target in resourceId only")
        return written | {"resourceId": _filled(action.resource_id, "action.resourceId")}
    if not action.resource or not action.resource.get("resourceType"):
        raise ValueError(f"a {action.type} needs a resource with a resourceType")
    return written | {"resource": _complete(dict(action.resource), "action.resource")}


def _link(link: Link) -> Object:
    return {
        "label": _filled(link.label, "link.label"),
        "url": _address(link.url, "link.url"),
        "type": link.type,
    }


def _filled(text: str, place: str) -> str:
    if not text.strip():
        raise ValueError(f"{place} is empty")
    return text


def _address(url: str, place: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise ValueError(f"{place} is not an absolute http(s) address")
    return url


def _without_empty(written: Mapping[str, Json]) -> Object:
    return {name: value for name, value in written.items() if value or value is False}


def _complete(value: Json, place: str) -> Json:
    """`value`, an object or a list, if nothing within it is null or empty."""
    for child in value.values() if isinstance(value, dict) else value:
        if child is None or child in ("", [], {}, ()):
            raise ValueError(f"{place} holds a null or an empty value")
        if isinstance(child, _CONTAINERS):
            _complete(child, place)
    return value
