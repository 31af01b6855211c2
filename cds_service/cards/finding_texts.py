"""One finding in words, before it is known which card it becomes part of."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from cds_service.cards.per_pack import sentences
from cds_service.cards.template_context import Scene
from cds_service.facts.model import Item
from cds_service.rules.model import INDICATORS, Finding, Indicator

Json = Any
LONGEST_SUMMARY = 120  # of the 139 that CDS Hooks allows (row H3): read at a glance
LONGEST_LABEL = 80


class Sentence(Struct, frozen=True):
    """A sentence of the detail, as Markdown. `special`: shown only because its condition holds.

    `basis`: the chart entries that its condition rests on.
    """

    text: str
    special: bool
    basis: tuple[Item, ...] = ()


class Offer(Struct, frozen=True):
    """A suggestion that holds, before it is joined with those of other findings.

    `create` names an order template; otherwise the finding's draft is to be deleted.
    """

    label: str
    create: str
    recommended: bool


class FindingTexts(Struct, frozen=True):
    """A finding's rendered texts. `line` is Markdown, `summary` plain text of one line."""

    finding: Finding
    indicator: Indicator
    summary: str
    line: str
    detail: tuple[Sentence, ...]
    caveat: str
    offers: tuple[Offer, ...]


def say(scene: Scene) -> FindingTexts:
    """Render all texts of a finding. Raises `MissingValue` when one lacks a value."""
    card = scene.finding.card
    detail = tuple(_sentences(scene, card.get("detail", ())))
    summary = _summary(scene, card)
    line = scene.markdown(card["line"]) if card.get("line") else _fallback(detail, scene, card)
    return FindingTexts(
        finding=scene.finding,
        indicator="info" if scene.finding.softened else _indicator(card),
        summary=summary,
        line=line,
        detail=detail,
        caveat=scene.markdown(card["caveat"]) if card.get("caveat") else "",
        offers=tuple(
            offer
            for offer in _offers(scene, card.get("suggestions", ()))
            if offer.create or not scene.finding.softened
        ),
    )


def strength(indicator: Indicator) -> int:
    """0 for info, 2 for critical."""
    return INDICATORS.index(indicator)


def _indicator(card: Mapping[str, Json]) -> Indicator:
    indicator: Indicator = card.get("indicator", "info")
    return indicator


def _summary(scene: Scene, card: Mapping[str, Json]) -> str:
    template = card.get("summary")
    if not template:
        return ""
    return scene.plain(template, LONGEST_SUMMARY)


def _fallback(detail: tuple[Sentence, ...], scene: Scene, card: Mapping[str, Json]) -> str:
    if card.get("summary"):
        return scene.markdown(card["summary"])
    return detail[0].text if detail else ""


def _sentences(scene: Scene, detail: Json) -> list[Sentence]:
    spoken = []
    for entry in sentences(detail):
        if isinstance(entry, str):
            spoken.append(Sentence(scene.markdown(entry), special=False))
        elif "when" not in entry or scene.holds(entry["when"]):
            spoken.append(_conditional(scene, entry))
    return spoken


def _conditional(scene: Scene, entry: Mapping[str, Json]) -> Sentence:
    text, condition = scene.markdown(entry["text"]), entry.get("when")
    return Sentence(text, condition is not None, scene.items(condition) if condition else ())


def _offers(scene: Scene, suggestions: Json) -> list[Offer]:
    return [
        Offer(
            label=scene.plain(entry["label"], LONGEST_LABEL),
            create=entry.get("create", ""),
            recommended=bool(entry.get("recommended", False)),
        )
        for entry in suggestions
        if "when" not in entry or scene.holds(entry["when"])
    ]
