"""The nearest change of a chart by which a rule would fire: "why not", turned into what to do.

Counts over the very nodes that judged the rule. Each leaf that must change has a price: a value
that lies near its threshold is cheaper than a new entry, that than one to be taken away. Facts
that two leaves share are not weighed together, so whoever applies the change judges again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cds_service.facts.model import Fact, State, Truth
from cds_service.rules.context import Context
from cds_service.rules.leaves import Absent, CodeIn, Compare, Leaf, Measured, Present
from cds_service.rules.logic import NO, UNKNOWN, YES
from cds_service.rules.nodes import All, AnyOf, Certainly, Node, Not, Reference
from cds_service.rules.ruleset import CompiledRule

Want = Literal["yes", "no", "not-yes", "not-no"]
_FITS: dict[Want, tuple[Truth, ...]] = {
    "yes": (YES,),
    "no": (NO,),
    "not-yes": (NO, UNKNOWN),
    "not-no": (YES, UNKNOWN),
}
_MIRRORED: dict[Want, Want] = {"yes": "no", "no": "yes", "not-yes": "not-no", "not-no": "not-yes"}
_DEAR = 5.0  # what no entry of a chart changes: a switch of the pack, a flag


@dataclass(frozen=True)
class Step:
    """A leaf that must come out otherwise than it does."""

    node: Node
    want: Want
    price: float


@dataclass(frozen=True)
class Way:
    """All steps that are needed, and what they cost together."""

    steps: tuple[Step, ...] = ()

    @property
    def price(self) -> float:
        """The sum of the steps' prices."""
        return sum(step.price for step in self.steps)


def way_to_fire(compiled: CompiledRule, context: Context) -> Way:
    """The cheapest way by which the rule would fire; without steps where it does."""
    finder = _Finder(context)
    parts = [finder.way(compiled.when, "yes")]
    if compiled.unless is not None:
        parts.append(finder.way(compiled.unless, "not-yes"))
    parts += [finder.way(exclusion.when, "not-yes") for exclusion in compiled.exclusions]
    return _together(parts)


def _together(ways: Iterable[Way]) -> Way:
    steps = dict.fromkeys(step for way in ways for step in way.steps)
    return Way(tuple(steps))


class _Finder:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[int, Want], Way] = {}

    def way(self, node: Node, want: Want) -> Way:
        """The cheapest way to make a node what is wanted."""
        if node.truth(self._context) in _FITS[want]:
            return Way()
        key = (id(node), want)
        if key not in self._known:
            self._known[key] = self._find(node, want)
        return self._known[key]

    def _find(self, node: Node, want: Want) -> Way:
        match node:
            case All() | AnyOf():
                ways = [self.way(child, want) for child in node.children]
                every = isinstance(node, All) == (want in ("yes", "not-no"))
                return _together(ways) if every else min(ways, key=lambda way: way.price)
            case Not():
                return self.way(node.children[0], _MIRRORED[want])
            case Certainly():
                inner: Want = "yes" if want in ("yes", "not-no") else "not-yes"
                return self.way(node.children[0], inner)
            case Reference():
                return self.way(node.children[0], want)
        return Way((Step(node, want, self._price(node, want)),))

    def _price(self, node: Node, want: Want) -> float:
        if not isinstance(node, Leaf):
            return _DEAR
        fact = node.read(self._context)
        if isinstance(node, Measured) and fact.state is State.KNOWN:
            return _distance(node, fact)
        if isinstance(node, Present | Absent | Measured):
            adds = isinstance(node, Absent) != (want in ("yes", "not-no"))
            return 1.0 if adds else 1.5
        return 2.0 if isinstance(node, CodeIn) else _DEAR


def _distance(leaf: Measured, fact: Fact) -> float:
    """How far a value is from its threshold, of it: 52 from 50 is 0.04; at most 1."""
    quantity = fact.items[0].quantity
    if quantity is None or leaf.threshold is None:
        return 1.0
    scale = max(abs(leaf.threshold), Decimal("0.001"))
    return min(1.0, float(abs(quantity.value - leaf.threshold) / scale))


def value_for(leaf: Measured, want: Want, step: Decimal) -> Decimal | None:
    """A value by which the leaf comes out as wanted: on the threshold or one step beyond."""
    limit = leaf.threshold
    if limit is None:
        return None
    op = leaf.op if isinstance(leaf, Compare) else "lt"
    above = op in ("gt", "ge")
    if (want in ("no", "not-yes")) == above:  # the value must come to lie low
        return limit - step if op in ("lt", "ge") else limit
    return limit + step if op in ("gt", "le") else limit
