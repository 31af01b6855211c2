"""What a pack knows beside value sets and drugs: code systems, routes, sides, statuses.

One holder for all of it, compiled once with the pack: `Terminology.vocabulary`. There are no
defaults: a list that no file has is empty, and `cds rules check` refuses a pack with an empty one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.terminology import code_systems, routes, sides, statuses
from cds_service.terminology.code_systems import CodeSystems, address_key
from cds_service.terminology.routes import Routes
from cds_service.terminology.sides import Sides
from cds_service.terminology.statuses import Statuses
from cds_service.terminology.word_lists import Lists, Normal, lists_of

Json = Any

# The lists of each file, and those that contradict each other.
LISTS: Mapping[str, tuple[str, ...]] = {
    "code-systems": code_systems.LISTS,
    "routes": routes.LISTS,
    "sides": sides.LISTS,
    "statuses": statuses.LISTS,
}
APART: Mapping[str, tuple[tuple[str, str], ...]] = {
    "code-systems": code_systems.APART,
    "routes": routes.APART,
    "sides": sides.APART,
    "statuses": statuses.APART,
}


ADDRESSES = "code-systems"


def normal_of(file: str) -> Normal:
    """The form in which the words of a file are compared."""
    return address_key if file == ADDRESSES else str


class Vocabulary:
    """The lists of all files in force, and what they are compiled into. Immutable."""

    def __init__(self, contents: Mapping[str, Iterable[Json]] | None = None) -> None:
        """`contents`: what each file says by its name without suffix, the site's last."""
        given = contents or {}
        addresses = lists_of(ADDRESSES, given.get(ADDRESSES, ()), normal=normal_of(ADDRESSES))
        self.systems = CodeSystems(addresses)
        self.lists: Mapping[str, Lists] = {
            name: lists_of(name, given.get(name, ()), self.systems.canonical, normal_of(name))
            for name in LISTS
        }
        self.routes = Routes(self.lists["routes"])
        self.sides = Sides(self.lists["sides"])
        self.statuses = Statuses(self.lists["statuses"])

    def told(self) -> dict[str, dict[str, list[str]]]:
        """What is in force, for people: by file and list, words and codes with their names."""
        return {
            file: {
                name: [*listed.words, *(f"{code.code} {code.display}" for code in listed.codes)]
                for name, listed in lists.items()
            }
            for file, lists in self.lists.items()
        }
