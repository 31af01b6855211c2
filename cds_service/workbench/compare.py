"""Two answers side by side: which cards a change brings, takes away, or words differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cds_service.protocol.model import Card

Difference = Literal["", "gains", "loses", "changes"]


@dataclass(frozen=True)
class Pairing:
    """The difference of each card, by its uuid, on both sides."""

    before: dict[str, Difference]
    after: dict[str, Difference]

    def counts(self) -> dict[str, int]:
        """How many cards are gained, lost and changed."""
        values = [*self.before.values(), *self.after.values()]
        return {
            "gains": values.count("gains"),
            "loses": values.count("loses"),
            "changes": values.count("changes") // 2,
        }


def paired(before: Sequence[Card], after: Sequence[Card]) -> Pairing:
    """Cards are the same card when the same rule heads them."""
    old, new = _by_head(before), _by_head(after)
    left: dict[str, Difference] = {}
    right: dict[str, Difference] = {}
    for head, card in old.items():
        other = new.get(head)
        left[card.uuid] = "loses" if other is None else _difference(card, other)
    for head, card in new.items():
        other = old.get(head)
        right[card.uuid] = "gains" if other is None else _difference(other, card)
    return Pairing(left, right)


def _by_head(cards: Sequence[Card]) -> dict[tuple[str, int], Card]:
    found: dict[tuple[str, int], Card] = {}
    for card in cards:
        head = card.rules[0][0] if card.rules else card.summary
        number = sum(name == head for name, _ in found)
        found[head, number] = card
    return found


def _difference(old: Card, new: Card) -> Difference:
    same = (old.indicator, old.summary, old.detail, _offers(old)) == (
        new.indicator,
        new.summary,
        new.detail,
        _offers(new),
    )
    return "" if same else "changes"


def _offers(card: Card) -> tuple[str, ...]:
    return tuple(suggestion.label for suggestion in card.suggestions)
