"""Which codes some fact asks for. Looked up once for each code, for the life of a pack."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from cds_service.facts.catalogue import DOMAINS, Catalogue
from cds_service.terminology.index import Terminology

_CODED = tuple(name for name in DOMAINS if name != "drugs")  # those have a reader of their own

Key = tuple[str, str]  # system and code

MOST_REMEMBERED = 5_000  # codes of each domain; some 10 MB in all, if somebody tries
_LONGEST_REMEMBERED = 100  # characters; longer ones are no codes


class Known(NamedTuple):
    """A code that was looked up.

    `sets`: the wanted value sets that hold it. `listed`: some value set does, wanted or not.
    `unknown`: nothing knows it, the drug dictionary included.
    """

    key: Key
    sets: tuple[str, ...]
    listed: bool
    unknown: bool


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
