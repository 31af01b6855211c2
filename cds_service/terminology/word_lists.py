"""Lists of words and codes that the program asks for by name: routes.json and its sisters.

Each file has one section, called like the file, with its lists by name; a list has `words`,
`codes` or both, or `addresses`. A later folder adds to them; what it names under `without` is taken
out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.terminology.codings import LOINC, SNOMED, canonical_code

Json = Any


class Code(NamedTuple):
    """A code as a list has it; `display` is for people."""

    system: str
    code: str
    display: str


class WordList(NamedTuple):
    """One list in force."""

    words: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()


Lists = Mapping[str, WordList]
Canonical = Callable[[Any], str]  # gives a code system its own address
Normal = Callable[[str], str]  # gives a word the form in which it is compared
Keys = frozenset[str | tuple[str, str]]  # of codes, as `held_by` looks them up
WORDS = ("words", "addresses")  # a list has one of them
CHECKED = (SNOMED, LOINC)  # codes with a check digit are nobody else's, under any address


def lists_of(
    section: str, contents: Iterable[Json], canonical: Canonical = str, normal: Normal = str
) -> dict[str, WordList]:
    """The lists of one section, of several files laid over each other, the site's last.

    What has not the right shape is passed over; `cds rules check` reports it.
    """
    lists: dict[str, WordList] = {}
    for content in contents:
        for name, entry in _object(_object(content).get(section)).items():
            below = lists.get(name, WordList())
            lists[name] = _with(below, _object(entry), canonical, normal)
    return lists


def _with(
    below: WordList, entry: Mapping[str, Json], canonical: Canonical, normal: Normal
) -> WordList:
    """A list with what an entry of a later file adds to it and takes out."""
    without = frozenset(map(normal, texts(entry.get("without"))))
    words = dict.fromkeys(word for word in below.words if word not in without)
    codes = dict.fromkeys(code for code in below.codes if code.code not in without)
    for key in WORDS:
        words |= dict.fromkeys(map(normal, texts(entry.get(key))))
    codes |= dict.fromkeys(codes_of(entry.get("codes"), canonical))
    return WordList(tuple(words), tuple(codes))


def words_of(lists: Lists, name: str) -> tuple[str, ...]:
    """The words of one list, in lower case."""
    return tuple(word.lower() for word in lists.get(name, WordList()).words)


def by_code(lists: Lists, name: str) -> Keys:
    """The codes of one list."""
    return frozenset(
        code.code.lower() if code.system in CHECKED else (code.system, code.code)
        for code in lists.get(name, WordList()).codes
    )


def held_by(keys: Keys, system: str, code: str) -> bool:
    """Whether a list has a code; without a system only one with a check digit."""
    return code.lower() in keys or (system, code) in keys


def codes_of(value: Json, canonical: Canonical = str) -> Iterator[Code]:
    """The codes that a list in a file gives."""
    for entry in value if isinstance(value, list) else ():
        coding = _object(entry)
        system = canonical(coding.get("system"))
        code = canonical_code(system, coding.get("code"))
        if code:
            yield Code(system, code, str(coding.get("display", "")))


def texts(value: Json) -> list[str]:
    """The texts of what should be a list of them."""
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
