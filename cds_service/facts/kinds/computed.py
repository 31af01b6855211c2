"""Quantities that follow from others: a saturation, the drop after exercise, a multiple of a limit.

The catalogue says which (`catalogue.Computed`). What cannot be computed is unknown with its reason
where the values are on file, and absent where they are not.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from msgspec.structs import replace

from cds_service.facts import notes
from cds_service.facts.definition_parts import Computed
from cds_service.facts.definitions import Quantity as QuantityFact
from cds_service.facts.kinds import quantity
from cds_service.facts.model import Fact, Item, Quantity, State
from cds_service.facts.notes import Note
from cds_service.facts.query import Query
from cds_service.facts.results import Result, capital

_PLACES = Decimal("0.1")  # no clinician reads a saturation or a drop more finely
_PERCENT = Decimal(100)


def read(query: Query[QuantityFact]) -> Fact:
    """A fact of kind `quantity`, computed where the catalogue says so."""
    rule = query.definition.computed
    return quantity.read(query) if rule is None else _READERS[rule.how](query, rule)


def _percent(query: Query[QuantityFact], rule: Computed) -> Fact:
    """The reported value, else (or where it is newer) the ratio of two results of one day."""
    reported = quantity.read(query)
    computed = _ratio_of_a_day(query, rule)
    if computed is None:
        return reported
    known = reported.items[0].on if reported.items else None
    if known is not None and computed.on is not None and known >= computed.on:
        return reported
    note = Note(notes.COMPUTED, title=capital(computed.text), how=computed.details["computed"])
    return Fact(query.definition.name, State.KNOWN, (computed,), (), (note, *reported.notes))


def _ratio_of_a_day(query: Query[QuantityFact], rule: Computed) -> Item | None:
    over = {result.item.on: result.item for result in _usable(query, rule.against)}
    for result in _usable(query, rule.of):
        part, whole = result.item, over.get(result.item.on)
        if whole is None or not _exact(part, whole) or not _value(whole):
            continue
        value = (_value(part) * _PERCENT / _value(whole)).quantize(_PLACES, ROUND_HALF_UP)
        if query.definition.plausible.holds(value):
            note = Note(
                notes.RATIO,
                partTitle=part.text,
                partShown=_shown(part),
                wholeTitle=whole.text,
                wholeShown=_shown(whole),
                dated=part.date_text,
            )
            return _item(query, part, value, {"computed": note, "also": whole.reference})
    return None


def _drop(query: Query[QuantityFact], rule: Computed) -> Fact:
    """The largest drop of the newest day, against the resting value of the same side."""
    name = query.definition.name
    after = query.other(rule.of)
    newest = quantity.read(after)
    if not newest.items:
        return replace(newest, name=name)
    rest = _usable(query, rule.against)
    items = [item for after in newest.items if (item := _fall(query, after, rest)) is not None]
    if items:
        return Fact(name, State.KNOWN, tuple(sorted(items, key=_value, reverse=True)))
    reason = f"no value of {query.other(rule.against).definition.title} to compare with"
    return Fact(name, State.ABSENT, (), (reason,), (), newest.items[0])


def _fall(query: Query[QuantityFact], after: Item, rest: Iterable[Result]) -> Item | None:
    """How far a value lies below the resting one: of its side, and of its day or before it."""
    before = [
        item
        for item in (result.item for result in rest)
        if _side(item) == _side(after) and item.on and after.on and item.on <= after.on
    ]
    if not before:
        return None
    day = before[0].on
    resting = min((item for item in before if item.on == day), key=_value)
    if not _exact(resting, after) or not _value(resting):
        return None
    share = (_value(resting) - _value(after)) / _value(resting)
    value = (share * _PERCENT).quantize(_PLACES, ROUND_HALF_UP)
    details = {"resting": _shown(resting), "after": _shown(after), "also": resting.reference}
    return _item(query, after, value, {**details, "side": _side(after)})


def _same_day(query: Query[QuantityFact], rule: Computed) -> Fact:
    """The highest of the day on which the other quantity's value that counts was taken."""
    name = query.definition.name
    beside = quantity.read(query.other(rule.against))
    if not beside.items:
        return Fact(name, beside.state, (), beside.reasons)
    day = beside.items[0].on
    items = [result.item for result in _usable(query, rule.of) if result.item.on == day]
    if items:
        return Fact(name, State.KNOWN, tuple(sorted(items, key=_value, reverse=True)))
    measured = quantity.read(query.other(rule.of))
    unknown = measured.state is State.UNKNOWN
    return Fact(name, State.UNKNOWN if unknown else State.ABSENT, (), measured.reasons)


def _named(query: Query[QuantityFact], rule: Computed) -> Fact:
    """The results that cannot be read, where they make the fact unknown."""
    name, other = query.definition.name, query.other(rule.of)
    unreadable = quantity.newer_unreadable(other)
    if unreadable:
        return Fact(name, State.KNOWN, tuple(unreadable))
    gaps = other.gaps()
    return Fact(name, State.UNKNOWN if gaps else State.ABSENT, (), gaps)


def _multiple(query: Query[QuantityFact], rule: Computed) -> Fact:
    """The value that counts, over the upper reference limit that its laboratory gave."""
    name = query.definition.name
    of = query.other(rule.of)
    measured = quantity.read(of)
    if not measured.items:
        return replace(measured, name=name)
    item = measured.items[0]
    limit = Decimal(quantity.upper_limit(of, item) or 0)
    if limit <= 0:
        reason = f"the {item.text} result has no upper reference limit"
        return Fact(name, State.ABSENT, (), (reason,), measured.notes, item)
    value = (_value(item) / limit).quantize(_PLACES, ROUND_HALF_UP)
    comparator = item.quantity.comparator if item.quantity else ""
    computed = _item(query, item, value, {"measured": _shown(item)}, comparator)
    return Fact(name, State.KNOWN, (computed,), (), measured.notes)


_READERS: Mapping[str, Callable[[Query[QuantityFact], Computed], Fact]] = {
    "percent": _percent,
    "drop": _drop,
    "same-day": _same_day,
    "named": _named,
    "multiple": _multiple,
}


def _usable(query: Query[QuantityFact], name: str) -> list[Result]:
    return quantity.usable_results(query.other(name))


def _item(
    query: Query[QuantityFact],
    of: Item,
    value: Decimal,
    details: Mapping[str, str],
    comparator: str = "",
) -> Item:
    definition = query.definition
    kept = {key: text for key, text in details.items() if text}
    shown = f"{comparator}{value:f} {definition.unit}" if definition.unit != "1" else ""
    measured = Quantity(value, definition.unit, comparator, shown)
    return replace(of, text=definition.title.split(" (")[0], quantity=measured, details=kept)


def _exact(*items: Item) -> bool:
    """Whether nothing stands before the numbers: "<5" has no ratio."""
    return all(item.quantity is not None and not item.quantity.comparator for item in items)


def _value(item: Item) -> Decimal:
    return item.quantity.value if item.quantity else Decimal(0)


def _shown(item: Item) -> str:
    return item.quantity.shown if item.quantity else ""


def _side(item: Item) -> str:
    return item.details.get("side", "")
