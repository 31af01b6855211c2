"""All value sets and the drug dictionary, compiled so that one code costs one or two dict look-ups.

Build with `Terminology.from_folder` (cds_service.terminology.loading has the steps) or from parsed
sets. Immutable afterwards; shared by all threads.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cds_service.errors import Problem
from cds_service.terminology.codings import (
    CANONICAL,
    INGREDIENT,
    NDC,
    RXNORM,
    canonical_code,
)
from cds_service.terminology.drugs import DrugDictionary, Product
from cds_service.terminology.entry_names import NameLists, Names
from cds_service.terminology.order_names import OrderNames
from cds_service.terminology.valueset import PREFIX_SYSTEMS, Key, ParsedSet
from cds_service.terminology.vocabulary import Vocabulary
from cds_service.units.table import UnitTables

OTHER_RESULTS = "other-results"  # in place of a value set, of results that no rule asks for
MOST_REMEMBERED = 20_000  # look-ups of each kind
_LONGEST_REMEMBERED = 100  # characters; longer ones are no codes

_K = TypeVar("_K", bound=tuple[str, ...])
_V = TypeVar("_V")


class Terminology:
    """Which value sets a code, an ingredient or a product belongs to. Set ids come sorted."""

    def __init__(
        self,
        sets: Mapping[str, ParsedSet],
        drugs: DrugDictionary | None = None,
        units: UnitTables | None = None,
        order_names: OrderNames | None = None,
        names: NameLists | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """`sets` must have no references left (loading.resolve)."""
        self.drugs = drugs or DrugDictionary({})
        self.units = units or UnitTables({})
        self.names = names or NameLists({})
        self.vocabulary = vocabulary or Vocabulary()
        self._order_names = order_names or OrderNames()
        # Answers already given. Charts repeat codes, and the same ones come in every call.
        self._looked_up: dict[Key, tuple[str, ...]] = {}
        self._displays: dict[tuple[str, str, str], str] = {}
        self._named: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._sets = dict(sets)
        self._exact = _inverted({name: value_set.concepts for name, value_set in sets.items()})
        self._below = _inverted({name: value_set.below for name, value_set in sets.items()})
        self._lengths = _lengths(self._below)
        self._excluding = frozenset(
            name
            for name, value_set in sets.items()
            if value_set.excluded or value_set.excluded_below
        )
        self._by_ingredient = _sorted(
            {name: set(self._ingredients_of(value_set)) for name, value_set in sets.items()}
        )

    @staticmethod
    def from_folder(
        path: Path, extra_folders: Sequence[Path] = ()
    ) -> "tuple[Terminology, list[Problem]]":
        """The terminology of a pack folder and of site folders laid over it, with all problems.

        A folder holds `valuesets/*.json`, and may hold `drugs.json`, `units.json`, `names.json`,
        `order-names.json` and the lists of `vocabulary`. A set in a later folder replaces one of
        the same id. Never raises for what stands in a file.
        """
        from cds_service.terminology.loading import load  # loading needs this class

        return load([path, *extra_folders])

    def sets_of(self, system: str, code: str) -> tuple[str, ...]:
        """The sets that hold a code: listed, under a listed prefix, or by a product's ingredients.

        Routes are not looked at: `drugs.product(...).route_class` tells a gel from a tablet.
        """
        key = (system, code)
        known = self._looked_up.get(key)
        if known is None:
            known = self._look_up(system, code)
            _remember(self._looked_up, key, known)
        return known

    def _look_up(self, system: str, code: str) -> tuple[str, ...]:
        if system not in CANONICAL:
            system = self.vocabulary.systems.canonical(system)
        exact = self._exact.get((system, code), ())
        if system in PREFIX_SYSTEMS:
            return self._with_prefixes(system, canonical_code(system, code))
        if system in (RXNORM, NDC):
            return self._of_product(self.drugs.product(system, code), exact)
        return exact

    def sets_of_ingredient(self, name: str) -> tuple[str, ...]:
        """The drug sets that list an ingredient, named as the dictionary names it."""
        return self._by_ingredient.get(name, ())

    def sets_of_product(self, product: Product) -> tuple[str, ...]:
        """The drug sets of any of a product's ingredients."""
        return self._of_product(product, ())

    @property
    def order_names(self) -> OrderNames:
        """The words by which orders are told."""
        return self._order_names

    def sets_of_order(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The order sets that an order's own words name (order-names.json)."""
        words = tuple(texts)
        if not words:
            return ()
        known = self._named.get(words)
        if known is None:
            known = self._order_names.sets_of(words)
            _remember(self._named, words, known)
        return known

    def lists(self, set_id: str, system: str, code: str) -> bool:
        """Whether a set names the code itself, not only a prefix or an ingredient of it."""
        value_set = self._sets.get(set_id)
        system = self.vocabulary.systems.canonical(system)
        return (
            value_set is not None and (system, canonical_code(system, code)) in value_set.concepts
        )

    def display(self, set_id: str, system: str, code: str) -> str:
        """The pack's own name of a code in a set; of its nearest listed prefix; of its product.

        "" when the set does not hold the code or has no name for it.
        """
        key = (set_id, system, code)
        known = self._displays.get(key)
        if known is None:
            known = self._find_display(set_id, system, code)
            _remember(self._displays, key, known)
        return known

    def displays_in(self, concept: Any, system: str, code: str) -> list[str]:
        """What a concept calls one of its own codes."""
        systems = self.vocabulary.systems
        system = systems.canonical(system)
        wanted = (system, canonical_code(system, code))
        return [
            name
            for own_system, value, name in systems.codings(concept)
            if (own_system, value) == wanted
        ]

    def _find_display(self, set_id: str, system: str, code: str) -> str:
        value_set = self._sets.get(set_id)
        system = self.vocabulary.systems.canonical(system)
        code = canonical_code(system, code)
        if value_set is None or set_id not in self.sets_of(system, code):
            return ""
        named = value_set.concepts.get((system, code)) or next(
            (name for prefix in _prefixes(code) if (name := value_set.below.get((system, prefix)))),
            "",
        )
        product = None if named else self.drugs.product(system, code)
        return product.name if product else named

    def knows(self, system: str, code: str) -> bool:
        """Whether any set or the drug dictionary has the code."""
        return bool(self.sets_of(system, code)) or self.drugs.product(system, code) is not None

    def systems_of(self, set_id: str) -> frozenset[str]:
        """The code systems that a set has codes or prefixes of."""
        value_set = self._sets[set_id]
        return frozenset(system for system, _ in (*value_set.concepts, *value_set.below))

    def names_of_problems(self, set_ids: Iterable[str]) -> Names:
        """The names of problems: displays of the sets, and what `names.json` adds."""
        return Names(self._listed_names(set_ids), qualifiers=self.names.qualifiers)

    def names_of_results(self, set_ids: Iterable[str]) -> Names:
        """The names of results, those that no rule asks for under OTHER_RESULTS; specimens and
        sides in them do not count. A set's title is a name of its results."""
        listed = self._listed_names(set_ids)
        for set_id, names in listed.items():
            names.append(self._sets[set_id].title)
        others = {OTHER_RESULTS: self.names.others} if listed else {}
        return Names({**listed, **others}, self.names.ignored)

    def _listed_names(self, set_ids: Iterable[str]) -> dict[str, list[str]]:
        return {
            set_id: [
                *filter(None, (*value_set.concepts.values(), *value_set.below.values())),
                *self.names.names.get(set_id, ()),
            ]
            for set_id in set_ids
            if (value_set := self._sets.get(set_id))
        }

    def has_set(self, set_id: str) -> bool:
        """Whether a set of this id is loaded."""
        return set_id in self._sets

    def set_ids(self) -> tuple[str, ...]:
        """All set ids, sorted."""
        return tuple(sorted(self._sets))

    def value_set(self, set_id: str) -> ParsedSet:
        """One set as loaded, for listings. Raises KeyError when there is none; do not change it."""
        return self._sets[set_id]

    def ingredients_of(self, set_id: str) -> tuple[str, ...]:
        """The ingredients that a drug set lists, sorted."""
        return tuple(sorted(set(self._ingredients_of(self._sets[set_id]))))

    def _ingredients_of(self, value_set: ParsedSet) -> Iterable[str]:
        """Listed by name or by a substance's code. A product's code stands for itself only."""
        for system, code in value_set.concepts:
            if system == INGREDIENT:
                yield code
            elif system == RXNORM:
                product = self.drugs.product(system, code)
                if product and product.is_ingredient:
                    yield from product.ingredients

    def _of_product(self, product: Product | None, exact: tuple[str, ...]) -> tuple[str, ...]:
        if product is None:
            return exact
        names = set(exact)
        for ingredient in product.ingredients:
            names.update(self._by_ingredient.get(ingredient, ()))
        return tuple(sorted(names))

    def _with_prefixes(self, system: str, code: str) -> tuple[str, ...]:
        names = set(self._exact.get((system, code), ()))
        for length in self._lengths.get(system, ()):
            if length <= len(code):
                names.update(self._below.get((system, code[:length]), ()))
        if names & self._excluding:
            names = {name for name in names if not self._excludes(name, system, code)}
        return tuple(sorted(names))

    def _excludes(self, set_id: str, system: str, code: str) -> bool:
        value_set = self._sets[set_id]
        return (system, code) in value_set.excluded or any(
            (system, prefix) in value_set.excluded_below for prefix in _prefixes(code)
        )


def _remember(known: dict[_K, _V], key: _K, value: _V) -> None:
    """Keep an answer, within bounds: codes come from outside."""
    if sum(map(len, key)) > _LONGEST_REMEMBERED:
        return
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[key] = value


def _inverted(sets: Mapping[str, Iterable[Key]]) -> dict[Key, tuple[str, ...]]:
    names_by_key: dict[Key, list[str]] = {}
    for name in sorted(sets):
        for key in sets[name]:
            names_by_key.setdefault(key, []).append(name)
    return {key: tuple(names) for key, names in names_by_key.items()}


def _sorted(ingredients: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    names_by_ingredient: dict[str, list[str]] = {}
    for name in sorted(ingredients):
        for ingredient in ingredients[name]:
            names_by_ingredient.setdefault(ingredient, []).append(name)
    return {ingredient: tuple(names) for ingredient, names in names_by_ingredient.items()}


def _lengths(below: Iterable[Key]) -> dict[str, tuple[int, ...]]:
    by_system: dict[str, set[int]] = {}
    for system, prefix in below:
        by_system.setdefault(system, set()).add(len(prefix))
    return {system: tuple(sorted(lengths)) for system, lengths in by_system.items()}


def _prefixes(code: str) -> Iterable[str]:
    """The code and all its beginnings, longest first."""
    return (code[:length] for length in range(len(code), 0, -1))
