"""Finding drug names in free text: whole words, any case, several words long, in one pass."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_TOKEN = re.compile(r"[a-z0-9]+|[/+;,&({\[]")
_BREAKS = frozenset("/+;,&({[") | {"and", "with"}

Tokens = tuple[str, ...]


class Negations(NamedTuple):
    """Words by which a text says that a drug is not in it: "non-aspirin", "aspirin-free"."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()


NEVER = Negations()


def words(text: str) -> Tokens:
    """The words of a name, lower case, without punctuation: "Estrogens, Conjugated" -> 2 words."""
    return tuple(token for token in _tokens(text) if token not in "/+;,&({[")


def _tokens(text: str) -> list[str]:
    """Words and separators, lower case, letters without their accents ("Furosémide")."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in parts if not unicodedata.combining(char))
    return _TOKEN.findall(text.lower())


class NameFinder:
    """Finds phrases in text and gives what they stand for; the longest phrase wins.

    `phrases` maps a phrase to ingredient names; to none for phrases that only look like a drug
    ("insulin syringe"). `leading` phrases count only as the first word of a component, because
    elsewhere they name a salt ("esomeprazole magnesium 40 mg / naproxen 500 mg").
    """

    def __init__(
        self,
        phrases: Mapping[str, Iterable[str]],
        leading: Iterable[str] = (),
        negations: Negations = NEVER,
    ) -> None:
        self._by_first: dict[str, list[tuple[Tokens, tuple[str, ...]]]] = {}
        for phrase, meaning in phrases.items():
            tokens = words(phrase)
            if tokens:
                self._by_first.setdefault(tokens[0], []).append((tokens, tuple(meaning)))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))
        self._negations = negations
        self._leading = frozenset(words(phrase) for phrase in leading)

    @property
    def leading(self) -> frozenset[Tokens]:
        """Phrases that count only as the first word of a component."""
        return self._leading

    def entries(self) -> Iterator[tuple[Tokens, tuple[str, ...]]]:
        """All phrases with what they stand for."""
        for entries in self._by_first.values():
            yield from entries

    def find(self, text: str) -> tuple[str, ...]:
        """The ingredients named in a text, in order of first mention, without duplicates."""
        tokens = _tokens(text)
        ingredients: dict[str, None] = {}
        position, first_word = 0, True
        while position < len(tokens):
            token = tokens[position]
            length, meaning = self._match(tokens, position, first_word)
            if length:
                ingredients.update(dict.fromkeys(meaning))
            first_word = not length and (token in _BREAKS or (first_word and _is_amount(token)))
            position += length or 1
        return tuple(ingredients)

    def _match(
        self, tokens: list[str], position: int, first_word: bool
    ) -> tuple[int, tuple[str, ...]]:
        """How many tokens match here (0 for none), and what they mean."""
        for phrase, meaning in self._by_first.get(tokens[position], ()):
            length = _reach(tokens, position, phrase)
            if not length or (phrase in self._leading and not first_word):
                continue
            return length, () if self._negated(tokens, position, position + length) else meaning
        return 0, ()

    def _negated(self, tokens: list[str], start: int, end: int) -> bool:
        before = tokens[start - 1] if start else ""
        after = tokens[end] if end < len(tokens) else ""
        return before in self._negations.before or after in self._negations.after


def _reach(tokens: list[str], position: int, phrase: Tokens) -> int:
    """How many tokens the phrase covers from here, commas and brackets inside it included."""
    at = position
    for word in phrase:
        while at > position and at < len(tokens) and tokens[at] in ",([":
            at += 1
        if at >= len(tokens) or tokens[at] != word:
            return 0
        at += 1
    return at - position


def _is_amount(token: str) -> bool:
    """Words that may stand before a drug's name: "24 HR", "3 ML", "1 ACTUAT"."""
    return token[0].isdigit() or token in ("hr", "ml", "actuat", "oral", "elemental")
