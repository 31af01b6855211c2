"""Which leg a code or a word names, and whether words tell of exercise: `sides.json`."""

from collections.abc import Iterable
from typing import Literal

from cds_service.terminology.word_lists import Lists, by_code, held_by, words_of

Side = Literal["left", "right"]

LISTS = (
    "left-codes", "right-codes", "left-tests", "right-tests", "left", "right", "after-exercise",
    "at-rest",
)  # fmt: skip
APART = (
    ("left-codes", "right-codes"), ("left-tests", "right-tests"), ("left", "right"),
    ("after-exercise", "at-rest"),
)  # fmt: skip
_SIDES: tuple[Side, Side] = ("left", "right")


class Sides:
    """The lists in force, compiled. Immutable."""

    def __init__(self, lists: Lists) -> None:
        self._codes = {s: by_code(lists, f"{s}-codes") for s in _SIDES}
        self._tests = {s: by_code(lists, f"{s}-tests") for s in _SIDES}
        self._words = {s: frozenset(words_of(lists, s)) for s in _SIDES}
        self._exercise = words_of(lists, "after-exercise")
        self._at_rest = words_of(lists, "at-rest")

    def of_test(self, system: str, code: str) -> Side | None:
        """The leg that a test's own code names."""
        return next((s for s in _SIDES if held_by(self._tests[s], system, code)), None)

    def of_code(self, system: str, code: str) -> Side | None:
        """The side that a qualifier is."""
        return next((s for s in _SIDES if held_by(self._codes[s], system, code)), None)

    def of_words(self, words: Iterable[str]) -> set[Side]:
        """The sides that words in lower case name."""
        named = frozenset(words)
        return {s for s in _SIDES if not named.isdisjoint(self._words[s])}

    def after_exercise(self, text: str) -> bool:
        """Whether a text in lower case, with blanks for hyphens, says so."""
        return any(words in text for words in self._exercise) and not any(
            words in text for words in self._at_rest
        )
