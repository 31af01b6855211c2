"""Names in a value set that do not fit the set: an ischemia of the bowel among anemias.

A set's own words are those of its title, those that many of its names share, and those that it
names itself (the extension `set-words`). A name that has none of them is worth a look: it may be a
synonym, which belongs among the set's words, or a code that was caught by mistake.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cds_service.errors import Problem
from cds_service.packs.source import PackSource
from cds_service.terminology.index import Terminology
from cds_service.terminology.valueset import Key, ParsedSet

_WORD = re.compile(r"[a-z]{4,}")
_STEM = 5  # letters that tell words apart: anemia, anemias, anemic
_SHARED = 0.08  # a word that so many of a set's names have is one of the set's own
_HINT = "Take the code out, or add a word of the name to the set's extension set-words."
_LITTLE = frozenset({
    "with", "without", "other", "unspecified", "disorder", "finding", "disease", "syndrome",
    "situation", "procedure", "chronic", "acute", "due", "type", "left", "right", "bilateral",
    "from", "caused", "associated", "related", "secondary", "primary", "disorders", "diseases",
    "condition", "elsewhere", "classified", "specified", "this", "that",
})  # fmt: skip


class Outlier(NamedTuple):
    """A name in which no word of its set occurs."""

    set_id: str
    key: Key
    display: str


def check(source: PackSource) -> Iterator[Problem]:
    """Names of condition sets that have none of their set's words."""
    files = {value_set.id: value_set.name for value_set in source.value_sets}
    for outlier in outliers(source.terminology):
        system, code = outlier.key
        message = f"'{outlier.display}' ({system}|{code}) fits no word of this set."
        file = files.get(outlier.set_id, "")
        yield Problem(file, 1, 1, "$.compose", "W711", message, _HINT, "warning")


def outliers(terminology: Terminology) -> Iterator[Outlier]:
    """Names that fit their set least. A set without a title says nothing of itself;
    a server's expansion is the server's to answer for."""
    for set_id in terminology.set_ids():
        value_set = terminology.value_set(set_id)
        if set_id.startswith("cond-") and any(value_set.words) and not value_set.expanded:
            yield from _of_set(value_set)


def _of_set(value_set: ParsedSet) -> Iterator[Outlier]:
    names = {**value_set.concepts, **value_set.below}
    own = _own_words(value_set.words, list(names.values()))
    for key, display in sorted(names.items()):
        if display and own.isdisjoint(_stems(display)):
            yield Outlier(value_set.id, key, display)


def _own_words(told: list[str], names: list[str]) -> set[str]:
    counts = Counter(stem for name in names for stem in _stems(name))
    shared = {stem for stem, count in counts.items() if count > max(2, _SHARED * len(names))}
    return shared.union(*map(_stems, told))


def _stems(text: str) -> set[str]:
    """Beginnings of the telling words; British spelling counts as American."""
    plain = text.lower().replace("aemi", "emi").replace("oedem", "edem").replace("haem", "hem")
    return {word[:_STEM] for word in _WORD.findall(plain) if word not in _LITTLE}
