"""Names of entries: which value sets an entry's own words are equal to a name of.

Made from the displays of the value sets and from `names.json`. A name is no code: whoever asks is
told that an entry of that name is on file, never that it is one. Equal means the same words in
the same order, in any case, punctuation, number and spelling ("edema", "oedema"); a result's
specimen and side do not count. A problem's course and severity need not be a part of the name, nor
an abbreviation or a figure behind it ("Obstructive sleep apnea (OSA)").
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Json = Any
Words = tuple[str, ...]

_WORD = re.compile(r"[^\W_]+")
# "(ng/mL)", "[mmol/L]", "[Moles/volume]", "(%)": no part of the name.
_UNIT = re.compile(r"[(\[](?:[^()\[\]]*/[^()\[\]]*|%)[)\]]")
_BRITISH = re.compile(r"[ao]e|[\u00e6\u0153]")  # anaemia, oedema, diarrhœa
# SNOMED CT says at the end of a term what sort of concept it is.
_SORT = re.compile(r"\((?:finding|disorder|observable entity|procedure|situation|event)\)\s*$")
# "(OSA)", ", on CPAP", "; NYHA III": behind a problem's name, with an abbreviation or a figure.
# Other words may say that it is another problem: "Muscle cramps (hands)".
ADDED = r"[(\[,;][\s\S]*?([A-Z]{2}|[0-9])[\s\S]*$"
_ADDED = re.compile(ADDED)
# " with urine", " w reflex to mb", " non ionized": what comes with a result, or what it is not. In
# words as they are compared, with a blank around each.
ASIDE = r" (with|w|reflex) .*$| (non|no|not|without) (for |of )?[^ ]+(?= )"
_ASIDE = re.compile(ASIDE)
LONGEST = 120  # characters; longer words are a note and no name


def words_of(text: str) -> Words:
    """The words of a name as they are compared: folded, without punctuation, in the singular."""
    folded = _UNIT.sub(" ", _SORT.sub("", unicodedata.normalize("NFKC", text).casefold()))
    return tuple(_singular(word) for word in _WORD.findall(_BRITISH.sub("e", folded)))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


class NameLists(NamedTuple):
    """`names.json` as read. `names` by value set; the rest are single words, or phrases."""

    names: Mapping[str, tuple[str, ...]]
    ignored: frozenset[str] = frozenset()  # in names of results
    foreign: frozenset[str] = frozenset()  # words of results that are of another kind
    others: tuple[str, ...] = ()  # names of results that no rule asks for
    denials: frozenset[Words] = frozenset()  # phrases that say that a problem is not there
    qualifiers: frozenset[str] = frozenset()  # words of problems that say of what course they are

    def of_another_kind(self, text: str) -> bool:
        """Whether words say that a result is of another kind: of urine, an isoenzyme. What it comes
        with does not count ("CK with MB")."""
        said = _ASIDE.sub(" ", f" {' '.join(words_of(text[:LONGEST]))} ")
        return not self.foreign.isdisjoint(said.split())

    def denies(self, text: str) -> bool:
        """Whether a problem's words say that it is not there."""
        words = words_of(text[:LONGEST])
        return any(
            words[at : at + len(phrase)] == phrase
            for phrase in self.denials
            for at in range(len(words))
        )


def name_lists(contents: Iterable[Json]) -> NameLists:
    """The lists of several files together; a later one adds to those before it.

    What has not the right shape is passed over; `cds rules check` reports it.
    """
    names: dict[str, tuple[str, ...]] = {}
    of_results: dict[str, list[str]] = {"ignore": [], "not": [], "others": []}
    denials: list[str] = []
    qualifiers: list[str] = []
    for content in contents:
        for set_id, entry in _object(_object(content).get("names")).items():
            names[set_id] = (*names.get(set_id, ()), *_texts(_object(entry).get("names")))
        for key, names_of_kind in of_results.items():
            names_of_kind += _texts(_object(_object(content).get("results")).get(key))
        denials += _texts(_object(content).get("denials"))
        qualifiers += _texts(_object(content).get("qualifiers"))
    return NameLists(
        names,
        frozenset(word for text in of_results["ignore"] for word in words_of(text)),
        frozenset(word for text in of_results["not"] for word in words_of(text)),
        tuple(of_results["others"]),
        frozenset(words_of(text) for text in denials),
        frozenset(word for text in qualifiers for word in words_of(text)),
    )


class Names:
    """The names of some value sets. Immutable after construction."""

    def __init__(
        self,
        sets: Mapping[str, Iterable[str]],
        ignored: frozenset[str] = frozenset(),
        qualifiers: frozenset[str] = frozenset(),
    ) -> None:
        """`ignored` words never count; `qualifiers` need not, in the words of an entry."""
        self._ignored = ignored
        self._qualifiers = qualifiers
        sets_by_words: dict[Words, set[str]] = {}
        for set_id, texts in sets.items():
            for text in texts:
                sets_by_words.setdefault(self._key(words_of(text)), set()).add(set_id)
        sets_by_words.pop((), None)
        self._sets = {key: frozenset(named) for key, named in sets_by_words.items()}

    def entries(self) -> Mapping[Words, frozenset[str]]:
        """All names, each with the value sets that have it."""
        return self._sets

    def sets_of(self, text: str) -> frozenset[str]:
        """The value sets that have a name equal to the text, with its qualifiers or without; where
        qualifiers are known, also without what is added behind it."""
        if len(text) > LONGEST:
            return frozenset()
        named = self._sets_of(text)
        return named | self._sets_of(_ADDED.sub("", text)) if self._qualifiers else named

    def _sets_of(self, text: str) -> frozenset[str]:
        words = self._key(words_of(text))
        named = self._sets.get(words, frozenset())
        if self._qualifiers.isdisjoint(words):
            return named
        plain = tuple(word for word in words if word not in self._qualifiers)
        return named | self._sets.get(plain, frozenset())

    def _key(self, words: Words) -> Words:
        return tuple(word for word in words if word not in self._ignored)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
