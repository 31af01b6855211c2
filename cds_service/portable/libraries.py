"""The libraries of an export: one that reads the chart, one of facts, one for each rule group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cds_service.facts.prefetch_keys import PREFETCH_KEYS
from cds_service.portable import (
    drug_names,
    names,
    reading_codes,
    reading_conditions,
    reading_dates,
    reading_drugs,
    reading_orders,
    reading_person,
    reading_procedures,
    reading_reasons,
    reading_results,
    reading_words,
)
from cds_service.portable.conditions import Conditions
from cds_service.portable.elm import FALSE, Node, any_of, cases, define, library, op, ref
from cds_service.portable.facts import Facts
from cds_service.portable.sets import Sets
from cds_service.portable.supply import READING, parameter_of
from cds_service.portable.writer import Writer
from cds_service.rules.inputs import exclusions_of
from cds_service.rules.model import Pack, Rule

Json = Any
PREFIX = "LegCramps"
FACTS = "Facts"


@dataclass
class Libraries:
    """All that was written of a pack: libraries as ELM by name, value sets, limits by fact."""

    pack: Pack
    rules: Sequence[Rule]
    elm: dict[str, Node]
    sets: Sets
    limits: Mapping[str, Sequence[str]]
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by rule


def library_name(group: str) -> str:
    """ "LegCrampsRulesDrugReview" of the group "drug-review"."""
    return f"{PREFIX}Rules{''.join(part.capitalize() for part in group.split('-'))}"


def write(pack: Pack) -> Libraries:
    """Write the active rules of a pack."""
    return _Libraries(pack).write()


class _Libraries:
    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._sets = Sets(pack)
        names.declare(pack, self._sets)
        drug_names.declare(pack, self._sets)
        self._writer = Writer(pack, self._sets)
        self._facts = Facts(self._writer)
        self._defined: set[str] = set()
        self._definitions: list[Node] = []
        self._conditions = Conditions(self._writer, self._facts.write, "", self._definition)

    def write(self) -> Libraries:
        rules = [rule for rule in self._pack.rules if rule.status == "active"]
        by_group: dict[str, list[Node]] = {}
        for rule in rules:
            by_group.setdefault(rule.group, []).extend(self._rule(rule))
        elm = {f"{PREFIX}{READING}": self._reading(), f"{PREFIX}{FACTS}": self._fact_library()}
        for group, statements in by_group.items():
            elm[library_name(group)] = self._library(
                library_name(group), statements, (READING, FACTS)
            )
        return Libraries(self._pack, rules, elm, self._sets, self._writer.limits)

    def _reading(self) -> Node:
        statements = [
            *reading_words.statements(),
            *reading_codes.statements(self._pack.terminology.vocabulary.systems),
            *reading_dates.statements(),
            *names.statements(self._pack, self._sets),
            *reading_conditions.statements(),
            *reading_results.statements(self._pack),
            *reading_procedures.statements(),
            *reading_orders.statements(),
            *reading_reasons.statements(),
            *reading_drugs.statements(self._pack, self._sets),
            *reading_person.statements(),
        ]
        parameters = {reading_dates.NOW: "DateTime"}
        parameters |= {reading_orders.DRAFT: "String", reading_orders.DRAFTS: "*String"}
        parameters |= {parameter_of(key): "String" for key in PREFETCH_KEYS}
        return self._library(f"{PREFIX}{READING}", statements, (), parameters)

    def _fact_library(self) -> Node:
        statements = [*self._facts.statements, *self._definitions]
        return self._library(f"{PREFIX}{FACTS}", statements, (READING,))

    def _library(
        self,
        name: str,
        statements: Sequence[Node],
        includes: Sequence[str],
        parameters: Mapping[str, str] | None = None,
    ) -> Node:
        asked = sorted(set(_sets_in(statements)))
        sets = {set_id: self._sets.by_id[set_id].url for set_id in asked}
        named = {local: f"{PREFIX}{local}" for local in includes}
        version = self._pack.version
        return library(
            name, version, statements, includes=named, parameters=parameters, value_sets=sets
        )

    def _definition(self, name: str) -> None:
        if name in self._defined:
            return
        self._defined.add(name)
        truth = self._conditions.write(self._pack.definitions[name])
        self._definitions.append(define(name, truth))

    def _rule(self, rule: Rule) -> list[Node]:
        """The rule's truth, and the parts that it is made of."""
        write = self._conditions.within(FACTS).write
        unless = write(rule.unless) if rule.unless else FALSE
        barred = [write(entry["when"]) for entry in exclusions_of(self._pack, rule)]
        silenced = op("IsTrue", any_of([ref(f"{rule.id} unless"), *barred]))
        fires = ref(f"{rule.id} when")
        return [
            define(f"{rule.id} when", write(rule.when)),
            define(f"{rule.id} unless", unless),
            define(rule.id, cases([(silenced, FALSE)], fires)),
            *self._variants(rule),
        ]

    def _variants(self, rule: Rule) -> Iterator[Node]:
        write = self._conditions.within(FACTS).write
        for number, variant in enumerate(rule.variants, 1):
            yield define(f"{rule.id} variant {number}", write(variant["when"]))
        for number, part in enumerate(suggestions_of(rule), 1):
            if "when" in part:
                yield define(f"{rule.id} suggestion {number}", write(part["when"]))


def suggestions_of(rule: Rule) -> list[Mapping[str, Json]]:
    """The suggestions of a rule's own card."""
    given = rule.card.get("suggestions", [])
    return [part for part in given if isinstance(part, dict)]


def _sets_in(node: Json) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _sets_in(part)
    elif isinstance(node, dict):
        if "valueset" in node:
            yield node["valueset"]["name"]
        for part in node.values():
            yield from _sets_in(part)
