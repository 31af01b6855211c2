"""The value sets of the package: what each lists, and how the ELM asks whether a code is in one.

A set of ours may hold single codes, beginnings of codes ("stems"), and exceptions to both; each is
a value set of its own in the package, as no engine can expand a beginning. A drug set also lists
the products that the drug dictionary knows of its ingredients.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.portable.elm import (
    Node,
    all_of,
    any_in,
    any_of,
    exists,
    negated,
    of,
    one_in,
    query,
)
from cds_service.rules.model import Pack
from cds_service.terminology.codings import ATC, INGREDIENT, RXNORM
from cds_service.terminology.valueset import Key

BASE = "https://cds.legcramps.example/ValueSet/"
STEMS = "stems"
EXCEPT = "except"
EXCEPT_STEMS = "except-stems"


@dataclass(frozen=True)
class Listed:
    """A value set as the package has it: its codes with their names."""

    id: str
    title: str
    codes: Mapping[Key, str]
    description: str = ""

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{BASE}{self.id}"


@dataclass
class Sets:
    """The value sets that the ELM asked for, by id, made when they are asked for."""

    pack: Pack
    by_id: dict[str, Listed] = field(default_factory=dict)
    ingredients: dict[str, str] = field(default_factory=dict)  # name: id of its set
    _drugs: dict[str, dict[Key, str]] | None = None

    def named(self, set_id: str, title: str, codes: Mapping[Key, str], description: str) -> str:
        """Add a set that the pack does not have as such; its id."""
        self.by_id.setdefault(
            set_id, Listed(set_id, title, dict(sorted(codes.items())), description)
        )
        return set_id

    def holds(self, name: str, set_ids: Iterable[str]) -> Node:
        """Whether the entry at hand (a tuple with `codes`, `stems` and `codings`) is in a set."""
        return any_of([self._one(name, set_id) for set_id in set_ids])

    def _one(self, name: str, set_id: str) -> Node:
        parts = self._parts(set_id)
        asked = [any_in(of(name, "codes"), set_id)]
        if STEMS in parts:
            asked.append(any_in(of(name, "stems"), parts[STEMS]))
        if EXCEPT not in parts and EXCEPT_STEMS not in parts:
            return any_of(asked)
        return exists(query(of(name, "codings"), "K", _but_for(set_id, parts)))

    def _parts(self, set_id: str) -> dict[str, str]:
        """The ids of the sets that stand for one of ours, by what they hold."""
        ours = self.pack.terminology.value_set(set_id)
        title = ours.title or set_id
        self.named(set_id, title, self.codes(set_id), "")
        ids: dict[str, str] = {}
        others = {
            STEMS: (ours.below, "codes that begin so are in the set"),
            EXCEPT: (dict.fromkeys(ours.excluded, ""), "codes that are not in the set after all"),
            EXCEPT_STEMS: (dict.fromkeys(ours.excluded_below, ""), "codes that begin so are not"),
        }
        for kind, (codes, told) in others.items():
            if codes:
                ids[kind] = self.named(f"{set_id}-{kind}", f"{title}: {told}", codes, told)
        return ids

    def codes(self, set_id: str) -> dict[Key, str]:
        """All single codes of a set: listed, and the products of a drug set's ingredients."""
        value_set = self.pack.terminology.value_set(set_id)
        listed = {key: name for key, name in value_set.concepts.items() if key[0] != INGREDIENT}
        listed |= {
            key: name for key, name in value_set.below.items() if key not in value_set.excluded
        }
        return {**self._of_dictionary().get(set_id, {}), **listed}

    def _of_dictionary(self) -> Mapping[str, Mapping[Key, str]]:
        if self._drugs is None:
            self._drugs = {}
            for set_id, key, name in _dictionary(self.pack):
                self._drugs.setdefault(set_id, {})[key] = name
        return self._drugs


def _but_for(set_id: str, parts: Mapping[str, str]) -> Node:
    inside = [one_in(of("K", "code"), set_id)]
    if STEMS in parts:
        inside.append(any_in(of("K", "stems"), parts[STEMS]))
    outside = []
    if EXCEPT in parts:
        outside.append(one_in(of("K", "code"), parts[EXCEPT]))
    if EXCEPT_STEMS in parts:
        outside.append(any_in(of("K", "stems"), parts[EXCEPT_STEMS]))
    return all_of([any_of(inside), negated(any_of(outside))])


def _dictionary(pack: Pack) -> Iterator[tuple[str, Key, str]]:
    """Every code of the drug dictionary, with the drug sets that it is in."""
    terminology = pack.terminology
    for product in terminology.drugs.products():
        for set_id in terminology.sets_of(RXNORM, product.code):
            yield set_id, (RXNORM, product.code), product.name
    for code in terminology.drugs.atc_codes():
        direct = terminology.sets_of(ATC, code)
        for set_id in direct or _by_ingredients(pack, code):
            yield set_id, (ATC, code), ""


def _by_ingredients(pack: Pack, code: str) -> set[str]:
    names = pack.terminology.drugs.ingredients_of_atc(code)
    return {set_id for name in names for set_id in pack.terminology.sets_of_ingredient(name)}
