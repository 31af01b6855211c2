"""Objects inside an entry of `facts.json`: bounds, strengths, words, ways to compute."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1)]
Texts = Annotated[tuple[Text, ...], Meta(min_length=1)]


class Part(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An object inside an entry."""


class Range(Part, frozen=True):
    """The plausible values of a quantity, in its unit. None is unbounded."""

    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    at_most: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        """Whether a value can be real."""
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )


class MaxStrength(Part, frozen=True):
    """Products of one ingredient count only above a strength in mg (aspirin against platelets)."""

    ingredient: Text
    milligrams: Decimal | None = field(name="mg", default=None)
    setting: str = ""

    def __post_init__(self) -> None:
        if (self.milligrams is None) == (not self.setting):
            raise ValueError("needs either mg or setting")


class ByWords(Part, frozen=True):
    """Codes that an entry's words decide on (`facts.entry_words`); `wide`, `narrow`: value sets."""

    wide: Text
    narrow: Text
    here: Texts
    elsewhere: Texts


class Computed(Part, frozen=True):
    """How a quantity follows from others of the catalogue (`kinds.computed`).

    In JSON `{"percent": [of, against]}`: the first in per cent of the second, both of one day,
    where nothing was reported. "drop": how many per cent the first lies below the second, of one
    side. "multiple": a multiple of the upper reference limit that came with it. "same-day": the
    first as measured on the day of the second's value that counts. "named": results that only
    their name says to be of the first and that keep it from being known; they have no value here.
    """

    how: Literal["percent", "drop", "same-day", "multiple", "named"]
    of: Text
    against: str = ""

    def __post_init__(self) -> None:
        if (self.how in ("multiple", "named")) is bool(self.against):
            raise ValueError(f"'{self.how}' of another number of facts")

    @property
    def parts(self) -> tuple[str, ...]:
        """The facts that it follows from."""
        return (self.of, self.against) if self.against else (self.of,)
