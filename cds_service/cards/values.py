"""Items, facts and settings in words: "49.9 ng/mL", "hydrochlorothiazide and furosemide"."""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice

from cds_service.cards import wording
from cds_service.facts.model import Fact, Item, Quantity
from cds_service.rules.model import Setting
from cds_service.rules.words import UNIT_WORDS

DAYS_PER_MONTH = Decimal("30.4375")
UNITLESS = frozenset({"", "1", "{ratio}"})
FLAGS = {"L": "low", "LL": "critically low", "H": "high", "HH": "critically high"}
_OF_ORDERS = ("order", "draft")
# Facts date these with the day of the call where no date was sent.
_OF_THE_CALL = ("order reason", "encounter", "draft")
SIDES = {"left": "left", "right": "right"}


def number(value: Decimal) -> str:
    """A value as a reader expects it: as sent up to two decimals, else rounded half up to two.

    More decimals stay when two would turn the value into a whole number it isn't: 49.996 must not
    be shown as 50 beside a threshold of 50.
    """
    exponent = value.as_tuple().exponent
    if isinstance(exponent, str):  # not finite
        return str(value)
    places = max(0, -exponent)
    for kept in range(2, places):
        rounded = value.quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP)
        if rounded != rounded.to_integral_value() or rounded == value:
            return f"{rounded.normalize():f}"
    return f"{value:f}"


def amount(quantity: Quantity) -> str:
    """The number with its comparator: "<5"."""
    return f"{quantity.comparator}{number(quantity.value)}"


def measured(quantity: Quantity) -> str:
    """The number with its unit: "49.9 ng/mL"."""
    unit = UNIT_WORDS.get(quantity.unit, quantity.unit)
    return f"{amount(quantity)} {unit}".strip()


def day(item: Item) -> str:
    """The item's date as sent, or "". The day of the call is nobody's record and never shown."""
    if item.date_text or item.on is None or is_of_the_call(item):
        return item.date_text
    return item.on.isoformat()


def is_of_the_call(item: Item) -> bool:
    """Whether the item is a draft, or a reason of the order or encounter at hand: being without a
    date is no gap in it."""
    return item.details.get("source") in _OF_THE_CALL


def name(item: Item) -> str:
    """What a sentence calls the item: drugs in lower case, all else as `wording` has it."""
    if item.ingredients:
        return item.text.lower()
    is_test = item.quantity is not None or item.details.get("source") in _OF_ORDERS
    return wording.inside(wording.test_name(item.text) if is_test else item.text)


def distinct_names(items: Iterable[Item]) -> list[str]:
    """Names in order, each once, whatever its capitals; an item without one is left out.

    One diagnosis that several facts read under different names is named once. A medication is
    named by each of its ingredients that matters.
    """
    found: dict[str, str] = {}
    named: set[str] = set()
    for item in items:
        label = " ".join(name(item).split())
        if not label or (item.reference in named and not item.ingredients):
            continue
        found.setdefault(label.lower(), label)
        if item.reference:
            named.add(item.reference)
    return list(found.values())


def listed(names: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def abbreviated(names: list[str], shown: int = 2) -> str:
    """ "a, b, +3": the first names and how many more there are (clinical section 2.2, 6)."""
    more = len(names) - shown
    return ", ".join([*islice(names, shown), *([f"+{more}"] if more > 0 else [])])


def fact_property(fact: Fact, prop: str) -> str | None:
    """A property of a fact in words (docs/rule-format.md, Rules), or None where it has none."""
    if prop == "last":
        return _last(fact.unused)
    if not fact.items:
        return None
    if prop == "names":
        return listed(distinct_names(fact.items)) or None
    if prop == "count":
        return str(len(distinct_names(fact.items)) or len(fact.items))
    read = _OF_ITEM.get(prop)
    return read(fact.items[0]) if read else None


def setting_texts(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Placeholder name to text for each setting; a number of days also under "{name}.months"."""
    texts: dict[str, str] = {}
    for setting in settings.values():
        value = setting.value
        if isinstance(value, Decimal):
            texts[setting.name] = f"{value:f}"
            texts[f"{setting.name}.months"] = str(round(value / DAYS_PER_MONTH))
        else:
            texts[setting.name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def _last(item: Item | None) -> str | None:
    if item is None:
        return None
    what = measured(item.quantity) if item.quantity else name(item)
    return f"{what} on {day(item)}" if day(item) else what


def _of_quantity(read: Callable[[Quantity], str]) -> Callable[[Item], str | None]:
    return lambda item: (read(item.quantity) or None) if item.quantity else None


_OF_ITEM: Mapping[str, Callable[[Item], str | None]] = {
    "value": _of_quantity(amount),
    "unit": _of_quantity(lambda q: "" if q.unit in UNITLESS else q.unit),
    "shown": _of_quantity(lambda q: q.shown or measured(q)),
    "date": lambda item: day(item) or None,
    "text": lambda item: name(item) or None,
    "side": lambda item: SIDES.get(item.details.get("side", "")),
    "flag": lambda item: FLAGS.get(item.details.get("flag", "")),
}
