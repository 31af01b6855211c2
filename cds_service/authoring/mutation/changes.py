"""Small changes to rules and definitions, each of which some test should notice.

A change stands for a slip of the pen: `lt` for `le`, a threshold or look-back off by a step, `any`
for `all`, an `unless` lost, a status filter widened. Everything happens in memory.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import structs

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.definitions import DraftDrug, Drug, FactDefinition, Problem, Quantity, Status
from cds_service.rules.durations import days_of
from cds_service.rules.model import Pack, Rule, Setting
from cds_service.rules.syntax import JOINERS, WRAPPERS, parts_of
from cds_service.ruletests.sketch_values import Json

Put = Callable[[Json], Json]  # puts a changed part into the whole condition
Build = Callable[[Json], Callable[[Pack], Pack]]  # puts a changed condition into a pack

_NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "lt": ("le",),
    "le": ("lt",),
    "gt": ("ge",),
    "ge": ("gt",),
    "present": ("absent",),
    "absent": ("present",),
    "low": ("critical-low",),
    "critical-low": ("low",),
}
_COMPARED = frozenset({"lt", "le", "gt", "ge", "low", "critical-low"})


@dataclass(frozen=True)
class Mutant:
    """One change: of what (a rule's id, a definition's name), where, and the pack it makes."""

    subject: str
    path: str  # "when.all[1]", "definitions.rls", "facts.json problem.rls"
    change: str  # "lt -> le"
    apply: Callable[[Pack], Pack] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.subject} {self.path}: {self.change}"


def rule_mutants(rule: Rule, pack: Pack) -> Iterator[Mutant]:
    """All changes to a rule of the pack, and to the filters of the facts that it names."""
    maker = _Maker(rule.id, pack)
    yield from maker.condition(
        rule.when, "when", lambda condition: _in_rule(rule.id, when=condition)
    )
    if rule.unless is not None:
        yield Mutant(rule.id, "unless", "dropped", _in_rule(rule.id, unless=None))
        yield from maker.condition(
            rule.unless, "unless", lambda condition: _in_rule(rule.id, unless=condition)
        )
        yield from _lost_parts(rule.id, rule.unless)
    for index, variant in enumerate(rule.variants):
        build = _variant_builder(rule, index)
        yield from maker.condition(variant["when"], f"variants[{index}].when", build)
    conditions = [rule.when, *([rule.unless] if rule.unless else [])]
    yield from _fact_mutants(rule.id, conditions, pack)


def definition_mutants(name: str, pack: Pack) -> Iterator[Mutant]:
    """All changes to a definition of the pack."""

    def build(definition: Json) -> Callable[[Pack], Pack]:
        return lambda old: dataclasses.replace(
            old, definitions={**old.definitions, name: definition}
        )

    path = f"definitions.{name}"
    yield from _Maker(name, pack).condition(pack.definitions[name], path, build)


def fact_mutants(name: str, pack: Pack) -> Iterator[Mutant]:
    """All changes to what a fact of the pack lets through."""
    for change, fact in _lost_limits(pack.catalogue.facts[name]):
        yield Mutant(name, f"facts.json {name}", change, _in_catalogue(name, fact))
    yield from _changed_facts(name, [name], pack)


def _in_rule(rule_id: str, **changes: Json) -> Callable[[Pack], Pack]:
    def apply(pack: Pack) -> Pack:
        rules = tuple(
            dataclasses.replace(rule, **changes) if rule.id == rule_id else rule
            for rule in pack.rules
        )
        return dataclasses.replace(pack, rules=rules)

    return apply


def _variant_builder(rule: Rule, index: int) -> Build:
    def build(condition: Json) -> Callable[[Pack], Pack]:
        variants = list(rule.variants)
        variants[index] = {**variants[index], "when": condition}
        return _in_rule(rule.id, variants=tuple(variants))

    return build


def _lost_parts(rule_id: str, unless: Json) -> Iterator[Mutant]:
    """The `unless` without one of its alternatives."""
    parts = unless.get("any", ())
    for index in range(len(parts) if len(parts) > 1 else 0):
        rest = [*parts[:index], *parts[index + 1 :]]
        apply = _in_rule(rule_id, unless={**unless, "any": rest})
        yield Mutant(rule_id, f"unless.any[{index}]", "dropped", apply)


class _Maker:
    """Makes the changes to one condition and to all its parts."""

    def __init__(self, subject: str, pack: Pack) -> None:
        self._subject = subject
        self._pack = pack
        self._settings: dict[str, Setting] = {}  # moved thresholds, under names of their own

    def condition(
        self, node: Json, path: str, build: Build, put: Put = lambda part: part
    ) -> Iterator[Mutant]:
        """Changes to a part of a condition, which `put` makes whole and `build` brings in."""
        for change, changed in self._changes(node):
            apply = self._with_settings(build(put(changed)))
            yield Mutant(self._subject, path, change, apply)
        for key in JOINERS:
            for index, part in enumerate(node.get(key, ())):
                inside = _put_part(node, key, index, put)
                yield from self.condition(part, f"{path}.{key}[{index}]", build, inside)
        for key in WRAPPERS:
            if key in node:
                inside = _put_inner(node, key, put)
                yield from self.condition(node[key], f"{path}.{key}", build, inside)

    def _with_settings(self, apply: Callable[[Pack], Pack]) -> Callable[[Pack], Pack]:
        def both(pack: Pack) -> Pack:
            changed = apply(pack)
            return dataclasses.replace(changed, settings={**pack.settings, **self._settings})

        return both

    def _changes(self, node: Json) -> Iterator[tuple[str, Json]]:
        parts = parts_of(node)
        for key, other in (("all", "any"), ("any", "all")):
            if key in node and len(parts) > 1:
                yield f"{key} -> {other}", {other: parts}
        for key in WRAPPERS:
            if key in node:
                yield f"{key} dropped", parts[0]
        if "fact" in node:
            yield from self._leaf_changes(node)
        elif "setting" in node:
            yield f"is {node['is']} -> {not node['is']}".lower(), {**node, "is": not node["is"]}

    def _leaf_changes(self, leaf: Json) -> Iterator[tuple[str, Json]]:
        for op in _NEIGHBOURS.get(leaf["op"], ()):
            yield f"{leaf['op']} -> {op}", {**leaf, "op": op}
        if leaf["op"] in _COMPARED:
            yield from self._threshold_changes(leaf)
        yield from self._look_back_changes(leaf)

    def _threshold_changes(self, leaf: Json) -> Iterator[tuple[str, Json]]:
        if "setting" in leaf:
            setting = self._pack.settings[leaf["setting"]]
            if isinstance(setting.value, Decimal):
                step = setting.step or _last_digit(setting.value)
                for moved in (setting.value - step, setting.value + step):
                    name = f"{setting.name}={moved}"
                    self._settings[name] = dataclasses.replace(setting, name=name, value=moved)
                    yield f"{setting.name} {setting.value} -> {moved}", {**leaf, "setting": name}
        elif "value" in leaf:
            value = Decimal(str(leaf["value"]))
            for moved in (value - _last_digit(value), value + _last_digit(value)):
                yield f"value {value} -> {moved}", {**leaf, "value": moved}

    def _look_back_changes(self, leaf: Json) -> Iterator[tuple[str, Json]]:
        definition = self._pack.catalogue.facts[leaf["fact"]]
        named = leaf.get("within")
        if named is None and isinstance(definition, Quantity):
            named = definition.lookback
        if not named:
            return
        days = self._days(named)
        for moved in (days - 1, days + 1):
            yield f"within {named} ({days} days) -> {moved}", {**leaf, "within": f"P{moved}D"}
        if "within" in leaf:
            yield f"within {named} dropped", {k: v for k, v in leaf.items() if k != "within"}

    def _days(self, named: str) -> int:
        if named in self._pack.settings:
            return int(self._pack.settings[named].value)
        return days_of(named)


def _put_part(node: Json, key: str, index: int, put: Put) -> Put:
    def inside(part: Json) -> Json:
        return put({**node, key: [part if n == index else old for n, old in enumerate(node[key])]})

    return inside


def _put_inner(node: Json, key: str, put: Put) -> Put:
    return lambda inner: put({**node, key: inner})


def _last_digit(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) and exponent < 0 else Decimal(1)


def _fact_mutants(subject: str, conditions: Iterable[Json], pack: Pack) -> Iterator[Mutant]:
    """Changes to the filters of the facts that the conditions themselves name."""
    yield from _changed_facts(subject, dict.fromkeys(_facts_of(conditions)), pack)


def _changed_facts(subject: str, names: Iterable[str], pack: Pack) -> Iterator[Mutant]:
    for name in names:
        for change, fact in _filter_changes(pack.catalogue.facts[name]):
            yield Mutant(subject, f"facts.json {name}", change, _in_catalogue(name, fact))


def _in_catalogue(name: str, fact: FactDefinition) -> Callable[[Pack], Pack]:
    def apply(pack: Pack) -> Pack:
        return dataclasses.replace(pack, catalogue=Catalogue({**pack.catalogue.facts, name: fact}))

    return apply


def _facts_of(conditions: Iterable[Json]) -> Iterator[str]:
    waiting = list(conditions)
    while waiting:
        node = waiting.pop(0)
        if "fact" in node:
            yield node["fact"]
        waiting += parts_of(node)


def _filter_changes(fact: FactDefinition) -> Iterator[tuple[str, FactDefinition]]:
    if isinstance(fact, Problem):
        statuses: tuple[Status, ...] = ("confirmed", "suspected", "refuted")
        for status in statuses:
            changed = fact.verification ^ {status}
            if changed:
                word = "dropped" if status in fact.verification else "added"
                yield f"verification {status} {word}", structs.replace(fact, verification=changed)
        other = "any" if fact.clinical == "active" else "active"
        yield f"clinical {fact.clinical} -> {other}", structs.replace(fact, clinical=other)
    if isinstance(fact, Drug | DraftDrug):
        other = "any" if fact.routes == "systemic" else "systemic"
        yield f"routes {fact.routes} -> {other}", structs.replace(fact, routes=other)


def _lost_limits(fact: FactDefinition) -> Iterator[tuple[str, FactDefinition]]:
    """The fact without one of its limits, and with another of several results."""
    without = functools.partial(structs.replace, fact)
    if fact.cleared_by:
        yield "clearedBy dropped", without(cleared_by="")
    if isinstance(fact, Drug | DraftDrug) and fact.max_strength:
        yield "maxStrength dropped", without(max_strength=None)
    if isinstance(fact, Drug) and fact.given_within:
        yield "givenWithin dropped", without(given_within="")
    if isinstance(fact, Problem):
        yield from _lost_limits_of_problem(fact)
    if isinstance(fact, Quantity):
        other = "lowest" if fact.pick == "highest" else "highest"
        yield f"pick {fact.pick} -> {other}", without(pick=other)


def _lost_limits_of_problem(fact: Problem) -> Iterator[tuple[str, FactDefinition]]:
    without = functools.partial(structs.replace, fact)
    if fact.encounter_lookback:
        yield "encounterLookback dropped", without(encounter_lookback="")
    if fact.not_body_site or fact.not_body_site_words:
        yield "notBodySite dropped", without(not_body_site="", not_body_site_words=())
    if fact.by_words:
        yield "byWords dropped", without(by_words=None)
