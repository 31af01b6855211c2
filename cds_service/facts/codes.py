"""Which codes some fact asks for. Looked up once for each code, for the life of a pack."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from cds_service.facts.catalogue import DOMAINS, Catalogue
from cds_service.protocol.raw import Raw, decoded
from cds_service.terminology.codings import codings
from cds_service.terminology.index import Terminology

_CODED = tuple(name for name in DOMAINS if name != "drugs")  # those have a reader of their own

Key = tuple[str, str]  # system and code

MOST_REMEMBERED = 5_000  # codes of each domain; some 10 MB in all, if somebody tries
_LONGEST_REMEMBERED = 100  # characters; longer ones are no codes
_LONGEST_CONCEPT = 600  # bytes


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
        self._concepts: dict[bytes, Knowns] = {}

    def of_sent(self, concept: Raw) -> Knowns:
        """What is known of each coding of a concept that was not read yet.

        The same few hundred concepts come in every call, to the letter.
        """
        written = bytes(concept)
        known = self._concepts.get(written)
        if known is None:
            known = self.of(decoded(written)) if written else ()
            if len(written) <= _LONGEST_CONCEPT:
                if len(self._concepts) >= MOST_REMEMBERED:
                    self._concepts.clear()
                self._concepts[written] = known
        return known

    def of(self, concept: Any) -> Knowns:
        """What is known of each coding of a concept of any shape."""
        return tuple(self[system, code] for system, code, _ in codings(concept))

    def __missing__(self, written: Key) -> Known:
        system, code = written
        if type(system) is not str:
            raise TypeError("a system is a string")
        known = self._look_up((system, code.strip()))
        if len(system) + len(code) <= _LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[written] = known
        return known

    def _look_up(self, key: Key) -> Known:
        found = self._terminology.sets_of(*key)
        sets = tuple(set_id for set_id in found if set_id in self.wanted)
        return Known(key, sets, bool(found), not found and not self._terminology.knows(*key))


Wanted = Mapping[str, Codes]  # by domain


def wanted_codes(catalogue: Catalogue, terminology: Terminology) -> Wanted:
    """The codes that the facts of a catalogue ask for, shared by all calls of a pack."""
    remembered: dict[Terminology, Wanted] = catalogue.remembered
    known = remembered.get(terminology)
    if known is None:
        made = {name: Codes(catalogue.readers[name], terminology) for name in _CODED}
        known = remembered.setdefault(terminology, made)
    return known
