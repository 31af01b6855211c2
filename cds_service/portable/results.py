"""Measured values as ELM: which result counts, its value in the fact's unit, and what is unclear.

A quantity fact becomes several expressions: "F results" (the results that concern it, each with
its value), "F" (the deciding one), "F unclear" (results are on file that cannot be used) and
"F present".
"""

from collections.abc import Iterable
from decimal import Decimal

from cds_service.facts.definition_parts import Range
from cds_service.facts.definitions import Quantity
from cds_service.portable import units
from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_in,
    any_of,
    call,
    cases,
    define,
    exists,
    function,
    gather,
    given,
    missing,
    negated,
    number,
    of,
    op,
    operand,
    prop,
    query,
    ref,
    text,
    texts,
    tuple_of,
    when,
)
from cds_service.portable.names import names_of
from cds_service.portable.reading_codes import is_in, or_empty, replaced
from cds_service.portable.supply import READING, gaps
from cds_service.portable.writer import Asked, Writer, entries, limit
from cds_service.rules.model import Pack
from cds_service.terminology.word_lists import words_of
from cds_service.units.convert import canonical_unit
from cds_service.units.table import alone, fold

USABLE = ("final", "amended", "corrected")
PRELIMINARY = ("preliminary", "registered")
RETRACTED = ("entered-in-error", "cancelled")
UNDERSTOOD = (*USABLE, *PRELIMINARY, *RETRACTED)
COMPARATORS = ("<", "<=", ">", ">=")
RATIO = "{ratio}"
_FLAGS = ("LL", "HH", "L", "H", "LU", "HU", "<", ">", "N")
_PLACES = 8  # decimal places of ELM's decimals


def analyte_of(definition: Quantity) -> str:
    """The unit table of a fact."""
    return definition.unit_table


class Quantities:
    """Writes quantity facts; the functions on units that they need are written once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._written: set[str] = set()

    @property
    def pack(self) -> Pack:
        """The pack that is written."""
        return self._writer.pack

    def statements(self, asked: Asked) -> list[Node]:
        """The expressions of a fact that is measured as such."""
        name = asked.name
        return [
            *self._units(asked.definition),
            *self._value(asked.definition),
            define(f"{name} results", self._results(asked)),
            define(f"{name} usable", query(ref(f"{name} results"), "R", of("R", "usable"))),
            define(f"{name} coded", _deciding(asked)),
            define(f"{name} unread", self._unread(asked)),
            define(name, when(exists(ref(f"{name} unread")), NULL, ref(f"{name} coded"))),
            define(f"{name} unclear", _unclear(asked)),
            define(f"{name} present", _present(asked)),
        ]

    def _units(self, definition: Quantity) -> list[Node]:
        analyte = analyte_of(definition)
        if analyte in self._written:
            return []
        table = self._writer.pack.terminology.units.get(analyte) or alone(definition.unit)
        self._written.add(analyte)
        return units.statements(analyte, units.factors_of(table))

    def _value(self, definition: Quantity) -> list[Node]:
        """The function that gives a number in the fact's unit, null where it has none."""
        return (
            [
                function(
                    f"{definition.name} in unit",
                    ["value", "code", "unit"],
                    self._converted(definition),
                )
            ]
            if self._first(f"{definition.name} in unit")
            else []
        )

    def _first(self, name: str) -> bool:
        first = name not in self._written
        self._written.add(name)
        return first

    def _converted(self, definition: Quantity) -> Node:
        value, code, unit = operand("value"), operand("code"), operand("unit")
        analyte = analyte_of(definition)
        by_code = self._by_factor(definition, value, code)
        by_unit = self._by_factor(definition, value, unit)
        known = [call(f"{analyte} times", spelling) for spelling in (code, unit)]
        differ = all_of(
            [given(known[0]), given(known[1]), negated(units.same(analyte, "code", "unit"))]
        )
        without = _unitless(definition, value)
        none = all_of([op("Equal", code, text("")), op("Equal", unit, text(""))])
        return cases([(none, without), (differ, NULL), (given(known[0]), by_code)], by_unit)

    def _by_factor(self, definition: Quantity, value: Node, unit: Node) -> Node:
        analyte = analyte_of(definition)
        times, divisor = (call(f"{analyte} {way}", unit) for way in ("times", "divided by"))
        canonical = op("Divide", op("Multiply", value, times), divisor)
        tables = self._writer.pack.terminology.units
        table = tables.get(analyte)
        if table is not None and canonical_unit(analyte, tables) != definition.unit:
            if fold(definition.unit) not in table.factors:
                return NULL
            canonical = units.in_unit(canonical, definition.unit, units.factors_of(table))
        return rounded(canonical, _PLACES)

    def _results(self, asked: Asked) -> Node:
        """The results that concern the fact, inside its look-back or without a usable date."""
        definition = asked.definition
        coded = self._writer.sets.holds("R", definition.value_sets)
        named = query(entries("Results"), "R", all_of([negated(of("R", "disputed")), coded]))
        fits = query(named, "R", self._concerns(asked))
        valued = query(fits, "R", give=self._valued(definition))
        readable = any_of([given(of("V", "number")), of("V", "fault")])
        return query(query(valued, "V", readable), "V", give=_judged())

    def _concerns(self, asked: Asked) -> Node:
        status = of("R", "status")
        known = is_in(status, (*USABLE, *PRELIMINARY))
        age = of("R", "age")
        inside = call("Inside", age, limit(asked.days), library=READING)
        return all_of(
            [
                known,
                op("Or", missing(age), inside),
                right_state(self._writer, asked.definition, "R"),
            ]
        )

    def _valued(self, definition: Quantity) -> Node:
        quantity = of("R", "quantity")
        value = op("Coalesce", prop(quantity, "value.value"), op("ToDecimal", of("R", "integer")))
        code = units.folded(prop(quantity, "code.value"))
        unit = units.folded(prop(quantity, "unit.value"))
        converted = call(f"{definition.name} in unit", value, code, unit)
        if definition.decimals is not None:
            converted = rounded(converted, definition.decimals)
        kept = ("age", "place", "status", "ahead", "flags", "sites", "codes", "words", "wholeWords")
        comparator = op("Coalesce", prop(quantity, "comparator.value"), text(""))
        return tuple_of(
            {
                **{key: of("R", key) for key in kept},
                "raw": value,
                "number": converted,
                "comparator": comparator,
                "plausible": plausible(converted, definition.plausible),
                "fault": any_of(
                    [all_of([given(value), missing(converted)]), op("IsTrue", of("R", "asText"))]
                ),
                "low": self._reference(definition, "low"),
                "high": self._reference(definition, "high"),
            }
        )

    def _reference(self, definition: Quantity, end: str) -> Node:
        """The reference limit in the fact's unit, where the result names just one."""
        kinds = call("Plain Codes", of("G", "type"), library=READING)
        normal = op("Or", negated(exists(kinds)), op("In", text("normal"), kinds))
        own = of("G", end)
        own_unit = any_of([given(prop(own, "unit.value")), given(prop(own, "code.value"))])
        quantity = of("R", "quantity")
        parts = [
            units.folded(when(own_unit, prop(own, f"{key}.value"), prop(quantity, f"{key}.value")))
            for key in ("code", "unit")
        ]
        value = call(f"{definition.name} in unit", prop(own, "value.value"), *parts)
        limits = query(of("R", "ranges"), "G", all_of([normal, given(own)]), value)
        readable = query(or_empty(limits), "N", given(alias("N")))
        count: Node = {"type": "Count", "source": readable}
        return when(op("Equal", count, number(1)), gather("First", readable), NULL)

    def _unread(self, asked: Asked) -> Node:
        """Results that cannot be read and that are newer than the value that decides; all where
        none does."""
        deciding = prop(ref(f"{asked.name} coded"), "age")
        newer = op("Or", missing(deciding), op("IsTrue", op("Less", of("R", "age"), deciding)))
        return query(unreadable(self._writer, asked), "R", newer)


def unreadable(writer: Writer, asked: Asked) -> Node:
    """Results on file that are never read as values: only the name says what they are, code and
    name disagree, or the status does not say whether they count."""
    definition = asked.definition
    coded = writer.sets.holds("R", definition.value_sets)
    names = [name for name in map(names_of, definition.value_sets) if name in writer.sets.by_id]
    named = any_of([coded, *(any_in(of("R", "names"), name_set) for name_set in names)])
    status = of("R", "status")
    retracted, understood = is_in(status, RETRACTED), is_in(status, UNDERSTOOD)
    told_by_name = all_of([of("R", "disputed"), named, negated(op("IsTrue", retracted))])
    strange = all_of([negated(of("R", "disputed")), coded, negated(op("IsTrue", understood))])
    age = of("R", "age")
    inside = call("Inside", age, limit(asked.days), library=READING)
    on_time = op("Or", all_of([missing(age), negated(op("IsTrue", of("R", "ahead")))]), inside)
    fits = [op("Or", told_by_name, strange), of("R", "hasValue"), on_time]
    return query(entries("Results"), "R", all_of([*fits, right_state(writer, definition, "R")]))


def _judged() -> Node:
    """Whether a result can be used; what is not is unclear."""
    number_given = all_of([given(of("V", "number")), op("IsTrue", of("V", "plausible"))])
    usable = all_of(
        [
            number_given,
            op(
                "Or",
                op("Equal", of("V", "comparator"), text("")),
                is_in(of("V", "comparator"), COMPARATORS),
            ),
            given(of("V", "age")),
            is_in(op("Coalesce", of("V", "status"), text("")), USABLE),
        ]
    )
    kept = ("age", "place", "status", "flags", "number", "comparator", "low", "high", "sites",
            "codes", "words", "wholeWords")  # fmt: skip
    return tuple_of({**{key: of("V", key) for key in kept}, "usable": op("IsTrue", usable)})


def _unitless(definition: Quantity, value: Node) -> Node:
    most = definition.unitless
    if most is None:
        return NULL
    return when(op("LessOrEqual", value, number(Decimal(most))), value, NULL)


def rounded(value: Node, places: int) -> Node:
    """Half up. Engines' numbers are binary: what is shifted is cut to ELM's places first."""
    if places >= _PLACES:
        return {"type": "Round", "operand": value, "precision": number(places)}
    factor = number(Decimal(10) ** places)
    inner: Node = {
        "type": "Round",
        "operand": op("Multiply", value, factor),
        "precision": number(6),
    }
    return op("Divide", op("Round", inner), factor)


def plausible(value: Node, bounds: Range) -> Node:
    """Whether a value lies within its plausible range."""
    limits = (
        ("Greater", bounds.above),
        ("GreaterOrEqual", bounds.at_least),
        ("Less", bounds.below),
        ("LessOrEqual", bounds.at_most),
    )
    return all_of(
        [op(kind, value, number(Decimal(bound))) for kind, bound in limits if bound is not None]
    )


def right_state(writer: Writer, definition: Quantity, name: str) -> Node:
    """Whether a ratio was measured at rest or after exercise, as the fact means it."""
    if definition.unit != RATIO:
        return TRUE
    both = [op("Coalesce", of(name, key), text("")) for key in ("wholeWords", "words")]
    words = replaced(op("Lower", op("Concatenate", both[0], text(" "), both[1])), "-", " ")
    lists = writer.pack.terminology.vocabulary.lists["sides"]
    exercise, rest = (words_of(lists, list_id) for list_id in ("after-exercise", "at-rest"))
    after = all_of([_says(words, exercise), negated(_says(words, rest))])
    return after if definition.taken == "after-exercise" else negated(after)


def _says(words: Node, phrases: Iterable[str]) -> Node:
    position: Node = {"type": "PositionOf", "pattern": alias("P"), "string": words}
    return exists(query(texts(phrases), "P", op("GreaterOrEqual", position, number(0))))


def _deciding(asked: Asked) -> Node:
    """The result that counts: of the newest day, by the fact's pick; of one moment by its value."""
    usable = ref(f"{asked.name} usable")
    youngest = gather("Min", query(usable, "R", give=of("R", "age")))
    chosen = query(usable, "R", op("Equal", of("R", "age"), youngest))
    newest = asked.definition.pick == "newest"
    pick = asked.definition.of_one_moment if newest else asked.definition.pick
    by_value = ("Min" if pick == "lowest" else "Max", "number")
    by_time = ("Max", "place")
    for how, key in (by_time, by_value) if newest else (by_value, by_time):
        best = gather(how, query(chosen, "D", give=of("D", key)))
        chosen = query(chosen, "B", op("Equal", of("B", key), best))
    return gather("First", chosen)


def _unclear(asked: Asked) -> Node:
    """Why a comparison cannot be made although no usable value is there."""
    name = asked.name
    parts = [
        gaps(asked.definition),
        exists(ref(f"{name} results")),
        exists(ref(f"{name} unread")),
    ]
    return all_of([missing(ref(name)), any_of(parts)])


def _present(asked: Asked) -> Node:
    name = asked.name
    unknown = any_of([gaps(asked.definition), exists(ref(f"{name} unread"))])
    return cases([(given(ref(name)), TRUE), (unknown, UNKNOWN)], FALSE)


def flag_of(item: Node) -> Node:
    """The laboratory's interpretation, the most telling first; null without any."""
    flags = prop(item, "flags")
    items = [(op("In", text(flag.lower()), flags), text(flag)) for flag in _FLAGS]
    return cases(items, NULL)
