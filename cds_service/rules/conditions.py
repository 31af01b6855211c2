"""Compiles condition JSON (docs/rule-format.md, Conditions) to nodes, once per pack.

Conditions that say the same become the same node, so that each is judged once per evaluation.
Wrong JSON is a ValueError that names the place; `packs` reports such things more kindly before.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.model import Truth
from cds_service.rules.leaves import Absent, CodeIn, Compare, CriticalLow, Leaf, Low, Present
from cds_service.rules.logic import COMPARISONS
from cds_service.rules.model import Setting
from cds_service.rules.nodes import All, AnyOf, Certainly, Json, Node, Not, Reference, Switch
from cds_service.units.convert import UnitUnknown, convert_to
from cds_service.units.table import UnitTables

_Made = TypeVar("_Made", bound=Node)


class Compiler:
    """Makes nodes for one pack: its catalogue, settings, definitions and unit tables."""

    def __init__(
        self,
        catalogue: Catalogue,
        settings: Mapping[str, Setting],
        definitions: Mapping[str, Json],
        units: UnitTables,
    ) -> None:
        self._units = units
        self._catalogue = catalogue
        self._settings = settings
        self._definitions = definitions
        self._nodes: dict[object, Node] = {}
        self._references: dict[str, Reference] = {}
        self._open: list[str] = []  # definitions being compiled, to find cycles

    def condition(self, source: Json, where: str) -> Node:
        """The node of a condition. `where` is its place in the rule file, for errors."""
        if not isinstance(source, Mapping):
            raise ValueError(f"{where}: a condition is an object")
        if "all" in source:
            return self._group(All, source, "all", where)
        if "any" in source:
            return self._group(AnyOf, source, "any", where)
        if "not" in source:
            return self._wrap(Not, source, "not", where)
        if "certainly" in source:
            return self._wrap(Certainly, source, "certainly", where)
        if "setting" in source and "fact" not in source:
            return self._switch(source, where)
        if "fact" in source:
            return self._leaf(source, where)
        if "is" in source:
            return self.definition(source["is"], where)
        raise ValueError(f"{where}: neither a fact nor all, any, not, certainly, is or setting")

    def definition(self, name: str, where: str) -> Reference:
        """The node of a named definition."""
        if name in self._references:
            return self._references[name]
        if name not in self._definitions:
            raise ValueError(f"{where}: no definition '{name}'")
        if name in self._open:
            raise ValueError(f"definitions refer in a circle: {' > '.join([*self._open, name])}")
        self._open.append(name)
        # The title is the reference's: below it a trace shows what the definition says.
        untitled = {k: v for k, v in self._definitions[name].items() if k != "title"}
        inner = self.condition(untitled, f"definitions.{name}")
        self._open.pop()
        self._references[name] = Reference(name, inner)
        return self._references[name]

    def _shared(self, key: object, make: Callable[[], _Made]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make()
        return node

    def _group(self, kind: type[All] | type[AnyOf], source: Json, key: str, where: str) -> Node:
        parts = tuple(
            self.condition(part, f"{where}.{key}[{index}]")
            for index, part in enumerate(source[key])
        )
        if not parts:
            raise ValueError(f"{where}: '{key}' needs at least one part")
        return self._shared((key, parts, source.get("title")), lambda: kind(source, parts))

    def _wrap(self, kind: type[Not] | type[Certainly], source: Json, key: str, where: str) -> Node:
        part = self.condition(source[key], f"{where}.{key}")
        return self._shared((key, part, source.get("title")), lambda: kind(source, (part,)))

    def _switch(self, source: Json, where: str) -> Node:
        value, wanted = self._setting(source["setting"], where).value, source.get("is", True)
        if not isinstance(value, bool) or not isinstance(wanted, bool):
            raise ValueError(f"{where}: '{source['setting']}' is not a switch")
        return Switch(source, Truth.YES if value is wanted else Truth.NO)

    def _leaf(self, source: Json, where: str) -> Node:
        fact = source["fact"]
        if fact not in self._catalogue.facts:
            raise ValueError(f"{where}: no fact '{fact}' in the catalogue")
        key = tuple(sorted((k, str(v)) for k, v in source.items() if k != "note"))
        return self._shared(key, lambda: self._make_leaf(source, fact, where))

    def _make_leaf(self, source: Json, fact: str, where: str) -> Leaf:
        op = source.get("op")
        within, undated = source.get("within"), source.get("undated")
        if op == "present":
            return Present(source, fact, within, undated)
        if op == "absent":
            return Absent(source, fact, within, undated)
        if op == "in":
            return CodeIn(source, fact, within, undated, _codes(source, where))
        if op in ("low", "critical-low"):
            limit = self._threshold(source, fact, where) if "setting" in source else None
            return (Low if op == "low" else CriticalLow)(source, fact, within, undated, limit)
        if op in COMPARISONS:
            limit = self._threshold(source, fact, where)
            return Compare(source, fact, within, undated, op=op, threshold=limit)
        raise ValueError(f"{where}: no operator '{op}'")

    def _threshold(self, source: Json, fact: str, where: str) -> Decimal:
        """The threshold of a leaf in the unit of its fact."""
        if "setting" in source:
            setting = self._setting(source["setting"], where)
            value, unit = setting.value, setting.unit
        elif "value" in source:
            value, unit = source["value"], source.get("unit", "")
        else:
            raise ValueError(f"{where}: '{source['op']}' needs a setting or a value")
        if isinstance(value, bool | str):
            raise ValueError(f"{where}: the threshold is not a number")
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        return self._in_own_unit(number, unit, fact, where)

    def _in_own_unit(self, number: Decimal, unit: str, fact: str, where: str) -> Decimal:
        definition = self._catalogue.facts[fact]
        if not definition.unit or unit == definition.unit:
            return number
        analyte = definition.unit_table
        converted = convert_to(definition.unit, number, unit, None, analyte, tables=self._units)
        if isinstance(converted, UnitUnknown):
            raise ValueError(f"{where}: unit '{unit}' cannot be converted to '{definition.unit}'")
        return converted

    def _setting(self, name: str, where: str) -> Setting:
        if name not in self._settings:
            raise ValueError(f"{where}: no setting '{name}'")
        return self._settings[name]


def _codes(source: Json, where: str) -> frozenset[str]:
    value = source.get("value")
    codes = [value] if isinstance(value, str) else value
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ValueError(f"{where}: 'in' needs a list of codes")
    return frozenset(codes)
