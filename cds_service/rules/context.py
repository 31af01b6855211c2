"""What one evaluation works on: the facts, the draft order in question, the answers so far."""

from collections.abc import Collection, Mapping
from typing import Protocol

from cds_service.facts.chart import Chart
from cds_service.facts.model import Fact, Truth


class Facts(Protocol):
    """What the rules need of `facts.base.FactBase`."""

    @property
    def chart(self) -> Chart:
        """The chart that the facts are read from."""

    @property
    def unrecognised_medications(self) -> int:
        """How many active medications nothing recognises."""

    @property
    def unrecognised(self) -> Mapping[str, Mapping[str, int]]:
        """Entries that nothing recognises, by kind and code system."""

    def get(
        self,
        name: str,
        within: int | str | None = None,
        draft: int | None = None,
        undated: str | None = None,
    ) -> Fact:
        """The fact; `within` overrides its look-back, `draft` is the order under evaluation."""

    def possible(self, draft: int | None = None) -> Collection[str]:
        """Names of all facts that may be other than absent for this patient and draft."""


class Context:
    """One evaluation: the patient alone, or the patient with one draft order.

    `assumed` gives definitions a truth that they do not have by the chart: the conditional
    complaint. `possible` are the facts that may be other than absent; `memo` keeps the truth of
    every node already judged.
    """

    __slots__ = ("assumed", "draft", "facts", "memo", "possible")

    def __init__(
        self, facts: Facts, draft: int | None = None, assumed: Mapping[str, Truth] | None = None
    ) -> None:
        self.facts = facts
        self.draft = draft
        self.assumed: Mapping[str, Truth] = assumed or {}
        self.possible = facts.possible(draft)
        self.memo: dict[object, Truth] = {}
