"""Which drug codings and names mean.

Codes count first (product dictionary, value sets); whole-word ingredient names in the text are the
fallback and make the entry one matched "by name".
"""

from itertools import combinations
from typing import NamedTuple

from cds_service.facts.drug_wording import Wording
from cds_service.terminology.codings import ATC
from cds_service.terminology.drugs import Product
from cds_service.terminology.index import Terminology


class Drug(NamedTuple):
    """What codings and names were recognised as. `unknown`: systems of codes nobody knows.

    `known`: whether it is any drug at all that the pack knows, in a value set or not.
    `disputed`: the sets of a drug whose code and name are different drugs; it has no others.
    """

    products: list[Product]
    code: str
    ingredients: tuple[str, ...]
    sets: frozenset[str]
    via: str
    unknown: list[str]
    known: bool
    disputed: frozenset[str] = frozenset()


class DrugRecognition:
    """Recognises drugs by what a pack's terminology knows."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology

    def recognise(self, wording: Wording) -> tuple[Wording, Drug]:
        """The drug, and the wording that tells it: with that of its parts where they alone do."""
        drug = self._drug_of(wording, disputable=wording.single)
        if not wording.parts or drug.disputed:
            return wording, drug
        parts = wording.of_parts()
        if drug.ingredients or drug.sets:
            return wording, self._with_ingredients(drug, self._drug_of(parts))
        whole = wording.with_words_of(parts)
        return whole, self._drug_of(whole)

    def _with_ingredients(self, drug: Drug, parts: Drug) -> Drug:
        """A drug whose name gave less than its ingredients; disputed where it is another one."""
        both = tuple(dict.fromkeys((*drug.ingredients, *parts.ingredients)))
        if (
            drug.ingredients
            and parts.ingredients
            and len(both) == len(drug.ingredients) + len(parts.ingredients)
        ):
            sets = drug.sets | parts.sets | self._sets_of(both)
            return drug._replace(ingredients=both, sets=frozenset(), disputed=sets)
        return drug._replace(ingredients=both, sets=drug.sets | parts.sets)

    def _drug_of(self, wording: Wording, *, disputable: bool = False) -> Drug:
        """`disputable`: the codes are those of one drug, and not of the parts of a mixture."""
        products = self._products(wording)
        code, sets, unknown = self._by_code(wording, products)
        ingredients = tuple(dict.fromkeys(name for p in products for name in p.ingredients))
        named = self._by_name(wording)
        codes_differ = disputable and self._codes_contradict(wording)
        if codes_differ or self._contradict(wording, ingredients, sets, named):
            both = tuple(dict.fromkeys((*ingredients, *self._by_atc(wording), *named)))
            disputed = sets | self._sets_of(both)
            return Drug(products, code, both, frozenset(), "code", unknown, True, disputed)
        via = "code"
        if not ingredients:
            ingredients = self._by_atc(wording) or named
            if not sets:
                via, sets = "name", self._sets_of(ingredients)
        known = bool(ingredients or sets) or self._is_another(wording, unknown)
        return Drug(products, code, ingredients, sets, via, unknown, known)

    def _is_another(self, wording: Wording, unknown: list[str]) -> bool:
        """Whether a code or a name is known as that of a drug that no rule asks for."""
        if len(unknown) < len(wording.codings):
            return True
        return self._names_another(wording)

    def _names_another(self, wording: Wording) -> bool:
        return any(map(self._terminology.drugs.names_another_drug, wording.names))

    def _contradict(
        self,
        wording: Wording,
        ingredients: tuple[str, ...],
        sets: frozenset[str],
        named: tuple[str, ...],
    ) -> bool:
        """Whether code and name are different drugs. A code of a group (ATC) has sets alone."""
        if not (ingredients or sets):
            return False
        if not named:
            return self._names_another(wording)
        if ingredients:
            return set(ingredients).isdisjoint(named)
        return sets.isdisjoint(self._sets_of(named))

    def _codes_contradict(self, wording: Wording) -> bool:
        """Whether two codes name ingredients of which they have none in common."""
        drugs = self._terminology.drugs
        named = [frozenset(product.ingredients) for product in self._products(wording)]
        named += [
            frozenset(drugs.ingredients_of_atc(code)) for s, code in wording.codings if s == ATC
        ]
        known = [ingredients for ingredients in named if ingredients]
        return any(first.isdisjoint(other) for first, other in combinations(known, 2))

    def _products(self, wording: Wording) -> list[Product]:
        products = (
            self._terminology.drugs.product(system, code) for system, code in wording.codings
        )
        return [product for product in products if product is not None]

    def _by_code(
        self, wording: Wording, products: list[Product]
    ) -> tuple[str, frozenset[str], list[str]]:
        """The code that was recognised, the value sets by code, and systems of unknown codes."""
        sets: set[str] = set()
        unknown: list[str] = []
        known = products[0].code if products else ""
        for system, code in wording.codings:
            direct = self._terminology.sets_of(system, code)
            sets.update(direct)
            if direct:
                known = known or code
            elif not self._terminology.knows(system, code):
                unknown.append(system)
        return known, frozenset(sets), unknown

    def _by_atc(self, wording: Wording) -> tuple[str, ...]:
        ingredients = (
            self._terminology.drugs.ingredients_of_atc(c) for s, c in wording.codings if s == ATC
        )
        return tuple(dict.fromkeys(name for names in ingredients for name in names))

    def _by_name(self, wording: Wording) -> tuple[str, ...]:
        ingredients: dict[str, None] = {}
        for name in dict.fromkeys(wording.names):
            ingredients.update(dict.fromkeys(self._terminology.drugs.ingredients_in_text(name)))
        return tuple(ingredients)

    def _sets_of(self, ingredients: tuple[str, ...]) -> frozenset[str]:
        of_ingredient = self._terminology.sets_of_ingredient
        return frozenset(set_id for name in ingredients for set_id in of_ingredient(name))
