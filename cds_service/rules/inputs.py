"""Everything a rule reads: facts, settings and definitions, definitions looked through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.rules.model import Pack, Rule
from cds_service.rules.syntax import parts_of

Json = Any


@dataclass(frozen=True)
class Inputs:
    """Names, each once: first what the rule's own file names, then what definitions add."""

    facts: tuple[str, ...]
    settings: tuple[str, ...]
    definitions: tuple[str, ...]


def inputs_of(pack: Pack, rule: Rule, *, cards: bool = True) -> Inputs:
    """What the rule reads to fire or to choose its words; with the pack-wide exclusions.

    `cards=False` leaves out what only chooses single sentences and offers of a card.
    """
    collector = _Collector(pack)
    for condition in _conditions(pack, rule, cards):
        collector.walk(condition)
    for fact in rule.about if cards else ():
        collector.fact(fact)
    collector.look_through()
    return Inputs(tuple(collector.facts), tuple(collector.settings), tuple(collector.definitions))


def definitions_of(pack: Pack, rule: Rule) -> tuple[str, ...]:
    """The definitions that decide whether the rule fires and which variant speaks."""
    return inputs_of(pack, rule, cards=False).definitions


def exclusions_of(pack: Pack, rule: Rule) -> list[Mapping[str, Json]]:
    """The pack-wide exclusions that concern the rule."""
    names = {rule.id, rule.group}
    return [
        exclusion for exclusion in pack.exclusions if not names & set(exclusion.get("except", ()))
    ]


def _conditions(pack: Pack, rule: Rule, cards: bool) -> Iterator[Json]:
    yield rule.when
    if rule.unless is not None:
        yield rule.unless
    yield from (exclusion["when"] for exclusion in exclusions_of(pack, rule))
    yield from (variant["when"] for variant in rule.variants)
    if not cards:
        return
    for card in (rule.card, *(variant.get("card", {}) for variant in rule.variants)):
        for key in ("detail", "suggestions"):
            parts = card.get(key, ())
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict) and "when" in part:
                    yield part["when"]


class _Collector:
    """Gathers names while it walks; a dict keeps their order."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self.facts: dict[str, None] = {}
        self.settings: dict[str, None] = {}
        self.definitions: dict[str, None] = {}

    def walk(self, condition: Json) -> None:
        for part in parts_of(condition):
            self.walk(part)
        if "fact" in condition:
            self._leaf(condition)
        elif "setting" in condition:
            self._setting(condition["setting"])
        elif isinstance(condition.get("is"), str):
            self.definitions[condition["is"]] = None

    def look_through(self) -> None:
        """Walk the definitions met so far and those that they lead to."""
        done: set[str] = set()
        while waiting := [name for name in self.definitions if name not in done]:
            for name in waiting:
                done.add(name)
                self.walk(self._pack.definitions[name])

    def fact(self, name: str) -> None:
        self.facts[name] = None
        for setting in self._pack.catalogue.facts[name].settings:
            self._setting(setting)

    def _leaf(self, leaf: Json) -> None:
        self._setting(leaf.get("setting", ""))
        self._setting(leaf.get("within", ""))
        self.facts[leaf["fact"]] = None
        fact = self._pack.catalogue.facts[leaf["fact"]]
        for setting in fact.settings:
            if not (setting == fact.lookback and leaf.get("within")):
                self._setting(setting)

    def _setting(self, name: str) -> None:
        if name in self._pack.settings:
            self.settings[name] = None
