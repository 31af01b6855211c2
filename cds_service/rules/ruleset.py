"""A pack's rules, compiled once: nodes in place of JSON, and for each service an index of gates."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.facts.availability import rests_on
from cds_service.rules.conditions import Compiler
from cds_service.rules.leaves import Leaf, Present
from cds_service.rules.model import Pack, Rule, ServiceDefinition
from cds_service.rules.nodes import Node, Reference
from cds_service.rules.rule_index import Index, leaves
from cds_service.rules.words import Words

Json = Any
PATIENT_VIEW = "patient-view"
_EVALUATED = ("active", "shadow")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A pack-wide `unless`."""

    number: int  # its place in pack.json
    when: Node
    words: str
    excepted: frozenset[str]  # rules or groups that it does not silence

    def concerns(self, rule: Rule) -> bool:
        """Whether the rule is silenced by it."""
        return rule.id not in self.excepted and rule.group not in self.excepted


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions as nodes. `about` has a leaf for each `about` fact."""

    rule: Rule
    when: Node
    unless: Node | None
    variants: tuple[tuple[Node, Mapping[str, Json]], ...]
    exclusions: tuple[Exclusion, ...]
    about: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules that one service evaluates, in pack order."""

    service: ServiceDefinition
    rules: tuple[CompiledRule, ...]
    index: Index
    reads: frozenset[str]  # the prefetch keys that these rules rest on

    @property
    def per_draft(self) -> bool:
        """Whether each rule is evaluated for each selected draft (the order hooks)."""
        return self.service.hook != PATIENT_VIEW


@dataclass(frozen=True)
class RuleSet:
    """All that evaluations of one pack share. `conditional`: the definition that may be assumed."""

    pack: Pack
    rules: Mapping[str, CompiledRule]
    plans: Mapping[str, Plan]
    conditional: Reference | None
    words: Words


def compile_rules(pack: Pack, also: Collection[str] = ()) -> RuleSet:
    """Compile the rules that are active or in shadow, and those named in `also` (under test).

    Raises ValueError where a condition is malformed, names nothing, or refers to itself.
    """
    units = pack.terminology.units
    compiler = Compiler(pack.catalogue, pack.settings, pack.definitions, units)
    words = Words(pack.catalogue, pack.settings, pack.definitions)
    exclusions = _exclusions(pack, compiler, words)
    chosen = [rule for rule in pack.rules if rule.status in _EVALUATED or rule.id in also]
    rules = {rule.id: _compile(rule, compiler, exclusions) for rule in chosen}
    plans = {service.id: _plan(service, rules, pack) for service in pack.services}
    name = pack.conditional.get("definition", "")
    conditional = compiler.definition(name, "pack.json conditional") if name else None
    return RuleSet(pack, rules, plans, conditional, words)


def serves(service: ServiceDefinition, rule: Rule) -> bool:
    """Whether a rule belongs to a service: by its hook and its group."""
    return service.hook in rule.hooks and rule.group in service.groups


def _plan(service: ServiceDefinition, rules: Mapping[str, CompiledRule], pack: Pack) -> Plan:
    own = tuple(compiled for compiled in rules.values() if serves(service, compiled.rule))
    index = Index([compiled.when for compiled in own], pack.catalogue)
    return Plan(service, own, index, _reads(own, pack))


def _reads(rules: Collection[CompiledRule], pack: Pack) -> frozenset[str]:
    active = [compiled for compiled in rules if compiled.rule.status == "active"]
    silencing = (compiled.unless for compiled in active if compiled.unless is not None)
    asked = leaves([*(compiled.when for compiled in active), *silencing])
    facts = {leaf.fact for leaf in asked}
    return frozenset(key for fact in facts for key in rests_on(pack.catalogue[fact]))


def _exclusions(pack: Pack, compiler: Compiler, words: Words) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(
            index,
            compiler.condition(entry["when"], f"pack.json exclusions[{index}].when"),
            str(entry.get("note") or words.sentence(entry["when"])),
            frozenset(entry.get("except", ())),
        )
        for index, entry in enumerate(pack.exclusions)
    )


def _compile(rule: Rule, compiler: Compiler, exclusions: tuple[Exclusion, ...]) -> CompiledRule:
    where = rule.id
    when = compiler.condition(rule.when, f"{where}: when")
    unless = compiler.condition(rule.unless, f"{where}: unless") if rule.unless else None
    variants = tuple(
        (
            compiler.condition(variant["when"], f"{where}: variants[{index}].when"),
            {**rule.card, **variant["card"]},
        )
        for index, variant in enumerate(rule.variants)
    )
    concerned = tuple(exclusion for exclusion in exclusions if exclusion.concerns(rule))
    about = _about(rule, when, compiler)
    return CompiledRule(rule, when, unless, variants, concerned, about)


def _about(rule: Rule, when: Node, compiler: Compiler) -> tuple[Leaf, ...]:
    """The `about` facts, each asked for as `when` asks for it (the same look-back)."""
    asked: dict[str, Leaf] = {}
    for node in when.descend():
        if isinstance(node, Leaf):
            asked.setdefault(node.fact, node)
    return tuple(asked.get(fact) or _plain(fact, rule, compiler) for fact in rule.about)


def _plain(fact: str, rule: Rule, compiler: Compiler) -> Leaf:
    leaf = compiler.condition({"fact": fact, "op": "present"}, f"{rule.id}: about")
    assert isinstance(leaf, Present)
    return leaf
