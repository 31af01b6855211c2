"""Warnings: what is defined and never used, and files that nothing reads."""

from collections.abc import Iterator
from typing import Any

from cds_service.cards.render import TemplateError, compile_template
from cds_service.errors import Problem
from cds_service.packs.check.facts import value_sets_of
from cds_service.packs.check.walk import all_roots, walk
from cds_service.packs.source import PackSource, obj, seq, word
from cds_service.rules.syntax import sort_of

Json = Any


def check(source: PackSource) -> Iterator[Problem]:
    """Facts, definitions, value sets, word lists, orders, links, reasons that nothing names."""
    named = _Named(source)
    for title, entries, used in (
        ("fact", source.facts, named.facts),
        ("definition", source.definitions, named.definitions),
        ("order", source.orders, named.orders),
    ):
        code = {"fact": "W701", "definition": "W703", "order": "W709"}[title]
        for name, entry in entries.items():
            if name not in used and not obj(entry.data).get("offered"):
                message = f"The {title} '{name}' is never used."
                yield entry.document.problem(
                    entry.path, code, message, key=True, severity="warning"
                )
    yield from _value_sets(source)
    for name, entry in source.words.items():
        if name not in source.named_lists:
            message = f"No fact names the word list '{name}'."
            yield entry.document.problem(entry.path, "W713", message, key=True, severity="warning")
    for name in source.ignored:
        message = "This file is not read: its name does not end in .json."
        yield Problem(name, 1, 1, "$", "W708", message, "Rename or remove it.", "warning")


class _Named:
    """Every name that rules and the frame of the pack use."""

    def __init__(self, source: PackSource) -> None:
        self.facts: set[str] = set()
        self.definitions = {word(source.named("conditional").get("definition"))}
        self.orders: set[str] = set()
        for root in all_roots(source):
            for node in walk(root):
                if sort_of(node.data) == "fact":
                    self.facts.add(word(node.data["fact"]))
                elif sort_of(node.data) == "is":
                    self.definitions.add(word(node.data["is"]))
        for fact in source.facts.values():
            data = obj(fact.data)
            for named in [*obj(data.get("computed")).values(), data.get("of")]:
                self.facts.update(filter(word, seq(named) or [named]))
        for rule in source.rules:
            self.facts.update(filter(word, seq(rule.data.get("about"))))
            for card in _cards(rule.data):
                self._card(card)

    def _card(self, card: Json) -> None:
        for text in _strings(card):
            if "{" in text:
                self._text(text)
        for offer in seq(obj(card).get("suggestions")):
            self.orders.add(word(obj(offer).get("create")))

    def _text(self, text: str) -> None:
        try:
            for name, _ in compile_template(text).placeholders():
                self.facts.add(name.rpartition(".")[0])
        except TemplateError:
            return  # reported by `texts`


def _cards(rule: Json) -> Iterator[Json]:
    yield rule.get("card")
    for variant in seq(rule.get("variants")):
        yield obj(variant).get("card")


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _value_sets(source: PackSource) -> Iterator[Problem]:
    """A set is used by a fact, or as a part of a set that is used."""
    facts = [*source.facts.values(), *source.replaced]
    used = {name for entry in facts for _, name in value_sets_of(obj(entry.data))}
    parts: dict[str, set[str]] = {}
    for value_set in source.value_sets:  # a site's may add to the shipped one
        parts.setdefault(value_set.id, set()).update(_parts(value_set.data))
    waiting = list(used)
    while waiting:
        for part in parts.get(waiting.pop(), ()):
            if part not in used:
                used.add(part)
                waiting.append(part)
    for value_set in source.value_sets:
        if value_set.id and value_set.id not in used:
            message = f"The value set '{value_set.id}' is never used."
            yield Problem(value_set.name, 1, 1, "$.id", "W702", message, "", "warning")


def _parts(value_set: Json) -> set[str]:
    includes = seq(obj(value_set.get("compose")).get("include"))
    urls = [url for include in includes for url in seq(obj(include).get("valueSet"))]
    return {word(url).split("|")[0].rstrip("/").rpartition("/")[2] for url in urls}
