"""Items, facts and settings in words: "49.9 ng/mL", "hydrochlorothiazide and furosemide"."""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice

from cds_service.cards import wording
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.phrases import FLAGS, LAST_ON, SIDES
from cds_service.facts.model import Fact, Item, Quantity
from cds_service.rules.model import Setting
from cds_service.rules.words import unit_in_words

DAYS_PER_MONTH = Decimal("30.4375")
UNITLESS = frozenset({"", "1", "{ratio}"})
_OF_ORDERS = ("order", "draft")
# Facts date these with the day of the call where no date was sent.
_OF_THE_CALL = ("order reason", "encounter", "draft")


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


def measured(quantity: Quantity, language: Language = ENGLISH) -> str:
    """The number with its unit: "49.9 ng/mL"."""
    unit = language.text(unit_in_words(quantity.unit))
    return f"{language.figures(amount(quantity))} {unit}".strip()


def day(item: Item) -> str:
    """The item's date as sent, or "". The day of the call is nobody's record and never shown."""
    if item.date_text or item.on is None or is_of_the_call(item):
        return item.date_text
    return item.on.isoformat()


def is_of_the_call(item: Item) -> bool:
    """Whether the item is a draft, or a reason of the order or encounter at hand: being without a
    date is no gap in it."""
    return item.details.get("source") in _OF_THE_CALL


def name(item: Item, language: Language = ENGLISH) -> str:
    """What a sentence calls the item: drugs in lower case, all else as `wording` has it."""
    if item.ingredients:
        return language.drug(item.text)
    if known := language.known_name(item.text):
        return known
    is_test = item.quantity is not None or item.details.get("source") in _OF_ORDERS
    return language.inside(wording.test_name(item.text) if is_test else item.text)


def heading(item: Item, language: Language = ENGLISH) -> str:
    """What the list of a card's reasons calls the item."""
    if language.is_english:
        return wording.opening(item.text)
    named = language.drug(item.text) if item.ingredients else language.name(item.text)
    return wording.opening(named)


def distinct_names(items: Iterable[Item], language: Language = ENGLISH) -> list[str]:
    """Names in order, each once, whatever its capitals; an item without one is left out.

    One diagnosis that several facts read under different names is named once. A medication is
    named by each of its ingredients that matters.
    """
    labels: dict[str, str] = {}
    named: set[str] = set()
    for item in items:
        label = " ".join(name(item, language).split())
        if not label or (item.reference in named and not item.ingredients):
            continue
        labels.setdefault(label.lower(), label)
        if item.reference:
            named.add(item.reference)
    return list(labels.values())


def abbreviated(names: list[str], shown: int = 2) -> str:
    """ "a, b, +3": the first names and how many more there are (clinical section 2.2, 6)."""
    more = len(names) - shown
    return ", ".join([*islice(names, shown), *([f"+{more}"] if more > 0 else [])])


def fact_property(fact: Fact, prop: str, language: Language = ENGLISH) -> str | None:
    """A property of a fact in words (docs/rule-format.md, Rules), or None where it has none."""
    if prop == "last":
        return _last(fact.unused, language)
    if not fact.items:
        return None
    if prop == "names":
        return language.listed(distinct_names(fact.items, language)) or None
    if prop == "count":
        return str(len(distinct_names(fact.items)) or len(fact.items))
    read = _OF_ITEM.get(prop)
    return read(fact.items[0], language) if read else None


def setting_texts(settings: Mapping[str, Setting], language: Language = ENGLISH) -> dict[str, str]:
    """Placeholder name to text for each setting; a number of days also under "{name}.months"."""
    texts: dict[str, str] = {}
    for setting in settings.values():
        value = setting.value
        if isinstance(value, Decimal):
            texts[setting.name] = language.figures(f"{value:f}")
            texts[f"{setting.name}.months"] = str(round(value / DAYS_PER_MONTH))
        else:
            texts[setting.name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def _last(item: Item | None, language: Language) -> str | None:
    if item is None:
        return None
    what = measured(item.quantity, language) if item.quantity else name(item, language)
    on = language.date(day(item))
    return language.say(LAST_ON, what=what, day=on) if on else what


def _of_quantity(
    read: Callable[[Quantity, Language], str],
) -> Callable[[Item, Language], str | None]:
    return lambda item, language: (read(item.quantity, language) or None) if item.quantity else None


_OF_ITEM: Mapping[str, Callable[[Item, Language], str | None]] = {
    "value": _of_quantity(lambda q, language: language.figures(amount(q))),
    "unit": _of_quantity(lambda q, language: language.text(unit_in_words(q.unit))),
    "shown": _of_quantity(lambda q, language: language.figures(q.shown) or measured(q, language)),
    "date": lambda item, language: language.date(day(item)) or None,
    "text": lambda item, language: name(item, language) or None,
    "side": lambda item, language: (
        language.text(SIDES.get(item.details.get("side", ""), "")) or None
    ),
    "flag": lambda item, language: (
        language.text(FLAGS.get(item.details.get("flag", ""), "")) or None
    ),
}
