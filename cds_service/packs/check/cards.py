"""Checks of a card's other parts: links, override reasons, order templates, removals."""

from collections.abc import Iterator
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check.walk import site_cards
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, RuleFile, obj, seq, word

Json = Any


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every rule's card and its variants, and of what a site changes about them."""
    for rule in source.rules:
        document = rule.document
        yield from _card(source, rule, document, ("card",), rule.data.get("card"))
        for index, variant in enumerate(seq(rule.data.get("variants"))):
            path: JsonPath = ("variants", index, "card")
            yield from _card(source, rule, document, path, obj(variant).get("card"))
    for rule, document, path, card in site_cards(source):
        yield from _card(source, rule, document, path, card)


def _card(
    source: PackSource, rule: RuleFile, document: Document, path: JsonPath, card: Json
) -> Iterator[Problem]:
    names = (
        ("links", "C406", "link", "links"),
        ("overrideReasons", "C407", "override reason", "overrideReasons"),
    )
    for key, code, what, section in names:
        known = source.named(section)
        for index, name in enumerate(seq(obj(card).get(key))):
            if word(name) and name not in known:
                message = f"There is no {what} '{name}' in pack.json."
                at = (*path, key, index)
                yield document.problem(at, code, message, did_you_mean(name, known))
    for index, offer in enumerate(seq(obj(card).get("suggestions"))):
        yield from _suggestion(source, rule, document, (*path, "suggestions", index), offer)


def _suggestion(
    source: PackSource, rule: RuleFile, document: Document, path: JsonPath, offer: Json
) -> Iterator[Problem]:
    name = word(obj(offer).get("create"))
    if name and name not in source.orders:
        hint = did_you_mean(name, source.orders)
        message = f"There is no order '{name}' in orders.json."
        yield document.problem((*path, "create"), "C408", message, hint)
    if "delete" in obj(offer) and seq(rule.data.get("hooks")) == ["patient-view"]:
        message = "patient-view has no draft order that could be removed."
        yield document.problem((*path, "delete"), "C411", message, key=True)
