"""The first few of many, with the number of the others: for lists that a person reads."""

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 8  # codes, names or products of one change, where nobody asks for all


@dataclass(frozen=True, slots=True)
class Some:
    """Names `most` of what it is given, in one text, and counts the others."""

    most: int

    def __call__(self, told: Iterable[str]) -> str:
        """ "a, b and 3 more" """
        words = list(told)
        others = len(words) - self.most
        return ", ".join(words[: self.most]) + (f" and {others} more" if others > 0 else "")


def counted(count: int, word: str) -> str:
    """ "1 branch", "2 branches" """
    if count == 1:
        return f"1 {word}"
    first, of, rest = word.partition(" of ")
    return f"{count} {first}{'es' if first.endswith('ch') else 's'}{of}{rest}"
