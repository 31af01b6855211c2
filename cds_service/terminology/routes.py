"""Whether a medicine acts on the whole body or where it is put, from words, forms and codes.

The words and codes are those of `routes.json`. Order of trust: a code, then a word for the route
("vaginal", "by mouth"), then a word for the form ("gel"). Transdermal patches act on the whole
body, except those whose drug works under the patch. Suppositories count as systemic: the listed
drugs are given rectally for their systemic effect.
"""

import re
from collections.abc import Iterable
from typing import Literal

from cds_service.terminology.word_lists import Lists, by_code, words_of

RouteClass = Literal["systemic", "local", "unknown"]
Hint = str | tuple[str, str]  # words, or a code with its system

LISTS = (
    "systemic-codes", "local-codes", "patch-codes", "injected-codes", "systemic-routes",
    "local-routes", "rectal", "patches", "local-patch-drugs", "local-forms", "systemic-forms",
    "swallowed-gels", "injected",
)  # fmt: skip
APART = (  # lists that say opposite things: one word stands in one of them
    ("systemic-codes", "local-codes"), ("systemic-codes", "patch-codes"),
    ("local-codes", "patch-codes"), ("local-codes", "injected-codes"),
    ("systemic-routes", "local-routes"), ("systemic-forms", "local-forms"),
    ("injected", "local-routes"), ("injected", "local-forms"),
)  # fmt: skip
SWALLOWED = "softgel"  # what a gel in a capsule is read as
_KINDS = ("systemic", "local", "patch")
_LETTER = "[a-z\u00df-\u024f]"  # of lower-case words in Latin script
_WORD = re.compile(rf"{_LETTER}(?:{_LETTER}|-)*{_LETTER}|[0-9]+")


class Routes:
    """The lists in force, compiled. Immutable."""

    def __init__(self, lists: Lists) -> None:
        self._words = {name: frozenset(words_of(lists, name)) for name in LISTS}
        self._words["systemic-forms"] |= {SWALLOWED}
        self._codes: dict[Hint, str] = {
            key: kind for kind in _KINDS for key in by_code(lists, f"{kind}-codes")
        }
        self._injected = by_code(lists, "injected-codes")
        self._swallowed = re.compile(swallowed_pattern(words_of(lists, "swallowed-gels")))

    def route_of(self, *hints: Hint) -> RouteClass:
        """The route class of a medicine from anything that tells it, most telling first.

        Each hint is a route's code, a route's or form's display, dosage text or the drug's own
        text. The first hint that decides counts: hand in the dosage route before the product's
        name.
        """
        local_patch = any(map(self._acts_under_it, hints))
        for hint in hints:
            decided = self._of(hint, local_patch)
            if decided != "unknown":
                return decided
        return "unknown"

    def is_injected(self, *hints: Hint) -> bool:
        """Whether any hint, as for `route_of`, says that a medicine is injected or infused."""
        return any(
            not self._injected.isdisjoint(_keys(hint))
            or not self._words["injected"].isdisjoint(_WORD.findall(_text(hint)))
            for hint in hints
        )

    def _acts_under_it(self, hint: Hint) -> bool:
        return not self._words["local-patch-drugs"].isdisjoint(_WORD.findall(_text(hint)))

    def _of(self, hint: Hint, local_patch: bool) -> RouteClass:
        for key in _keys(hint):
            match self._codes.get(key):
                case "patch":
                    return "local" if local_patch else "systemic"
                case "local":
                    return "local"
                case "systemic":
                    return "systemic"
        return self._by_words(_text(hint), local_patch)

    def _by_words(self, text: str, local_patch: bool) -> RouteClass:
        named = set(_WORD.findall(self._swallowed.sub(SWALLOWED, text)))
        words = self._words
        systemic, local = named & words["systemic-routes"], named & words["local-routes"]
        if systemic or local:
            return "unknown" if systemic and local else "systemic" if systemic else "local"
        if named & words["rectal"]:
            return "systemic" if named & words["systemic-forms"] else "local"
        if named & words["patches"]:
            return "local" if local_patch else "systemic"
        if named & words["local-forms"]:
            return "local"
        return "systemic" if named & words["systemic-forms"] else "unknown"


def _keys(hint: Hint) -> tuple[Hint, ...]:
    return (hint.strip(),) if isinstance(hint, str) else (hint[1], hint)


def _text(hint: Hint) -> str:
    return (hint if isinstance(hint, str) else hint[1]).lower()


def swallowed_pattern(phrases: Iterable[str]) -> str:
    """A regular expression of phrases, the longest first; a blank in them may be a hyphen or
    missing. One that matches nothing where there are none."""
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    either = "|".join("[ -]?".join(map(re.escape, phrase.split())) for phrase in longest_first)
    return rf"\b(?:{either})\b" if either else r"[^\s\S]"
