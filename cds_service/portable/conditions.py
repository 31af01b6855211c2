"""Conditions as ELM: three values, NO < UNKNOWN < YES, as CQL's own false, null and true."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cds_service.portable.elm import (
    FALSE,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_of,
    cases,
    certainly,
    exists,
    given,
    negated,
    number,
    op,
    prop,
    query,
    ref,
    text,
    texts,
    when,
)
from cds_service.portable.results import analyte_of, flag_of
from cds_service.portable.writer import Asked, Writer
from cds_service.units.table import fold

Json = Any
_OPERATORS = {"lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"}
_LOW = ("L", "LL", "LU", "<")
_OTHER = ("N", "H", "HH", "HU", ">")
_MEASURED = ("quantity", "number")


class Conditions:
    """Writes conditions. `fact` writes the expressions of a fact when one asks for it."""

    def __init__(
        self,
        writer: Writer,
        fact: Callable[[Asked], None],
        library: str,
        definition: Callable[[str], None],
    ) -> None:
        self._writer = writer
        self._fact = fact
        self._library = library  # "" within the library of the facts
        self._definition = definition

    def within(self, library: str) -> "Conditions":
        """The same for another library, which calls that of the facts by this name."""
        return Conditions(self._writer, self._fact, library, self._definition)

    def write(self, source: Json) -> Node:
        """The truth of a condition."""
        if "all" in source:
            return all_of([self.write(part) for part in source["all"]])
        if "any" in source:
            return any_of([self.write(part) for part in source["any"]])
        if "not" in source:
            return negated(self.write(source["not"]))
        if "certainly" in source:
            return certainly(self.write(source["certainly"]))
        if "fact" in source:
            return self._leaf(source)
        if "setting" in source:
            wanted = source.get("is", True)
            return TRUE if self._writer.pack.settings[source["setting"]].value is wanted else FALSE
        self._definition(source["is"])
        return ref(source["is"], self._library)

    def _leaf(self, source: Mapping[str, Json]) -> Node:
        asked = self._writer.ask(source)
        self._fact(asked)
        kind, operator = asked.definition.kind, source["op"]
        if operator in ("present", "absent"):
            present = self._present(asked, kind)
            return present if operator == "present" else negated(present)
        if operator == "in":
            return self._one_of(asked, source)
        if kind == "number":
            return op(
                _OPERATORS[operator], self._ref(asked.name), number(self._limit(asked, source))
            )
        return self._measured(asked, source, operator)

    def _ref(self, name: str) -> Node:
        return ref(name, self._library)

    def _present(self, asked: Asked, kind: str) -> Node:
        if kind == "code":
            return self._ref(f"{asked.name} present")
        if kind == "number":
            return when(given(self._ref(asked.name)), TRUE, UNKNOWN)
        return self._ref(f"{asked.name} present" if kind in _MEASURED else asked.name)

    def _one_of(self, asked: Asked, source: Mapping[str, Json]) -> Node:
        values = source["value"]
        wanted = texts([values] if isinstance(values, str) else values)
        inside = exists(query(self._ref(asked.name), "V", op("In", alias("V"), wanted)))
        present = self._ref(f"{asked.name} present")
        return cases([(op("IsTrue", present), inside)], present)

    def _measured(self, asked: Asked, source: Mapping[str, Json], operator: str) -> Node:
        """A comparison: of the deciding value, else unknown where something is unclear."""
        item = self._ref(asked.name)
        limit = self._limit(asked, source) if {"setting", "value"} & set(source) else None
        known = self._weighed(item, operator, limit)
        unclear = self._ref(f"{asked.name} unclear")
        return cases([(given(item), known), (unclear, UNKNOWN)], FALSE)

    def _weighed(self, item: Node, operator: str, limit: Decimal | None) -> Node:
        if operator in _OPERATORS:
            assert limit is not None
            return compared(item, operator, number(limit))
        flag, own = flag_of(item), number(limit) if limit is not None else None
        if operator == "low":
            by_range = compared(item, "lt", prop(item, "low"))
            by_setting = compared(item, "lt", own) if own else UNKNOWN
            otherwise = when(given(prop(item, "low")), by_range, by_setting)
            return cases(
                [(op("In", flag, texts(_LOW)), TRUE), (op("In", flag, texts(_OTHER)), FALSE)],
                otherwise,
            )
        if own is None:
            return when(op("Equal", flag, text("LL")), TRUE, FALSE)
        return cases(
            [(op("Equal", flag, text("LL")), TRUE), (given(flag), FALSE)], compared(item, "lt", own)
        )

    def _limit(self, asked: Asked, source: Mapping[str, Json]) -> Decimal:
        """The threshold in the fact's unit."""
        if "setting" in source:
            setting = self._writer.pack.settings[source["setting"]]
            value, unit = Decimal(setting.value), setting.unit
        else:
            value, unit = Decimal(str(source["value"])), source.get("unit", "")
        definition = asked.definition
        if not definition.unit or unit == definition.unit:
            return value
        table = self._writer.pack.terminology.units.get(analyte_of(definition))
        assert table is not None  # `cds rules check` refuses such a condition
        given_unit, own = table.factors[fold(unit)], table.factors[fold(definition.unit)]
        canonical = value * given_unit.times / given_unit.divided_by
        return canonical * own.divided_by / own.times


def compared(item: Node, operator: str, limit: Node) -> Node:
    """Whether every value that a result may stand for satisfies the comparison: "<5" is a range."""
    value, comparator = prop(item, "number"), prop(item, "comparator")
    upper = op("In", comparator, texts(("<", "<=")))
    lower = op("In", comparator, texts((">", ">=")))
    plain = op(_OPERATORS[operator], value, limit)
    below = operator in ("lt", "le")
    inside, outside = _whole_range(operator, value, comparator, limit)
    yes, no = (inside, outside) if below else (outside, inside)
    first = when(yes, TRUE, UNKNOWN), when(no, FALSE, UNKNOWN)
    ranges = (
        [(upper, first[0]), (lower, first[1])] if below else [(lower, first[0]), (upper, first[1])]
    )
    return cases(ranges, plain)


def _whole_range(operator: str, value: Node, comparator: Node, limit: Node) -> tuple[Node, Node]:
    """Whether all below an upper bound lies below the limit, and all above a lower one above it.

    "Below" includes the limit for `le` and `gt`, and does not for `lt` and `ge`.
    """
    on, included = op("Equal", value, limit), operator in ("le", "gt")
    open_upper, open_lower = (op("Equal", comparator, text(sign)) for sign in ("<", ">"))
    upper_on = on if included else all_of([on, open_upper])
    lower_on = all_of([on, open_lower]) if included else on
    inside = op("Or", op("Less", value, limit), upper_on)
    outside = op("Or", op("Greater", value, limit), lower_on)
    return inside, outside
