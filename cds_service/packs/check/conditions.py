"""Checks of conditions: facts, operators, units, settings and definitions that they name."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check.walk import (
    COMPARISONS,
    FLAGGED,
    MAX_CHAIN,
    MAX_DEPTH,
    Node,
    Root,
    all_roots,
    walk,
)
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, seq, word
from cds_service.rules.syntax import sort_of
from cds_service.units.convert import UnitUnknown, convert_to

Json = Any

_ANY_KIND = ("present", "absent")
OPS: Mapping[str, tuple[str, ...]] = {
    "quantity": (*_ANY_KIND, "lt", "le", "gt", "ge", "low", "critical-low"),
    "number": (*_ANY_KIND, "lt", "le", "gt", "ge"),
    "code": (*_ANY_KIND, "in"),
}
ALL_OPS = COMPARISONS | FLAGGED | {"present", "absent", "in"}
UNDATED_KINDS = frozenset({"draft-drug", "draft-order", "code", "number", "flag"})
DRAFT_KINDS = frozenset({"draft-drug", "draft-order"})


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every condition in the pack."""
    for root in all_roots(source):
        for node in walk(root):
            if node.depth > MAX_DEPTH:
                message = f"Conditions may be {MAX_DEPTH} deep; this is deeper."
                hint = "Give a part of it a name in definitions.json."
                yield _at(node, (), "R209", message, hint)
                break
            yield from _node(source, node)
    yield from _circles(source)


def _node(source: PackSource, node: Node) -> Iterator[Problem]:
    match sort_of(node.data):
        case "fact":
            yield from _leaf(source, node)
        case "setting":
            yield from _switch(source, node)
        case "is" if (name := word(node.data["is"])) and name not in source.definitions:
            hint = did_you_mean(name, source.definitions)
            yield _at(node, ("is",), "R207", f"There is no definition '{name}'.", hint)


def sound(source: PackSource, condition: Root) -> bool:
    """Whether a condition names only what there is, so that its guarantees can be judged."""
    return not any(True for node in walk(condition) for _ in _faults(source, node))


def _faults(source: PackSource, node: Node) -> Iterator[object]:
    if not sort_of(node.data) or (
        sort_of(node.data) == "fact" and word(node.data.get("op")) not in ALL_OPS
    ):
        yield node
    yield from _node(source, node)


def _leaf(source: PackSource, node: Node) -> Iterator[Problem]:
    name = word(node.data["fact"])
    entry = source.facts.get(name)
    if entry is None:
        if name:
            hint = did_you_mean(name, source.facts)
            yield _at(node, ("fact",), "F301", f"There is no fact '{name}' in facts.json.", hint)
        return
    fact = obj(entry.data)
    sort, op = word(fact.get("kind")), word(node.data.get("op"))
    allowed = OPS.get(sort, _ANY_KIND)
    if op in ALL_OPS and op not in allowed:
        message = f"'{op}' does not work on '{name}', which is of kind {sort}."
        yield _at(node, ("op",), "F302", message, f"Allowed: {', '.join(allowed)}.")
    elif op in COMPARISONS | FLAGGED:
        yield from _threshold(source, node, name, fact, op)
    elif op in ALL_OPS:
        yield from _no_threshold(node, op)
    yield from _within(source, node, name, sort)
    yield from _draft(node, name, sort)


def _threshold(
    source: PackSource, node: Node, name: str, fact: Mapping[str, Json], op: str
) -> Iterator[Problem]:
    data, own = node.data, _unit(fact)
    if "setting" in data and "value" in data:
        yield _at(
            node, ("value",), "F303", "'value' and 'setting' exclude each other.", "Keep 'setting'."
        )
    elif "setting" in data:
        yield from _number_setting(source, node, "setting", fact)
        if "unit" in data:
            yield _at(node, ("unit",), "F303", "A setting carries its own unit.", "Remove 'unit'.")
    elif "value" not in data:
        if op in COMPARISONS:
            yield _at(node, (), "F303", f"'{op}' needs a 'setting', or a 'value' with its 'unit'.")
    elif isinstance(data["value"], bool) or not isinstance(data["value"], int | Decimal):
        yield _at(node, ("value",), "F303", f"'{op}' needs a number.")
    elif "unit" not in data:
        if own:
            message = "The number needs its 'unit'."
            yield _at(node, ("value",), "F303", message, f"'{name}' is in {own}.")
    elif not convertible(source, word(data["unit"]), fact):
        message = f"'{word(data['unit'])}' can't be converted to {own or 'a bare number'}."
        yield _at(node, ("unit",), "F304", message, f"'{name}' is in {own}.")
    elif word(data["unit"]) == own:
        yield from _implausible(node, name, fact)


def _implausible(node: Node, name: str, fact: Mapping[str, Json]) -> Iterator[Problem]:
    """A threshold that every value lies on one side of."""
    bounds, value = obj(fact.get("plausible")), node.data["value"]
    low, high = bounds.get("above", bounds.get("atLeast")), bounds.get("atMost")
    too_low = isinstance(low, int | Decimal) and value < low
    if too_low or (isinstance(high, int | Decimal) and value > high):
        message = f"{value} is outside what is plausible for '{name}' ({low} to {high})."
        yield _at(node, ("value",), "F308", message, "Look at the unit and at the digits.")


def _no_threshold(node: Node, op: str) -> Iterator[Problem]:
    for key in ("setting", "unit", "value"):
        if key in node.data and not (op == "in" and key == "value"):
            yield _at(
                node, (key,), "F303", f"'{op}' takes no '{key}'.", f"Remove '{key}'.", key=True
            )
    if op == "in" and not (word(node.data.get("value")) or seq(node.data.get("value"))):
        yield _at(node, (), "F303", "'in' needs codes in 'value'.")


def _within(source: PackSource, node: Node, name: str, sort: str) -> Iterator[Problem]:
    if "within" not in node.data:
        return
    within = word(node.data["within"])
    if sort in UNDATED_KINDS:
        message = f"'within' has no meaning for '{name}', which is of kind {sort}."
        yield _at(node, ("within",), "F312", message, key=True)
    elif within and not within.startswith("P"):
        yield from _number_setting(source, node, "within", {"unit": "d"})


def _draft(node: Node, name: str, sort: str) -> Iterator[Problem]:
    rule = node.root.rule
    if rule and sort in DRAFT_KINDS and seq(rule.data.get("hooks")) == ["patient-view"]:
        message = f"'{name}' reads the order being picked; patient-view has none."
        yield _at(node, ("fact",), "F315", message, "Such a rule needs an order hook.")


def _switch(source: PackSource, node: Node) -> Iterator[Problem]:
    name = word(node.data["setting"])
    setting = source.named("settings").get(name)
    if setting is None:
        yield from _no_setting(source, node, "setting", name)
    elif not isinstance(obj(setting).get("value"), bool):
        yield _at(node, ("setting",), "F307", f"'{name}' is not a switch.")


def _number_setting(
    source: PackSource, node: Node, key: str, fact: Mapping[str, Json]
) -> Iterator[Problem]:
    name = word(node.data[key])
    setting = source.named("settings").get(name)
    if setting is None:
        yield from _no_setting(source, node, key, name)
        return
    value, own = obj(setting).get("value"), word(obj(setting).get("unit"))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        yield _at(node, (key,), "F307", f"'{name}' is not a number.")
    elif not convertible(source, own, fact):
        message = f"'{name}' is in {own or 'no unit'}, which can't be converted to {_unit(fact)}."
        yield _at(node, (key,), "F304", message)


def _no_setting(source: PackSource, node: Node, key: str, name: str) -> Iterator[Problem]:
    if name:
        hint = did_you_mean(name, source.named("settings"))
        yield _at(node, (key,), "F306", f"There is no setting '{name}' in pack.json.", hint)


def _unit(fact: Mapping[str, Json]) -> str:
    return word(fact.get("unit")) or ("a" if fact.get("kind") == "number" else "")


def convertible(source: PackSource, unit: str, fact: Mapping[str, Json]) -> bool:
    """Whether a threshold in a unit can be compared with the values of a fact."""
    own = _unit(fact)
    if unit == own or not own:
        return True
    sets = (fact.get("analyte"), fact.get("valueSet"), *seq(fact.get("valueSets")))
    analyte = next(filter(None, map(word, sets)), "")  # as FactDefinition.unit_table
    tables = source.terminology.units
    own_in_unit = convert_to(own, Decimal(1), unit, None, analyte, tables=tables)
    return not isinstance(own_in_unit, UnitUnknown)


def _circles(source: PackSource) -> Iterator[Problem]:
    """Definitions that lead back to themselves, each circle once."""
    names = source.definitions
    edges = {
        name: [
            (node, word(node.data["is"]))
            for node in walk(Root(entry.document, entry.path, entry.data))
            if sort_of(node.data) == "is"
        ]
        for name, entry in names.items()
    }
    done: set[str] = set()
    for start in names:
        yield from _circle_from(start, edges, done)


def _circle_from(
    start: str, edges: Mapping[str, list[tuple[Node, str]]], done: set[str]
) -> Iterator[Problem]:
    trail: list[str] = []

    def visit(name: str) -> Iterator[Problem]:
        if name in done or name not in edges:
            return
        trail.append(name)
        for node, target in edges[name]:
            if len(trail) >= MAX_CHAIN:
                message = f"Definitions lead through more than {MAX_CHAIN} others."
                yield _at(node, ("is",), "R208", message)
            elif target in trail:
                circle = " > ".join([*trail[trail.index(target) :], target])
                yield _at(node, ("is",), "R208", f"Definitions lead in a circle: {circle}.")
            else:
                yield from visit(target)
        trail.pop()
        done.add(name)

    yield from visit(start)


def _at(
    node: Node,
    inner: tuple[str, ...],
    code: str,
    message: str,
    hint: str = "",
    *,
    key: bool = False,
) -> Problem:
    path = (*node.path, *inner)
    return node.root.document.problem(path, code, message, hint, key=key)
