"""Conditions as data: walking them, and what they guarantee. Used by several checks."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.source import Entry, PackSource, RuleFile, obj, seq, word
from cds_service.rules.syntax import inner, sort_of

Json = Any

MAX_DEPTH = 6
MAX_CHAIN = 32  # definitions that lead to one another
COMPARISONS = frozenset({"lt", "le", "gt", "ge"})
FLAGGED = frozenset({"low", "critical-low"})
REQUIRING = COMPARISONS | FLAGGED | {"present", "in"}


class Root(NamedTuple):
    """One condition of a file: a rule's `when`, a sentence's, a definition."""

    document: Document
    path: JsonPath
    data: Json
    rule: RuleFile | None = None


class Node(NamedTuple):
    """One node inside a condition; `depth` counts from 1."""

    root: Root
    path: JsonPath
    data: Mapping[str, Json]
    depth: int


def walk(root: Root) -> Iterator[Node]:
    """Every node of a condition, parents first."""
    stack = [(root.path, root.data, 1)]
    while stack:
        path, data, depth = stack.pop()
        node = obj(data)
        if not node:
            continue
        yield Node(root, path, node, depth)
        stack.extend(((*path, *tail), part, depth + 1) for tail, part in inner(node))


def card_roots(document: Document, path: JsonPath, card: Json, rule: RuleFile) -> Iterator[Root]:
    """The conditions inside a card: of its sentences and suggestions."""
    for name in ("detail", "suggestions"):
        for index, part in enumerate(seq(obj(card).get(name))):
            if "when" in obj(part):
                yield Root(document, (*path, name, index, "when"), part["when"], rule)


def rule_roots(rule: RuleFile) -> Iterator[Root]:
    """Every condition of a rule file."""
    for name in ("when", "unless"):
        if name in rule.data:
            yield Root(rule.document, (name,), rule.data[name], rule)
    yield from card_roots(rule.document, ("card",), rule.data.get("card"), rule)
    for index, variant in enumerate(seq(rule.data.get("variants"))):
        path: JsonPath = ("variants", index)
        if "when" in obj(variant):
            yield Root(rule.document, (*path, "when"), variant["when"], rule)
        yield from card_roots(rule.document, (*path, "card"), obj(variant).get("card"), rule)


def all_roots(source: PackSource) -> Iterator[Root]:
    """Every condition of the pack and the site."""
    for entry in source.definitions.values():
        yield Root(entry.document, entry.path, entry.data)
    if source.pack:
        for index, exclusion in enumerate(seq(obj(source.pack.data).get("exclusions"))):
            if "when" in obj(exclusion):
                yield Root(source.pack, ("exclusions", index, "when"), exclusion["when"])
    for rule in source.rules:
        yield from rule_roots(rule)
    for rule, document, path, card in site_cards(source):
        yield from card_roots(document, path, card, rule)


def site_cards(source: PackSource) -> Iterator[tuple[RuleFile, Document, JsonPath, Json]]:
    """The wordings that a site changes, each with the rule that it changes."""
    if not source.site:
        return
    known = source.rule_ids
    for rule_id, change in obj(obj(source.site.data).get("rules")).items():
        if rule_id in known and "card" in obj(change):
            yield known[rule_id], source.site, ("rules", rule_id, "card"), change["card"]


class Guarantees:
    """Which facts are sure to have an item when a condition is YES.

    `dated` facts among them are sure to have a date. `but` is a definition that may be unknown
    although the card is shown: the conditional complaint.
    """

    def __init__(self, definitions: Mapping[str, Entry], but: str = "") -> None:
        self._definitions = definitions
        self._but = but
        self._known: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._open = 0

    def of(self, condition: Json, never: frozenset[str] = frozenset()) -> frozenset[str]:
        """Names of facts; "name@" for those that are sure to be dated.

        `never` has conditions, as `unlike` writes them, that are known not to hold.
        """
        node = obj(condition)
        sort = sort_of(node)
        if sort == "all":
            return frozenset().union(*(self.of(part, never) for part in seq(node["all"])))
        if sort == "any":
            left = [part for part in seq(node["any"]) if not unlike(part) & never]
            parts = [self.of(part, never) for part in left]
            return frozenset.intersection(*parts) if parts else frozenset()
        if sort == "certainly":
            return self.of(node["certainly"], never)
        if sort == "is":
            return self._definition(word(node["is"]), never)
        if sort == "fact" and word(node.get("op")) in REQUIRING and word(node["fact"]):
            name = word(node["fact"])
            dated = "within" in node and node.get("undated") != "include"
            return frozenset({name, f"{name}@"} if dated else {name})
        return frozenset()

    def _definition(self, name: str, never: frozenset[str]) -> frozenset[str]:
        if name == self._but or name not in self._definitions or self._open > MAX_CHAIN:
            return frozenset()
        key = (name, never)
        if key not in self._known:
            self._known[key] = frozenset()  # holds while a circle is walked
            self._open += 1
            self._known[key] = self.of(self._definitions[name].data, never)
            self._open -= 1
        return self._known[key]


def unlike(*conditions: Json) -> frozenset[str]:
    """Conditions written so that equal ones are equal; the branches of an `any` one by one."""
    texts = set()
    for condition in conditions:
        parts = seq(obj(condition).get("any")) or [condition]
        for part in parts:
            plain = {k: v for k, v in obj(part).items() if k not in ("note", "title")}
            texts.add(json.dumps(plain, sort_keys=True, default=str))
    return frozenset(texts)
