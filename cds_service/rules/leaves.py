"""Compiled conditions: the leaves, each of which asks for one fact.

The table under "Conditions" in docs/rule-format.md says what makes a leaf YES, NO or UNKNOWN.
"""

from collections.abc import Iterator
from decimal import Decimal

from cds_service.facts import notes
from cds_service.facts.model import Fact, Item, Quantity, State, Truth
from cds_service.facts.notes import Note
from cds_service.rules.context import Context
from cds_service.rules.logic import NO, UNKNOWN, YES, Comparison, compare, negate
from cds_service.rules.nodes import Json, Node
from cds_service.rules.words import with_unit

# HL7 v3 ObservationInterpretation: the laboratory's own judgement of a result.
LOW_FLAGS = frozenset({"L", "LL", "LU", "<"})
CRITICAL_LOW_FLAGS = frozenset({"LL"})
OTHER_FLAGS = frozenset({"N", "H", "HH", "HU", ">"})

_KNOWN, _ABSENT = State.KNOWN, State.ABSENT  # looked up once: to ask an Enum takes longer


def by_state(fact: Fact) -> Truth:
    """Whether there is such a fact."""
    state = fact.state
    if state is _KNOWN:
        return YES
    return NO if state is _ABSENT else UNKNOWN


class Leaf(Node):
    """One question about one fact; `within` and `undated` as the rule gives them."""

    __slots__ = ("fact", "undated", "within")
    certainly_absent = NO  # its truth where the fact is; most facts of most charts are

    def __init__(self, source: Json, fact: str, within: str | None, undated: str | None) -> None:
        super().__init__(source)
        self.fact = fact
        self.within = within
        self.undated = undated

    def read(self, context: Context) -> Fact:
        """The fact as this leaf asks for it."""
        return context.facts.get(self.fact, self.within, context.draft, self.undated)

    def truth(self, context: Context) -> Truth:
        if self.fact not in context.possible:
            return self.certainly_absent
        memo = context.memo
        truth = memo.get(self)
        if truth is None:  # `read` written out: this is the hot path
            fact = context.facts.get(self.fact, self.within, context.draft, self.undated)
            truth = memo[self] = self.judge(fact)
        return truth

    def judge(self, fact: Fact) -> Truth:
        """The truth of this leaf for a fact."""
        raise NotImplementedError

    def reasons(self, context: Context) -> Iterator[str]:
        fact = self.read(context)
        for reason in fact.reasons or self.own_reasons(fact):
            yield f"{self.fact}: {reason}"

    def own_reasons(self, fact: Fact) -> tuple[str, ...]:
        """Why a fact that is known still leaves this leaf unknown; without values."""
        return ("not known",)

    def notes(self, context: Context) -> tuple[str, ...]:
        """What was seen and not used, in words and with values, for the card."""
        return self.read(context).notes


class Present(Leaf):
    """Something is on file."""

    __slots__ = ()

    def judge(self, fact: Fact) -> Truth:
        return by_state(fact)

    def items(self, context: Context) -> Iterator[Item]:
        yield from self.read(context).items


class Absent(Leaf):
    """Nothing is on file, and the chart is complete enough to say so."""

    __slots__ = ()
    certainly_absent = YES

    def judge(self, fact: Fact) -> Truth:
        return negate(by_state(fact))


class CodeIn(Leaf):
    """The fact's code is one of a few."""

    __slots__ = ("codes",)

    def __init__(
        self,
        source: Json,
        fact: str,
        within: str | None,
        undated: str | None,
        codes: frozenset[str],
    ) -> None:
        super().__init__(source, fact, within, undated)
        self.codes = codes

    def judge(self, fact: Fact) -> Truth:
        if fact.state is not _KNOWN:
            return by_state(fact)
        return YES if any(item.code in self.codes for item in fact.items) else NO

    def items(self, context: Context) -> Iterator[Item]:
        return (item for item in self.read(context).items if item.code in self.codes)


class Measured(Leaf):
    """A question about the value of a fact's deciding item."""

    __slots__ = ("threshold",)

    def __init__(
        self,
        source: Json,
        fact: str,
        within: str | None,
        undated: str | None,
        threshold: Decimal | None,
    ) -> None:
        super().__init__(source, fact, within, undated)
        self.threshold = threshold

    def judge(self, fact: Fact) -> Truth:
        if fact.state is _KNOWN:
            quantity = fact.items[0].quantity
            return UNKNOWN if quantity is None else self.weigh(fact.items[0], quantity)
        # Values are on file and none could be used: nobody knows what they say. None on file: NO.
        return UNKNOWN if fact.state is State.UNKNOWN or fact.reasons else NO

    def weigh(self, item: Item, quantity: Quantity) -> Truth:
        """The truth for a usable value."""
        raise NotImplementedError

    def items(self, context: Context) -> Iterator[Item]:
        yield from self.read(context).items[:1]

    def own_reasons(self, fact: Fact) -> tuple[str, ...]:
        if fact.items and fact.items[0].quantity is not None:
            return ("the result is a range that cannot be compared with the threshold",)
        return ("no value that can be compared",)

    def notes(self, context: Context) -> tuple[str, ...]:
        fact = self.read(context)
        quantity = fact.items[0].quantity if fact.items else None
        if quantity is None or self.threshold is None or self.truth(context) is not UNKNOWN:
            return fact.notes
        limit = with_unit(self.threshold, quantity.unit)
        shown = quantity.shown or f"{quantity.comparator}{with_unit(quantity.value, quantity.unit)}"
        return (
            *fact.notes,
            Note(notes.NOT_COMPARABLE, shown=shown.strip(), limit=limit),
        )


class Compare(Measured):
    """The value is below, above or on a threshold in the fact's own unit."""

    __slots__ = ("_limit", "op")

    def __init__(
        self,
        source: Json,
        fact: str,
        within: str | None,
        undated: str | None,
        *,
        op: Comparison,
        threshold: Decimal,
    ) -> None:
        super().__init__(source, fact, within, undated, threshold)
        self._limit = threshold
        self.op = op

    def weigh(self, item: Item, quantity: Quantity) -> Truth:
        return compare(quantity, self.op, self._limit)


class Low(Measured):
    """Low by the laboratory's flag, else by its reference range, else by the setting."""

    __slots__ = ()

    def weigh(self, item: Item, quantity: Quantity) -> Truth:
        flag = item.details.get("flag", "")
        if flag in LOW_FLAGS:
            return YES
        if flag in OTHER_FLAGS:
            return NO
        reference = item.details.get("low", "")
        limit = Decimal(reference) if reference else self.threshold
        return UNKNOWN if limit is None else compare(quantity, "lt", limit)

    def own_reasons(self, fact: Fact) -> tuple[str, ...]:
        if self.threshold is None:
            return ("neither a flag nor a reference range came with the result",)
        return super().own_reasons(fact)


class CriticalLow(Measured):
    """Critically low by the laboratory's flag, else by the setting. A reference range can't say."""

    __slots__ = ()

    def weigh(self, item: Item, quantity: Quantity) -> Truth:
        flag = item.details.get("flag", "")
        if flag in CRITICAL_LOW_FLAGS:
            return YES
        if self.threshold is None or flag in LOW_FLAGS or flag in OTHER_FLAGS:
            return NO
        return compare(quantity, "lt", self.threshold)
