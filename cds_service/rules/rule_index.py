"""Which rules can say anything but "no" for a chart, found without evaluating them.

Most rules need a fact that most charts do not have: a certain drug, a certain finding. At compile
time each rule gets a *gate*, a set of facts of which one must be possible for `when` to be other
than NO. An evaluation looks only behind the gates of the facts that the chart makes possible, so
its cost follows the chart and not the number of rules.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.model import Truth
from cds_service.rules.context import Context
from cds_service.rules.leaves import Absent, Leaf
from cds_service.rules.nodes import All, AnyOf, Certainly, Node, Not, Reference, Switch

Gate = frozenset[str]
Cost = Callable[[str], int]

# Facts of these kinds are nearly always known, so they keep nothing out.
_OPEN_KINDS = frozenset({"code", "number", "flag"})


def gate(node: Node, cost: Cost) -> Gate | None:
    """Facts of which one must be possible for `node` to be other than NO; the cheapest such set.

    Empty: the node is always NO. None: it can hold on an empty chart.
    """
    match node:
        case Reference() | Certainly():
            return gate(node.children[0], cost)
        case Switch():
            return frozenset() if node.truth(_NOWHERE) is Truth.NO else None
        case Not(children=(Certainly(children=(Not(children=(doubted,)),)),)):
            return gate(doubted, cost)  # "not certainly not": it may hold, known or unknown
        case All():
            gates = [part for child in node.children if (part := gate(child, cost)) is not None]
            return min(gates, key=lambda part: sum(map(cost, part)), default=None)
        case AnyOf():
            return _either([gate(child, cost) for child in node.children])
        case Absent():
            return None
        case Leaf():
            return frozenset({node.fact})
    return None


def _either(parts: Iterable[Gate | None]) -> Gate | None:
    together: set[str] = set()
    for part in parts:
        if part is None:
            return None
        together |= part
    return frozenset(together)


def conjuncts(node: Node) -> tuple[Node, ...]:
    """The parts that must all hold: those of `all`, also of an `all` inside it."""
    if isinstance(node, All):
        return tuple(part for child in node.children for part in conjuncts(child))
    return (node,)


class _Group(NamedTuple):
    """Rules behind one gate that share a second gate and a guard."""

    second: Gate | None
    guard: Node | None
    positions: list[int]

    def gather(self, possible: Collection[str], context: Context, positions: set[int]) -> None:
        """Add the positions, unless the second gate or the guard keeps all of them out."""
        if self.second is not None and self.second.isdisjoint(possible):
            return
        if self.guard is None or not _surely_no(self.guard, context):
            positions.update(self.positions)


class Index:
    """Finds the positions of the rules that a chart can concern.

    Behind its cheapest gate a rule may have a second one, and a *guard*: the part of `when` that
    most rules share (the complaint). Rules with the same two are passed over at once.
    """

    def __init__(self, conditions: Sequence[Node], catalogue: Catalogue) -> None:
        self._behind: dict[str, list[_Group]] = defaultdict(list)
        self._ungated: list[_Group] = []
        self._groups: dict[object, _Group] = {}
        self._build(conditions, catalogue)

    def _build(self, conditions: Sequence[Node], catalogue: Catalogue) -> None:
        users = Counter(fact for node in conditions for fact in {x.fact for x in leaves([node])})
        shared = Counter(part for node in conditions for part in conjuncts(node))

        def cost(fact: str) -> int:
            is_open = catalogue.facts[fact].kind in _OPEN_KINDS
            return users[fact] + (len(conditions) if is_open else 0)

        for position, node in enumerate(conditions):
            parts = conjuncts(node)
            gates = {each for part in parts if (each := gate(part, cost)) is not None}
            best = sorted(gates, key=lambda each: (sum(map(cost, each)), sorted(each)))
            guard = max(parts, key=lambda part: shared[part])
            self._place(position, best, guard if shared[guard] > 1 else None)
        self._groups.clear()  # needed while building only

    def _place(self, position: int, best: Sequence[Gate], guard: Node | None) -> None:
        second = best[1] if len(best) > 1 else None
        if not best:
            self._group(None, None, guard, self._ungated).positions.append(position)
            return
        for fact in best[0]:
            group = self._group(fact, second, guard, self._behind[fact])
            group.positions.append(position)

    def _group(
        self, fact: str | None, second: Gate | None, guard: Node | None, place: list[_Group]
    ) -> _Group:
        key = (fact, second, guard)
        if key not in self._groups:
            self._groups[key] = _Group(second, guard, [])
            place.append(self._groups[key])
        return self._groups[key]

    def positions(self, context: Context) -> list[int]:
        """Positions, ascending, of all conditions that may be other than NO."""
        candidates: set[int] = set()
        possible = context.possible
        for group in self._ungated:
            group.gather(possible, context, candidates)
        behind = self._behind
        for fact in possible:
            if fact in behind:
                for group in behind[fact]:
                    group.gather(possible, context, candidates)
        return sorted(candidates)


def _surely_no(guard: Node, context: Context) -> bool:
    try:
        return guard.truth(context) is Truth.NO
    except Exception:  # each rule behind it will meet the fault and report it as its own outcome
        return False


class _NoFacts:
    """Stands where a node needs no facts to be judged."""

    def possible(self, draft: int | None = None) -> Collection[str]:
        """Nothing is."""
        return ()


_NOWHERE: Context = Context(_NoFacts())  # type: ignore[arg-type]


def leaves(nodes: Iterable[Node]) -> list[Leaf]:
    """All leaves of the conditions, those of definitions included, in reading order, each once."""
    all_leaves = [part for node in nodes for part in node.descend() if isinstance(part, Leaf)]
    return list(dict.fromkeys(all_leaves))
