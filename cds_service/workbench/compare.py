"""Two answers side by side: which cards a change brings, takes away, or words differently."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cds_service.live.active import Active
from cds_service.protocol.model import Card
from cds_service.workbench.chart import ChartState
from cds_service.workbench.chart_answers import asked, judge

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
    by_head: dict[tuple[str, int], Card] = {}
    for card in cards:
        head = card.rules[0][0] if card.rules else card.summary
        number = sum(name == head for name, _ in by_head)
        by_head[head, number] = card
    return by_head


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


@dataclass(frozen=True)
class ChartChange:
    """A card that a change brings, takes away or words differently for one chart."""

    chart: str
    service: str
    change: Difference
    indicator: str
    summary: str
    before: str = ""


def over(
    before: Active, after: Active, charts: Iterable[tuple[str, ChartState]], clock: datetime
) -> Iterator[ChartChange]:
    """The changes of each chart in turn."""
    for name, state in charts:
        for service in asked(after, state):
            old = judge(before, state, before.services.get(service.id, service), clock, why=False)
            new = judge(after, state, service, clock, why=False)
            pairing = paired(old.cards, new.cards)
            yield from _changes(name, service.id, old.cards, new.cards, pairing)


def _changes(
    name: str, service: str, old: Sequence[Card], new: Sequence[Card], pairing: Pairing
) -> Iterator[ChartChange]:
    for card in old:
        if pairing.before[card.uuid] == "loses":
            yield ChartChange(name, service, "loses", card.indicator, card.summary)
    earlier = {head: card.summary for head, card in _by_head(old).items()}
    for head, card in _by_head(new).items():
        change = pairing.after[card.uuid]
        if change:
            was = earlier.get(head, "") if change == "changes" else ""
            yield ChartChange(name, service, change, card.indicator, card.summary, was)
