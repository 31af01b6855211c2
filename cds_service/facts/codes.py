"""Which codes some fact asks for. Looked up once for each code, for the life of a pack."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from cds_service.facts.catalogue import DOMAINS, NAMED, Catalogue
from cds_service.protocol.raw import Raw, decoded
from cds_service.terminology.codings import bare_system, names_of
from cds_service.terminology.entry_names import Names
from cds_service.terminology.index import OTHER_RESULTS, Terminology
from cds_service.terminology.statuses import NO_INFORMATION

# Stands among the value sets of what is in none and may matter all the same: Conditions of a code
# system that some set does not have, and of words alone (`facts.unread`).
OTHER = "*"
_OF_THE_LIST = "-"  # what says something of the list of problems, and of none of them
_CODED = tuple(name for name in DOMAINS if name != "drugs")  # those have a reader of their own

Key = tuple[str, str]  # system and code

MOST_REMEMBERED = 5_000  # codes of each domain; some 10 MB in all, if somebody tries
_LONGEST_REMEMBERED = 100  # characters; longer ones are no codes
_LONGEST_CONCEPT = 600  # bytes
_MOST_CODINGS = 100  # of one concept; more are no translations of it


class Known(NamedTuple):
    """A code that was looked up.

    `sets`: the wanted value sets that hold it. `listed`: some value set does, wanted or not.
    `unknown`: nothing knows it, the drug dictionary included.
    """

    key: Key
    sets: tuple[str, ...]
    listed: bool
    unknown: bool


Knowns = tuple[Known, ...]
Filed = tuple[tuple[str, Key], ...]  # value set, and the code that led to it


class Sent(NamedTuple):
    """A concept as calls write it, looked up.

    `known`: of each coding. `filed`: the value sets that it goes under, each once. `stranger`: the
    first system of a concept of which no coding is in a system of the wanted sets, "" for one in
    words alone; None for every other concept. `unclear`: some set could not recognise it (OTHER).
    """

    known: Knowns
    filed: Filed
    stranger: str | None
    unclear: bool


def under(known: Knowns) -> Filed:
    """The value sets of a concept's codings; where two codings lead to one, the first counts."""
    key_of_set: dict[str, Key] = {}
    for coding in known:
        for set_id in coding.sets:
            key_of_set.setdefault(set_id, coding.key)
    key_of_set.pop(OTHER, None)
    return tuple(key_of_set.items())


class Codes(dict[Key, Known]):
    """The codes of one domain (`catalogue.DOMAINS`) as calls write them: `codes[system, code]`.

    A code not met before is looked up, and remembered within bounds: the same few hundred come in
    every call, and nothing of them says whose they are. Raises AttributeError or TypeError for
    what is no system and code.
    """

    def __init__(self, wanted: Collection[str], terminology: Terminology) -> None:
        super().__init__()
        self.wanted = wanted
        self._terminology = terminology
        self._code_systems = terminology.vocabulary.systems
        self.concepts = Concepts(self)
        self._systems = frozenset(
            system
            for name in wanted
            if terminology.has_set(name)
            for system in terminology.systems_of(name)
        )

    def sent(self, concept: Raw) -> Sent:
        """What there is to know of a concept that was not read yet."""
        return self.concepts[bytes(concept)]

    def stranger(self, known: Knowns) -> str | None:
        """Of a concept: `Sent.stranger`."""
        systems = [coding.key[0] for coding in known if coding.key != ("", "")]
        told = not systems and any(set_id != OTHER for coding in known for set_id in coding.sets)
        if told or not self._systems.isdisjoint(map(self._code_systems.canonical, systems)):
            return None  # its words tell it, or a system that some set has
        return next(iter(systems), "")

    def of(self, concept: Any) -> Knowns:
        """What is known of each coding of a concept of any shape."""
        codings = self._code_systems.codings(concept)[:_MOST_CODINGS]
        known = tuple(self[system, code] for system, code, _ in codings)
        return self.beside(concept, known) if concept else known

    def beside(self, concept: Any, known: Knowns) -> Knowns:
        """What a domain makes of a concept beyond its codings."""
        return known

    def __missing__(self, written: Key) -> Known:
        system, code = written
        if type(system) is not str:
            raise TypeError("a system is a string")
        code = code.strip()
        known = self._look_up((system or bare_system(code), code))
        if len(system) + len(code) <= _LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[written] = known
        return known

    def _look_up(self, key: Key) -> Known:
        all_sets = self._terminology.sets_of(*key)
        sets = tuple(set_id for set_id in all_sets if set_id in self.wanted)
        return Known(key, sets, bool(all_sets), not all_sets and not self._terminology.knows(*key))


class Concepts(dict[bytes, Sent]):
    """Concepts as sent, not read: `concepts[bytes]`. The same few hundred come in every call, to
    the letter, so they are remembered within bounds."""

    def __init__(self, codes: Codes) -> None:
        super().__init__()
        self._codes = codes

    def __missing__(self, written: bytes) -> Sent:
        known = self._codes.of(decoded(written)) if written else ()
        unclear = any(OTHER in coding.sets for coding in known)
        sent = Sent(known, under(known), self._codes.stranger(known), unclear)
        if len(written) <= _LONGEST_CONCEPT:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[written] = sent
        return sent


class Problems(Codes):
    """The codes of Conditions; those of systems that some wanted set lacks are OTHER too."""

    def __init__(self, wanted: Collection[str], terminology: Terminology) -> None:
        super().__init__(wanted, terminology)
        systems = [terminology.systems_of(name) for name in wanted if terminology.has_set(name)]
        self._statuses = terminology.vocabulary.statuses
        self._everywhere = frozenset.intersection(*systems) if systems else frozenset()

    def beside(self, concept: Any, known: Knowns) -> Knowns:
        """A Condition in words alone is OTHER, and one that says that nobody knows the list; one
        that says that the list is empty is no problem at all, unless a code of it is one."""
        codings = [coding.key for coding in known]
        state = self._statuses.about_the_list(codings, names_of(concept))
        if state and not any(coding.listed for coding in known):
            sets = (_OF_THE_LIST, OTHER) if state == NO_INFORMATION else (_OF_THE_LIST,)
            return (Known(("", ""), sets, False, False),)
        return known or (Known(("", ""), (OTHER,), False, False),)

    def _look_up(self, key: Key) -> Known:
        known = super()._look_up(key)
        if self._code_systems.canonical(key[0]) in self._everywhere:
            return known
        return known._replace(sets=(*known.sets, OTHER))


class OrderCodes(Codes):
    """The codes of orders, and their words where no set knows any of their codes."""

    def beside(self, concept: Any, known: Knowns) -> Knowns:
        """With the sets that the words name; such an entry has no system and no code."""
        if any(coding.listed for coding in known):
            return known
        named = self._terminology.sets_of_order(names_of(concept))
        return (*known, Known(("", ""), tuple(s for s in named if s in self.wanted), False, False))


class ResultCodes(Codes):
    """The codes of results, and their names where no code says the same."""

    def __init__(
        self, wanted: Collection[str], terminology: Terminology, named: Collection[str]
    ) -> None:
        """`named`: the sets whose results may be told by their names."""
        super().__init__(wanted, terminology)
        self._lists = terminology.names
        self._names = terminology.names_of_results(named)
        self._results = frozenset(named)

    def beside(self, concept: Any, known: Knowns) -> Knowns:
        """With the sets that the words name, where they are none of the code's.

        Where a wanted code and the words disagree, or two wanted codes, none is believed: all are
        filed as named.
        """
        names = names_of(concept)
        coded = {set_id for coding in known for set_id in coding.sets}
        another_kind = any(map(self._lists.of_another_kind, names))
        named = {set_id for text in names for set_id in self._names.sets_of(text)}
        if coded:
            foreign = another_kind and not self._results.isdisjoint(coded)
            agree = not foreign and (not named or another_kind or coded & named)
            return known if agree and not self._apart(known) else _disputed(known, named | coded)
        named.discard(OTHER_RESULTS)
        if not named or another_kind or any(coding.listed for coding in known):
            return known  # the code says that it is something else that is known
        return (*known, Known(("", ""), _as_named(named), False, False))

    def _apart(self, known: Knowns) -> bool:
        """Whether two codes are of different tests."""
        sets = [results for coding in known if (results := self._results.intersection(coding.sets))]
        return any(sets[0].isdisjoint(other) for other in sets[1:])


def _disputed(known: Knowns, sets: Iterable[str]) -> Knowns:
    code = next(coding.key for coding in known if coding.sets)
    return (Known(code, _as_named(sets), True, False),)


def _as_named(sets: Iterable[str]) -> tuple[str, ...]:
    return tuple(NAMED + set_id for set_id in sorted(sets))


Wanted = Mapping[str, Codes]  # by domain


def wanted_codes(catalogue: Catalogue, terminology: Terminology) -> Wanted:
    """The codes that the facts of a catalogue ask for, shared by all calls of a pack."""
    remembered: dict[Terminology, Wanted] = catalogue.remembered
    known = remembered.get(terminology)
    if known is None:
        codes = {name: Codes(catalogue.readers[name], terminology) for name in _CODED}
        codes["orders"] = OrderCodes(catalogue.readers["orders"], terminology)
        codes["conditions"] = Problems(catalogue.readers["conditions"], terminology)
        codes["observations"] = ResultCodes(
            catalogue.readers["observations"], terminology, catalogue.results
        )
        known = remembered.setdefault(terminology, codes)
    return known


def words_remembered(catalogue: Catalogue, terminology: Terminology) -> dict[Any, Any]:
    """What the facts of a catalogue made of codes and words, shared by all calls of a pack."""
    known: dict[Any, Any] = catalogue.remembered.setdefault(("words", terminology), {})
    return known


def problem_names(catalogue: Catalogue, terminology: Terminology) -> Names:
    """The names of the problems that the facts of a catalogue ask for, shared by all calls."""
    remembered: dict[tuple[str, Terminology], Names] = catalogue.remembered
    known = remembered.get(("names", terminology))
    if known is None:
        names = terminology.names_of_problems(catalogue.readers["conditions"])
        known = remembered.setdefault(("names", terminology), names)
    return known
