"""The three-valued logic of conditions, and how a result reported as a range meets a threshold.

NO < UNKNOWN < YES. What is not known is never NO: `not unknown` is unknown, and only a part that
decides alone (a NO under `all`, a YES under `any`) can outweigh it. tests/spec has the tables.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from cds_service.facts.model import Quantity, Truth

Comparison = Literal["lt", "le", "gt", "ge"]
COMPARISONS: tuple[Comparison, ...] = ("lt", "le", "gt", "ge")

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN


def all_of(truths: Iterable[Truth]) -> Truth:
    """The weakest of the parts; YES when there are none."""
    result = YES
    for truth in truths:
        if truth is NO:
            return NO
        if truth is UNKNOWN:
            result = UNKNOWN
    return result


def any_of(truths: Iterable[Truth]) -> Truth:
    """The strongest of the parts; NO when there are none."""
    result = NO
    for truth in truths:
        if truth is YES:
            return YES
        if truth is UNKNOWN:
            result = UNKNOWN
    return result


def negate(truth: Truth) -> Truth:
    """YES and NO change places; unknown stays unknown."""
    if truth is UNKNOWN:
        return UNKNOWN
    return NO if truth is YES else YES


def certainly(truth: Truth) -> Truth:
    """Unknown becomes NO: for "only where it is certain"."""
    return YES if truth is YES else NO


def compare(quantity: Quantity, op: Comparison, threshold: Decimal) -> Truth:
    """Whether every value that `quantity` may stand for satisfies `op threshold`.

    A result such as "<5" or ">=50" is a range. YES when the whole range satisfies the comparison,
    NO when none of it does, UNKNOWN when the threshold lies inside (clinical specification 2.4).
    Both are in the same unit.
    """
    match op:
        case "lt":
            return _below(quantity, threshold, or_equal=False)
        case "le":
            return _below(quantity, threshold, or_equal=True)
        case "ge":
            return negate(_below(quantity, threshold, or_equal=False))
        case "gt":
            return negate(_below(quantity, threshold, or_equal=True))
    raise ValueError(f"not a comparison: {op}")


def _below(quantity: Quantity, threshold: Decimal, *, or_equal: bool) -> Truth:
    value, comparator = quantity.value, quantity.comparator
    on_threshold = value == threshold
    if comparator in ("<", "<="):  # the value is an upper bound
        inside = value < threshold or (on_threshold and (or_equal or comparator == "<"))
        return YES if inside else UNKNOWN
    if comparator in (">", ">="):  # the value is a lower bound
        outside = value > threshold or (on_threshold and (not or_equal or comparator == ">"))
        return NO if outside else UNKNOWN
    return YES if value < threshold or (on_threshold and or_equal) else NO
