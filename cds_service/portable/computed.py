"""Quantities that follow from others, as ELM: a saturation, a drop, a multiple of a limit."""

from collections.abc import Callable
from decimal import Decimal

from cds_service.facts.definitions import Named
from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_of,
    cases,
    define,
    exists,
    gather,
    given,
    listed,
    missing,
    number,
    of,
    op,
    prop,
    query,
    ref,
    text,
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import flat, listed_code
from cds_service.portable.results import Quantities, plausible, rounded
from cds_service.portable.supply import gaps
from cds_service.portable.writer import Asked, Writer
from cds_service.terminology.word_lists import Lists, WordList

Other = Callable[[Asked, str], Asked]
_PERCENT = number(Decimal(100))
_PLACES = 1  # nobody reads a saturation or a drop more finely


def statements(writer: Writer, asked: Asked, quantities: Quantities, other: Other) -> list[Node]:
    """The expressions of a computed quantity: "F", "F unclear" and "F present"."""
    rule = asked.definition.computed
    assert rule is not None
    parts = [other(asked, name) for name in rule.parts]
    makers = {
        "percent": _percent,
        "drop": _drop,
        "same-day": _same_day,
        "named": _named,
        "multiple": _multiple,
    }
    return makers[rule.how](asked, parts, quantities)


def _item(of_item: Node, value: Node, comparator: Node) -> Node:
    return tuple_of(
        {
            "age": prop(of_item, "age"),
            "number": value,
            "comparator": comparator,
            "flags": listed([]),
            "low": NULL,
            "high": NULL,
        }
    )


def _exact(name: str) -> Node:
    return op("Equal", of(name, "comparator"), text(""))


def _percent(asked: Asked, parts: list[Asked], quantities: Quantities) -> list[Node]:
    """The reported value, else (or where it is newer) the ratio of two results of one day."""
    name, (part, whole) = asked.name, parts
    reported = quantities.statements(_renamed(asked, f"{name} reported"))
    day = op("Equal", of("W", "age"), of("P", "age"))
    # Of several results of the whole on one day the one that was taken first.
    wholes = query(ref(f"{whole.name} usable"), "W", day)
    earliest = gather("Min", query(wholes, "E", give=of("E", "place")))
    chosen = gather("First", query(wholes, "F", op("Equal", of("F", "place"), earliest)))
    ratio = op("Divide", op("Multiply", of("P", "number"), _PERCENT), prop(chosen, "number"))
    fine = all_of(
        [
            _exact("P"),
            op("Equal", prop(chosen, "comparator"), text("")),
            op("NotEqual", prop(chosen, "number"), number(Decimal(0))),
        ]
    )
    value = rounded(ratio, _PLACES)
    usable = query(
        query(ref(f"{part.name} usable"), "P", fine, _item(alias("P"), value, text(""))),
        "V",
        plausible(of("V", "number"), asked.definition.plausible),
    )
    youngest = gather("Min", query(usable, "Y", give=of("Y", "age")))
    ratios = query(usable, "Z", op("Equal", of("Z", "age"), youngest))
    computed, own = ref(f"{name} computed"), ref(f"{name} reported")
    newer = op("Less", prop(computed, "age"), prop(own, "age"))
    use = all_of([given(computed), op("Or", missing(own), op("IsTrue", newer))])
    return [
        *reported,
        define(f"{name} computed", gather("First", ratios)),
        define(name, when(use, computed, own)),
        define(f"{name} unclear", all_of([missing(ref(name)), ref(f"{name} reported unclear")])),
        define(f"{name} present", when(given(ref(name)), TRUE, ref(f"{name} reported present"))),
    ]


def _renamed(asked: Asked, name: str) -> Asked:
    return Asked(
        asked.definition,
        name,
        asked.days,
        asked.include,
        asked.exclude,
        asked.within,
        asked.undated,
    )


def _side(lists: Lists, name: str) -> Node:
    """The side of a result: by its code or its body site."""
    sites = flat(query(of(name, "sites"), "B", give=of("B", "codes")))
    sided = [
        (_has(codes, lists.get(f"{side}-{kind}", WordList())), text(side))
        for kind, codes in (("tests", of(name, "codes")), ("codes", sites))
        for side in ("left", "right")
    ]
    return cases(sided, text(""))


def _has(codes: Node, listed: WordList) -> Node:
    return exists(query(codes, "K", listed_code("K", listed.codes)))


def _drop(asked: Asked, parts: list[Asked], quantities: Quantities) -> list[Node]:
    """The largest drop of the newest day, against the resting value of the same side."""
    name, (after, rest) = asked.name, parts
    lists = quantities.pack.terminology.vocabulary.lists["sides"]
    usable = ref(f"{after.name} usable")
    youngest = gather("Min", query(usable, "Y", give=of("Y", "age")))
    newest = query(usable, "A", op("Equal", of("A", "age"), youngest))
    earlier = op("GreaterOrEqual", of("R", "age"), of("A", "age"))
    same_side = op("Equal", _side(lists, "R"), _side(lists, "A"))
    before = query(ref(f"{rest.name} usable"), "R", all_of([earlier, same_side]))
    resting = _lowest_of_last_day(before)
    fallen = op("Subtract", prop(resting, "number"), of("A", "number"))
    share = op("Divide", fallen, prop(resting, "number"))
    fine = all_of(
        [
            _exact("A"),
            op("Equal", prop(resting, "comparator"), text("")),
            op("NotEqual", prop(resting, "number"), number(Decimal(0))),
        ]
    )
    drops = query(
        newest,
        "A",
        fine,
        _item(alias("A"), rounded(op("Multiply", share, _PERCENT), _PLACES), text("")),
    )
    most = gather("Max", query(ref(f"{name} drops"), "M", give=of("M", "number")))
    largest = query(ref(f"{name} drops"), "N", op("Equal", of("N", "number"), most))
    measured = given(ref(after.name))
    unclear = op("Or", measured, ref(f"{after.name} unclear"))
    return [
        define(f"{name} drops", when(measured, drops, listed([]))),
        define(name, gather("First", largest)),
        define(f"{name} unclear", all_of([missing(ref(name)), unclear])),
        define(f"{name} present", _like(name, after.name)),
    ]


def _lowest_of_last_day(usable: Node) -> Node:
    last_day = gather("Min", query(usable, "Q", give=of("Q", "age")))
    of_day = query(usable, "D", op("Equal", of("D", "age"), last_day))
    lowest = gather("Min", query(of_day, "L", give=of("L", "number")))
    return gather("First", query(of_day, "F", op("Equal", of("F", "number"), lowest)))


def _like(name: str, other: str) -> Node:
    """Present where there is a value; absent where only the other is; else as the other is."""
    return cases([(given(ref(name)), TRUE), (given(ref(other)), FALSE)], ref(f"{other} present"))


def _same_day(asked: Asked, parts: list[Asked], _quantities: Quantities) -> list[Node]:
    """The highest of the day on which the other quantity's value that counts was taken."""
    name, (own, beside) = asked.name, parts
    day = op("Equal", of("R", "age"), prop(ref(beside.name), "age"))
    of_day = query(ref(f"{own.name} usable"), "R", day)
    most = gather("Max", query(of_day, "M", give=of("M", "number")))
    highest = gather("First", query(of_day, "H", op("Equal", of("H", "number"), most)))
    there = given(ref(beside.name))
    unclear = when(there, ref(f"{own.name} unclear"), ref(f"{beside.name} unclear"))
    measured = when(missing(ref(f"{own.name} present")), UNKNOWN, FALSE)
    absent = when(there, measured, ref(f"{beside.name} present"))
    return [
        define(name, highest),
        define(f"{name} unclear", all_of([missing(ref(name)), unclear])),
        define(f"{name} present", when(given(ref(name)), TRUE, absent)),
    ]


def _named(asked: Asked, parts: list[Asked], _quantities: Quantities) -> list[Node]:
    """Results of which only the name says what they are, where they make the fact unknown."""
    name, other = asked.name, parts[0]
    named = exists(ref(f"{other.name} unread"))
    gap = gaps(other.definition)
    return [
        define(name, NULL),
        define(f"{name} unclear", any_of([named, gap])),
        define(f"{name} present", cases([(named, TRUE), (gap, UNKNOWN)], FALSE)),
    ]


def named(writer: Writer, asked: Asked, of_fact: Named, quantities: Quantities) -> list[Node]:
    """A fact of kind `named`: whether results that cannot be read make a quantity unknown."""
    measured = writer.asked(writer.pack.catalogue[of_fact.of], asked.within, asked.undated)
    own = _renamed(measured, f"{asked.name} read")
    return [*quantities.statements(own), define(asked.name, exists(ref(f"{own.name} unread")))]


def _multiple(asked: Asked, parts: list[Asked], _quantities: Quantities) -> list[Node]:
    """The value that counts, over the upper reference limit that its laboratory gave."""
    name, other = asked.name, parts[0]
    item = ref(other.name)
    high = prop(item, "high")
    value = rounded(op("Divide", prop(item, "number"), high), _PLACES)
    usable = all_of([given(item), given(high), op("Greater", high, number(Decimal(0)))])
    ratio = _item(item, value, prop(item, "comparator"))
    return [
        define(name, when(op("IsTrue", usable), ratio, NULL)),
        define(
            f"{name} unclear",
            all_of([missing(ref(name)), op("Or", given(item), ref(f"{other.name} unclear"))]),
        ),
        define(f"{name} present", _like(name, other.name)),
    ]
