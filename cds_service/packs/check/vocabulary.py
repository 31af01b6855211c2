"""Lists of routes and the like: does each still say something, and nothing twice or both ways?"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.errors import Problem
from cds_service.packs.check import codes
from cds_service.packs.positions import JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import Entry, PackSource, obj, seq
from cds_service.terminology.code_systems import EDITIONS, OWN, SYSTEMS
from cds_service.terminology.codings import SNOMED
from cds_service.terminology.vocabulary import ADDRESSES, APART, LISTS, Vocabulary, normal_of
from cds_service.terminology.word_lists import (
    WORDS,
    Canonical,
    Code,
    Lists,
    WordList,
    codes_of,
    texts,
)


class _Place(NamedTuple):
    """Where a file has a word or code; a word is a code without a system."""

    entry: Entry
    path: JsonPath
    item: Code


def check(source: PackSource) -> Iterator[Problem]:
    """Lists that are empty, words that say two things, and what is taken out and was never in."""
    vocabulary = Vocabulary(source.contents(LISTS))
    canonical, in_force = vocabulary.systems.canonical, vocabulary.lists
    for file, names in LISTS.items():
        entries = [entry for entry in source.lists if entry.path[0] == file]
        for name in names if entries else ():
            named = [entry for entry in entries if entry.path[1] == name]
            yield from _empty(name, in_force[file].get(name), named or entries[:1])
            yield from _not_there(named, canonical)
        yield from _both_ways(file, in_force[file], entries, canonical)
    yield from _of_another(source)


def slips(source: PackSource) -> Iterator[Problem]:
    """Words that are shipped already, code systems that nobody knows, wrong check digits."""
    seen: dict[tuple[object, ...], Entry] = {}
    systems = Vocabulary(source.contents(LISTS)).systems
    for entry, path, item in _places(source.lists, systems.canonical):
        if seen.setdefault((*entry.path, item.system, item.code), entry) is not entry:
            message = f"'{item.code}' is in the shipped list already."
            yield entry.document.problem(path, "V607", message, severity="warning")
    for entry in source.lists:
        yield from codes.of_list(entry.document, entry.path, obj(entry.data).get("codes"), systems)


def _empty(name: str, listed: WordList | None, entries: list[Entry]) -> Iterator[Problem]:
    """A list without anything: what rests on it would never be told."""
    if listed and (listed.words or listed.codes):
        return
    last = entries[-1]
    path: JsonPath = last.path if last.path[1] == name else last.path[:1]
    message = f"The list '{name}' is empty: what it tells would never be told."
    yield last.document.problem(path, "V605", message, "Leave something in it.", key=True)


def _not_there(entries: list[Entry], canonical: Canonical) -> Iterator[Problem]:
    """What a later file takes out and no earlier one has."""
    known: set[str] = set()
    for entry in entries:
        normal = normal_of(str(entry.path[0]))
        for number, taken in enumerate(texts(obj(entry.data).get("without"))):
            if normal(taken) not in known:
                message = f"'{taken}' is not in the shipped list '{entry.path[1]}'."
                path = (*entry.path, "without", number)
                yield entry.document.problem(path, "V606", message, did_you_mean(taken, known))
        known.update(place.item.code for place in _places([entry], canonical))


def _both_ways(
    file: str, lists: Lists, entries: list[Entry], canonical: Canonical
) -> Iterator[Problem]:
    """Words and codes in force in two lists that say opposite things, at the later of the two."""
    for pair in APART[file]:
        left, right = ({code[:2] for code in _held(lists.get(name))} for name in pair)
        for system, item in sorted(left & right):
            *_, last = (
                place
                for place in _places((e for e in entries if e.path[1] in pair), canonical)
                if place.item[:2] == (system, item)
            )
            first = pair[1] if last.entry.path[1] == pair[0] else pair[0]
            message = f"'{item}' is in '{first}' too, which says another thing."
            hint = f'If that is wrong here, take it out: "{first}": {{"without": ["{item}"]}}.'
            yield last.entry.document.problem(last.path, "V608", message, hint)


def _of_another(source: PackSource) -> Iterator[Problem]:
    """A code system's own address that is given to another."""
    meant = {**SYSTEMS, EDITIONS: SNOMED}
    addresses = (entry for entry in source.lists if entry.path[0] == ADDRESSES)
    for entry, path, item in _places(addresses, str):
        own = OWN.get(item.code)
        if own and own != meant.get(str(entry.path[1])):
            message = f"'{item.display}' is the own address of another code system."
            yield entry.document.problem(path, "V608", message, f"It always means {own}.")


def _held(listed: WordList | None) -> Iterator[Code]:
    if listed:
        yield from (Code("", word, "") for word in listed.words)
        yield from listed.codes


def _places(entries: Iterable[Entry], canonical: Canonical) -> Iterator[_Place]:
    """Each word and code that files have, in their order and as they are compared."""
    for entry in entries:
        data, normal = obj(entry.data), normal_of(str(entry.path[0]))
        for key in WORDS:
            for number, text in enumerate(texts(data.get(key))):
                yield _Place(entry, (*entry.path, key, number), Code("", normal(text), text))
        for number, written in enumerate(seq(data.get("codes"))):
            for code in codes_of([written], canonical):
                yield _Place(entry, (*entry.path, "codes", number), code)
