"""Cards as a person reads them in a terminal.

Works on the JSON that an EHR gets, so what is printed is what was sent.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Any
WIDTH = 90
_ESCAPES = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~$:/=-])")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def cards_text(service: str, cards: Sequence[Mapping[str, Json]]) -> str:
    """All cards of an answer, or that there are none."""
    if not cards:
        return f"{service}: no cards."
    head = f"{service}: {len(cards)} {'card' if len(cards) == 1 else 'cards'}"
    return "\n\n".join([head, *("\n".join(_card(card)) for card in cards)])


def _card(card: Mapping[str, Json]) -> Iterator[str]:
    yield from _wrapped(f"[{card['indicator'].upper()}] {card['summary']}", "", "  ")
    for paragraph in card.get("detail", "").split("\n\n"):
        yield ""
        for line in paragraph.split("\n"):
            bullet = line.startswith("- ")
            yield from _wrapped(_readable(line), "  ", "    " if bullet else "  ")
    yield from _suggestions(card)
    if reasons := [reason["display"] for reason in card.get("overrideReasons", ())]:
        yield ""
        yield from _wrapped(f"Reasons to set it aside: {'; '.join(reasons)}", "  ", "    ")
    source = card["source"]
    yield ""
    yield from _wrapped(f"Source: {source['label']}", "  ", "    ")
    for address in [source.get("url"), *(link["url"] for link in card.get("links", ()))]:
        if address:
            yield f"    {address}"


def _suggestions(card: Mapping[str, Json]) -> Iterator[str]:
    suggestions = card.get("suggestions", ())
    if suggestions:
        yield ""
        few = card.get("selectionBehavior") == "at-most-one"
        yield f"  Suggestions ({'at most one' if few else 'any'}):"
    for suggestion in suggestions:
        mark = " (recommended)" if suggestion.get("isRecommended") else ""
        yield from _wrapped(f"- {suggestion['label']}{mark}", "    ", "      ")
        for action in suggestion.get("actions", ()):
            yield f"      {_action(action)}"


def _action(action: Mapping[str, Json]) -> str:
    if action["type"] == "delete":
        return f"delete {action.get('resourceId', '')}"
    resource = action.get("resource", {})
    what = resource.get("code", {}).get("text", "")
    return f"{action['type']} {resource.get('resourceType', '')} {what}".rstrip()


def _readable(markdown: str) -> str:
    text = _ESCAPES.sub(r"\1", markdown)
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text.replace("**", "")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [""]
