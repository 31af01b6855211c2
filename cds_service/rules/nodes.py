"""Compiled conditions: the nodes that combine parts. Leaves, which ask for a fact, are in `leaves`.

A node is shared by all rules that contain the same condition, so it knows neither its rule nor its
place in a file. `source` is its JSON, for words and traces.
"""

from collections.abc import Iterator
from typing import Any

from cds_service.facts.model import Item, Truth
from cds_service.rules.context import Context
from cds_service.rules.logic import NO, UNKNOWN, YES, certainly, negate

Json = Any


class Node:
    """One condition. `truth` is the only judgement; everything else explains it."""

    __slots__ = ("children", "source")

    def __init__(self, source: Json, children: tuple["Node", ...] = ()) -> None:
        self.source = source
        self.children = children

    def truth(self, context: Context) -> Truth:
        """Whether the condition holds."""
        raise NotImplementedError

    def items(self, context: Context) -> Iterator[Item]:
        """Chart entries of the leaves that made this node YES; may repeat."""
        return iter(())

    def reasons(self, context: Context) -> Iterator[str]:
        """Why this node is UNKNOWN, as "fact: reason"; may repeat."""
        for child in self.children:
            if child.truth(context) is UNKNOWN:
                yield from child.reasons(context)

    def descend(self) -> Iterator["Node"]:
        """This node and all below it, definitions included, in reading order."""
        yield self
        for child in self.children:
            yield from child.descend()


class _Group(Node):
    __slots__ = ()

    def items(self, context: Context) -> Iterator[Item]:
        for child in self.children:
            if child.truth(context) is YES:
                yield from child.items(context)


class All(_Group):
    """Every part holds. Written out, not by `logic.all_of`: this is the hot path."""

    __slots__ = ()

    def truth(self, context: Context) -> Truth:
        result = YES
        for child in self.children:
            truth = child.truth(context)
            if truth is NO:
                return NO
            if truth is UNKNOWN:
                result = UNKNOWN
        return result


class AnyOf(_Group):
    """At least one part holds."""

    __slots__ = ()

    def truth(self, context: Context) -> Truth:
        result = NO
        for child in self.children:
            truth = child.truth(context)
            if truth is YES:
                return YES
            if truth is UNKNOWN:
                result = UNKNOWN
        return result


class Not(Node):
    """The part does not hold. What was *not* found has no chart entry to cite."""

    __slots__ = ()

    def truth(self, context: Context) -> Truth:
        return negate(self.children[0].truth(context))


class Certainly(_Group):
    """The part is known to hold."""

    __slots__ = ()

    def truth(self, context: Context) -> Truth:
        return certainly(self.children[0].truth(context))


class Switch(Node):
    """A yes-or-no setting: decided when the pack is compiled."""

    __slots__ = ("_truth",)

    def __init__(self, source: Json, truth: Truth) -> None:
        super().__init__(source)
        self._truth = truth

    def truth(self, context: Context) -> Truth:
        return self._truth


class Reference(Node):
    """A named definition: compiled once, judged once per evaluation."""

    __slots__ = ("name",)

    def __init__(self, name: str, definition: Node) -> None:
        super().__init__({"is": name}, (definition,))
        self.name = name

    def truth(self, context: Context) -> Truth:
        truth = context.memo.get(self)
        if truth is None:
            truth = context.assumed.get(self.name) or self.children[0].truth(context)
            context.memo[self] = truth
        return truth

    def items(self, context: Context) -> Iterator[Item]:
        if self.children[0].truth(context) is YES:
            yield from self.children[0].items(context)
