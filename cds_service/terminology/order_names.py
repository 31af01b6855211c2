"""Names of orders in free text: which order sets an order's own words stand for.

Made from `order-names.json`. A set is named by its `names`, unless one of its `not` phrases stands
in the same order ("home" beside "sleep study"). Whole words, any case, any punctuation.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.terminology.names import Tokens, words

Json = Any


class _Phrase(NamedTuple):
    """One phrase and the sets that it names or rules out."""

    tokens: Tokens
    names: frozenset[str]
    rules_out: frozenset[str]


class OrderNames:
    """Immutable after construction. `entries` maps a set id to `{"names": [...], "not": [...]}`."""

    def __init__(self, entries: Mapping[str, Mapping[str, Json]] | None = None) -> None:
        named: dict[Tokens, set[str]] = {}
        ruled_out: dict[Tokens, set[str]] = {}
        for set_id, entry in (entries or {}).items():
            for phrase in entry.get("names", ()):
                named.setdefault(words(phrase), set()).add(set_id)
            for phrase in entry.get("not", ()):
                ruled_out.setdefault(words(phrase), set()).add(set_id)
        self._by_first: dict[str, list[_Phrase]] = {}
        for tokens in {**named, **ruled_out}:
            phrase = _Phrase(
                tokens, frozenset(named.get(tokens, ())), frozenset(ruled_out.get(tokens, ()))
            )
            if tokens:
                self._by_first.setdefault(tokens[0], []).append(phrase)

    def phrases(self) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
        """All phrases, with the sets that each names and those that it rules out."""
        for phrases in self._by_first.values():
            for phrase in phrases:
                yield " ".join(phrase.tokens), phrase.names, phrase.rules_out

    def sets_of(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The sets that an order's texts name, sorted; all its texts are read as one order."""
        named: set[str] = set()
        ruled_out: set[str] = set()
        for text in texts:
            tokens = words(text)
            for position, token in enumerate(tokens):
                for phrase in self._by_first.get(token, ()):
                    if tokens[position : position + len(phrase.tokens)] == phrase.tokens:
                        named |= phrase.names
                        ruled_out |= phrase.rules_out
        return tuple(sorted(named - ruled_out))
