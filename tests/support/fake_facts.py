"""Facts told by the test, for tests of what the rules make of them."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from cds_service.facts.chart import PREFETCH_KEYS, Chart, Draft, Slot, Supply
from cds_service.facts.model import Fact, Item, Quantity, State


def known(name: str, *references: str) -> Fact:
    items = tuple(Item(reference, reference) for reference in references or (f"Thing/{name}",))
    return Fact(name, State.KNOWN, items)


def unknown(name: str, reason: str = "was not supplied") -> Fact:
    return Fact(name, State.UNKNOWN, reasons=(reason,))


def absent(name: str, **more: Any) -> Fact:
    return Fact(name, State.ABSENT, **more)


def measured(name: str, value: str, unit: str = "ng/mL", **details: str) -> Fact:
    """A quantity fact; `value` as in "49.9" or "<5"."""
    number = value.lstrip("<>=")
    quantity = Quantity(Decimal(number), unit, value[: -len(number)], f"{value} {unit}".strip())
    item = Item(f"Observation/{name}", name, quantity=quantity, details=details)
    return Fact(name, State.KNOWN, (item,))


class FakeFacts:
    """Answers as told; what was not told is absent. `broken` facts raise when asked for.

    `by_draft` has what is said of one draft order alone.
    """

    unrecognised_medications = 0

    def __init__(
        self,
        *told: Fact,
        by_draft: Mapping[int, Collection[Fact]] | None = None,
        selected: Collection[bool] = (),
        broken: Collection[str] = (),
    ) -> None:
        self._told = {fact.name: fact for fact in told}
        self._by_draft = {
            draft: {fact.name: fact for fact in facts} for draft, facts in (by_draft or {}).items()
        }
        self._broken = broken
        self.asked: list[tuple[str, Any, Any, Any]] = []
        self.chart = Chart(
            {key: Slot(Supply.EMPTY) for key in PREFETCH_KEYS},
            drafts=[Draft({}, f"Order/{n}", chosen) for n, chosen in enumerate(selected)],
        )

    def _all(self, draft: int | None) -> dict[str, Fact]:
        return self._told | (self._by_draft.get(draft, {}) if draft is not None else {})

    def get(
        self,
        name: str,
        within: int | str | None = None,
        draft: int | None = None,
        undated: str | None = None,
    ) -> Fact:
        self.asked.append((name, within, draft, undated))
        if name in self._broken:
            raise ZeroDivisionError(name)
        return self._all(draft).get(name) or absent(name)

    unrecognised: Mapping[str, Mapping[str, int]] = {}

    def possible(self, draft: int | None = None) -> Collection[str]:
        told = self._all(draft).values()
        maybe = {fact.name for fact in told if fact.state is not State.ABSENT or fact.reasons}
        return maybe | set(self._broken)
