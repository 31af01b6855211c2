"""Shared functions of the package: verdicts on entries, words, units."""

from cds_service.portable.elm import (
    FALSE,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    cases,
    exists,
    function,
    number,
    op,
    operand,
    query,
    text,
)
from cds_service.portable.reading_codes import either, replaced

YES, NO, OPEN = "yes", "no", "unknown"


def statements() -> list[Node]:
    """The functions."""
    return [
        function("Verdict", ["truth"], _verdict()),
        function("Weighed", ["verdicts", "gap"], _weighed()),
        function("Spaced", ["said"], _spaced()),
        function("Names One", ["spaced", "words"], _names_one()),
        function("Folded", ["unit"], _folded()),
    ]


def _verdict() -> Node:
    truth = operand("truth")
    return cases([(op("IsTrue", truth), text(YES)), (op("IsFalse", truth), text(NO))], text(OPEN))


def _weighed() -> Node:
    """An entry that counts decides; else one that may count, or a gap, leaves the fact unknown."""
    verdicts = operand("verdicts")
    counts = op("In", text(YES), verdicts)
    open_ones = op("Or", op("In", text(OPEN), verdicts), operand("gap"))
    return cases([(counts, TRUE), (open_ones, UNKNOWN)], FALSE)


def _spaced() -> Node:
    """Words in lower case, each between blanks."""
    bare = replaced(op("Lower", either(operand("said"), text(""))), r"[.,;:()\[\]/&+\-\s]+", " ")
    return op("Concatenate", text(" "), bare, text(" "))


def _names_one() -> Node:
    word = op("Concatenate", text(" "), alias("W"), text(" "))
    position: Node = {"type": "PositionOf", "pattern": word, "string": operand("spaced")}
    return exists(query(operand("words"), "W", op("GreaterOrEqual", position, number(0))))


def _folded() -> Node:
    """A unit's spelling reduced to what tells it apart within one analyte's short list."""
    folded = op("Lower", replaced(either(operand("unit"), text("")), r"\s+", ""))
    for spelling, plain in (("[\u00b5\u03bc]", "u"), ("mcg", "ug"), ("mcl", "ul"),
                            ("mcmol", "umol"), ("mciu", "uiu"),
                            (r"^x?10(?:\*{1,2}|\^|e|exp|\()\+?(\d+)\)?", "10*$1")):  # fmt: skip
        folded = replaced(folded, spelling, plain)
    return folded
