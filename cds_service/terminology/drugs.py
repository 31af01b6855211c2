"""The drug dictionary: RxNorm code -> ingredients, dose form, route; and drug names in text.

Made from `hooks/drugs.json` (written by `cds terminology build`, see docs/decisions/0002).
Products stay in the compact lists of that file until one is asked for: loading is cheap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cds_service.terminology.codings import NDC, RXNORM
from cds_service.terminology.names import NEVER, NameFinder, Negations
from cds_service.terminology.ndc import eleven_digits
from cds_service.terminology.routes import RouteClass

INGREDIENT_FORM = "ingredient"
_SYSTEMIC = frozenset({"oral", "injected", "inhaled", "transdermal", "rectal", "sublingual"})
_ALIKE = 0.8  # of 1: a slip of the pen, not another drug of the class
MOST_KEPT = 5_000  # products


@dataclass(frozen=True, slots=True)
class Product:
    """One RxNorm concept. `form` is "ingredient" for substances, "" when the name tells none.

    `route`: oral, injected, inhaled, transdermal, rectal, sublingual, topical, ophthalmic, otic,
    nasal, vaginal, or "" when not known.
    """

    code: str
    name: str
    ingredients: tuple[str, ...]
    form: str
    route: str

    @property
    def route_class(self) -> RouteClass:
        """Whether the product acts on the whole body; ingredients alone tell nothing."""
        if not self.route:
            return "unknown"
        return "systemic" if self.route in _SYSTEMIC else "local"

    @property
    def is_ingredient(self) -> bool:
        """A substance (RxNorm IN, PIN), not something that can be dispensed."""
        return self.form == INGREDIENT_FORM


@dataclass(frozen=True, slots=True)
class Combination:
    """What a mixture stands for: products with all of `has` gain `adds` and lose `drops`."""

    has: frozenset[str]
    adds: tuple[str, ...]
    drops: frozenset[str]

    def apply(self, ingredients: tuple[str, ...]) -> tuple[str, ...]:
        """The ingredients that count, for one product or one text."""
        if not self.has.issubset(ingredients):
            return ingredients
        kept = [name for name in ingredients if name not in self.drops]
        return tuple(dict.fromkeys([*kept, *self.adds]))


class DrugDictionary:
    """Immutable after construction. `data` is the content of drugs.json."""

    def __init__(
        self,
        data: Mapping[str, Any],
        spoken: Mapping[str, str] | None = None,
        negations: Negations = NEVER,
    ) -> None:
        """`spoken` are names of ingredients that the value sets in force list: generic names,
        brands and spellings beside the dictionary's. `negations` are words by which a text says
        that a drug is not in it."""
        self._names: Sequence[str] = data.get("ingredients", ())
        self._forms: Sequence[Sequence[str]] = data.get("forms", ())
        self._products: Mapping[str, Sequence[Any]] = data.get("products", {})
        self._made: dict[str, Product] = {}  # those that calls asked for
        self._packages: Mapping[str, str] = data.get("ndc", {})
        self._by_ndc: dict[str, str] | None = None  # made when a call asks
        self.version: str = data.get("version", "")
        self._ingredients = frozenset([*self._names, *data.get("vocabulary", ())])
        self.combinations = tuple(
            Combination(
                frozenset(rule["has"]), tuple(rule.get("adds", ())), frozenset(rule["drops"])
            )
            for rule in data.get("combinations", ())
        )
        phrases = {
            **{name: (ingredient,) for name, ingredient in (spoken or {}).items()},
            **_phrases(data),
        }
        self._finder = NameFinder(phrases, data.get("leadingOnly", ()), negations)
        self._atc: Mapping[str, Sequence[str]] = data.get("atc", {})
        self._others: Sequence[str] = data.get("others", ())
        self._negations = negations
        self._other_finder: NameFinder | None = None  # made when a name is not known otherwise

    def knows_ingredient(self, name: str) -> bool:
        """Whether a product has this ingredient, or the vocabulary its name."""
        return name in self._ingredients

    def near_ingredient(self, name: str) -> str:
        """The ingredient that is written most like a name; "" without any."""
        return next(iter(get_close_matches(name, self._ingredients, 1, _ALIKE)), "")

    def __len__(self) -> int:
        return len(self._products)

    def product(self, system: str, code: str) -> Product | None:
        """The product of an RxNorm code or NDC; None for an unknown code or another system."""
        if system == NDC:
            code = self._of_package(code)
        elif system != RXNORM:
            return None
        known = self._made.get(code)
        if known is None and code in self._products:
            known = self._make(code)
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            self._made[code] = known
        return known

    def _of_package(self, ndc: str) -> str:
        """The RxNorm code of a National Drug Code; "" where it is not known, or could be two."""
        if self._by_ndc is None:
            self._by_ndc = {
                package: product
                for product, packages in self._packages.items()
                for package in packages.split()
            }
        products = {self._by_ndc.get(spelling, "") for spelling in eleven_digits(ndc)} - {""}
        return products.pop() if len(products) == 1 else ""

    def _make(self, code: str) -> Product:
        ingredients, form_index, name = self._products[code]
        form, route = self._forms[form_index]
        return Product(code, name, tuple(self._names[i] for i in ingredients), form, route)

    def products(self) -> Iterator[Product]:
        """Every product, for searches by people."""
        return (product for code in self._products if (product := self.product(RXNORM, code)))

    def packages(self) -> Iterator[tuple[str, str]]:
        """The RxNorm code and National Drug Code of every package."""
        for code, packages in self._packages.items():
            for ndc in packages.split():
                yield code, ndc

    def ingredients_in_text(self, text: str) -> tuple[str, ...]:
        """Ingredients that a medicine's text names, whole words only, by generic or brand name.

        "Zestoretic 20-12.5 mg tab" gives hydrochlorothiazide and lisinopril.
        """
        return self.combine(self._finder.find(text))

    @property
    def finder(self) -> NameFinder:
        """The names of ingredients and brands."""
        return self._finder

    @property
    def others(self) -> Sequence[str]:
        """Names of drugs that are in no value set."""
        return self._others

    def atc_codes(self) -> Iterable[str]:
        """The ATC codes of substances whose ingredients are known."""
        return self._atc.keys()

    def ingredients_of_atc(self, code: str) -> tuple[str, ...]:
        """The ingredients of an ATC code of a substance; none for a class or an unknown code."""
        return tuple(self._atc.get(code, ()))

    def names_another_drug(self, text: str) -> bool:
        """Whether a text names a drug that is in no value set."""
        if self._other_finder is None:
            phrases = {name: (name,) for name in self._others}
            self._other_finder = NameFinder(phrases, (), self._negations)
        return bool(self._other_finder.find(text))

    def combine(self, ingredients: Iterable[str]) -> tuple[str, ...]:
        """What a mixture of ingredients counts as (drugs.json, "combinations")."""
        counted = tuple(dict.fromkeys(ingredients))
        for rule in self.combinations:
            counted = rule.apply(counted)
        return counted


def _phrases(data: Mapping[str, Any]) -> dict[str, Iterable[str]]:
    """All names the finder knows; later kinds win where two share a phrase."""
    phrases: dict[str, Iterable[str]] = {
        brand: names for brand, names in data.get("brands", {}).items()
    }
    phrases.update({name: (name,) for name in data.get("vocabulary", ())})
    phrases.update(data.get("aliases", {}))
    phrases.update({phrase: () for phrase in data.get("notDrugs", ())})
    return phrases
