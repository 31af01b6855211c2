"""What a chart entry is called: by the pack, by the chart, or by the fact it was found for.

The pack's own name of a code is the reviewed one. Where the pack only lists a code's beginning
("R60") or a catch-all ("Edema, not elsewhere classified"), the chart's words for the exact code say
more, if they are short.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from cds_service.terminology.codings import names_of

Displays = Callable[[], Iterable[str]]  # asked only where the pack's own name says too little

LONGEST = 60  # longer words of a chart are no name but a note

_CATCH_ALL = re.compile(
    r"\b(?:not elsewhere classified|unspecified|other|nos|nec)\b", re.IGNORECASE
)
_HEAD = re.compile(r"^(?:other|unspecified)(?:,? and unspecified| specified)? ", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:,| -)? \(?(?:not elsewhere classified|unspecified|nos|nec)\)?$", re.IGNORECASE
)

# SNOMED CT's fully specified names end with the kind of concept, which no clinician says.
_KIND = re.compile(r" \((?:disorder|finding|procedure|situation|event|regime/therapy)\)$")


def best(pack: str, concept: Any, displays: Displays, *, exact: bool, title: str) -> str:
    """The name of an entry.

    `pack` is the pack's display of the code ("" for none) and `exact` whether it names this very
    code; `concept` is what the chart says and `displays` gives its displays of the very code;
    `title` is the fact's.
    """
    pack = _KIND.sub("", pack)
    if pack and exact and not _says_little(pack):
        return pack
    own = list(_short_words(concept, displays))
    for name in (*own, pack):
        if name and not _CATCH_ALL.search(name):
            return name
    for name in (pack, *own):
        if name and not _CATCH_ALL.search(bare := _HEAD.sub("", _TAIL.sub("", name))):
            return _capital(bare)
    if pack or own:
        return _capital(title)
    return next(iter(names_of(concept)), "") or title


@lru_cache(maxsize=4096)  # the pack has no more names than that
def _says_little(pack: str) -> bool:
    return bool(_CATCH_ALL.search(pack))


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _short_words(concept: Any, displays: Displays) -> Iterator[str]:
    """The chart's text and its display of the very code; words in capitals only are left out."""
    text = concept.get("text") if isinstance(concept, dict) else None
    for words in (text, *displays()):
        name = _KIND.sub("", " ".join(words.split())) if isinstance(words, str) else ""
        if 0 < len(name) <= LONGEST and not name.isupper():
            yield name
