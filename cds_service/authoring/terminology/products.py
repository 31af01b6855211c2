"""RxNorm names -> ingredients, dose form and route: the drug dictionary (hooks/drugs.json).

A combination counts by each ingredient, so every name is parsed, and the ingredients that the
collection states are added where the name gave nothing finer ("ferrous sulfate" over "iron").
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.authoring.terminology.other_names import atc_ingredients, other_names
from cds_service.authoring.terminology.source import Source, usable
from cds_service.terminology.codings import RXNORM
from cds_service.terminology.drugs import INGREDIENT_FORM, DrugDictionary
from cds_service.terminology.names import words

Json = Any
Row = tuple[tuple[str, ...], str, str, str]  # ingredients, form, route, name

_SUBSTANCES = ("IN", "PIN", "IN/PIN/BN (unresolved)")
_WHOLE_BODY = ("inject", "subcut", "sous-cut", "intraven", "intramus", "parenteral")
_VA_NAME = " (VA NDF-RT name, truncated)"
_BRAND = re.compile(r"\s*\[([^\][]+)\]\s*$")
_STRENGTH = re.compile(
    r"\s\d[\d.,]*\s*(?:MG|MCG|ML|UNT|MEQ|G|ACTUAT|HR|%|MMOL|CELLS)\b.*$", re.IGNORECASE
)
_LEAD = re.compile(r"^(?:NDA\d+ )?(?:\d[\d.]*\s*(?:HR|ML|ACTUAT)\s+)+", re.IGNORECASE)
_PACKED = re.compile(r"\d+\s*\(((?:[^()]|\([^()]*\))*)\)")


class Products:
    """Parses names with the recipe's vocabulary, aliases, salts and forms."""

    def __init__(self, source: Source) -> None:
        recipe = source.recipe
        self._recipe = recipe
        self._coarse = frozenset(recipe["coarse"])
        self._salts = frozenset(recipe["salts"])
        self._forms = sorted(
            ((form, route) for route, forms in recipe["forms"].items() for form in forms),
            key=lambda entry: -len(entry[0]),
        )
        self._va_forms = [
            (re.compile(rf"\b(?:{words})\b"), route) for words, route in recipe["vaForms"]
        ]
        self.vocabulary = vocabulary(source)
        self._finder = DrugDictionary(self.header())
        self._others: frozenset[str] = frozenset()

    def learn(self, names: Iterable[str]) -> None:
        """Ingredients met with a strength; from now on recognised in names without strengths."""
        self._others = frozenset(names)

    def header(self) -> dict[str, Json]:
        """The parts of drugs.json that finding names needs."""
        return {
            "version": self._recipe["version"],
            "vocabulary": sorted(self.vocabulary),
            "aliases": spellings(self._recipe),
            "leadingOnly": self._recipe["leadingOnly"],
            "notDrugs": self._recipe["notDrugs"],
            "combinations": self._recipe["combinations"],
        }

    def row(self, name: str, stated: Iterable[str], term_type: str) -> Row:
        """One dictionary row. `stated` are the ingredients that the collection gives."""
        if term_type in _SUBSTANCES:
            return self._ingredients(name, stated)[:1], INGREDIENT_FORM, "", name
        form, route = self._form(name)
        return self._ingredients(name, stated), form, route, name

    def is_of_interest(self, name: str) -> bool:
        """Whether a name holds a drug of any value set (not only of the wider vocabulary)."""
        wanted = set_ingredients(self._recipe)
        return not wanted.isdisjoint(self._finder.ingredients_in_text(_BRAND.sub("", name)))

    def _ingredients(self, name: str, stated: Iterable[str]) -> tuple[str, ...]:
        bare = _BRAND.sub("", name)
        ingredients = [
            part for component in _components(bare) for part in self._component(component)
        ]
        renamed = [new for old in stated for new in self._recipe["rename"].get(old, [old])]
        fallback = [part for part in renamed if part not in self._coarse or not ingredients]
        return self._finder.combine([*ingredients, *fallback])

    def _component(self, text: str) -> tuple[str, ...]:
        """The ingredient of one component: known names, else the name without strength and salt."""
        if known := self._finder.ingredients_in_text(text):
            return known
        bare = self._without_form(_STRENGTH.sub("", _LEAD.sub("", text.strip())))
        tokens = [token.strip(" ,.").lower() for token in bare.split()]
        while len(tokens) > 1 and tokens[-1] in self._salts:
            tokens.pop()
        name = " ".join(tokens)
        told = _STRENGTH.search(text) or name in self._others
        return (name,) if told and _is_name(name) else ()

    def _without_form(self, text: str) -> str:
        for form, _ in self._forms:
            if text.lower().endswith(form.lower()):
                return text[: -len(form)].rstrip()
        return text

    def _form(self, name: str) -> tuple[str, str]:
        if name.isupper():
            return self._va_form(name)
        packed = _packed(name)
        bare = (packed[0] if packed else _BRAND.sub("", name)).strip()
        bare = _BRAND.sub("", bare).lower()
        for form, route in self._forms:
            if bare.endswith(form.lower()):
                return ("Pack" if packed else form), route
        return "", ""

    def _va_form(self, name: str) -> tuple[str, str]:
        """VA names end in abbreviations: TAB, CAP,INHL, SOLN,OPH."""
        return "", next((route for pattern, route in self._va_forms if pattern.search(name)), "")


def vocabulary(source: Source) -> frozenset[str]:
    """All names that text is searched for."""
    return frozenset(set_ingredients(source.recipe)) | frozenset(source.recipe["vocabularyExtra"])


def set_ingredients(recipe: Mapping[str, Json]) -> set[str]:
    """The ingredients that any value set lists."""
    return {name for entry in recipe["sets"].values() for name in entry.get("ingredients", ())}


def rows(source: Source) -> dict[str, Row]:
    """The dictionary by RxNorm code: the collection's products, then the further lists'.

    Parsed twice: names with strengths teach the ingredients that names without strengths share.
    """
    products = Products(source)
    first = _parsed(source, products)
    products.learn(name for row in first.values() for name in row[0])
    return _parsed(source, products)


def _parsed(source: Source, products: Products) -> dict[str, Row]:
    wanted = set_ingredients(source.recipe)
    parsed: dict[str, Row] = {}
    for code, (name, stated, term_type) in _concepts(source).items():
        row = products.row(name, stated, term_type)
        if wanted.intersection(row[0]):
            parsed[code] = row
    for code, name in source.products:
        if code not in parsed and products.is_of_interest(name) and not _dropped(name, source):
            parsed[code] = products.row(name, (), "SCD")
    return parsed


def brands(table: Mapping[str, Row], recipe: Mapping[str, Json]) -> dict[str, list[str]]:
    """Brand names that always stand for the same ingredients, lower case."""
    meanings: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for ingredients, _, _, name in table.values():
        if (brand := _BRAND.search(name)) and " brand of " not in name:
            for spelling in _brand_spellings(brand[1]):
                meanings[spelling].add(tuple(sorted(ingredients)))
    return {
        brand: list(next(iter(meaning)))
        for brand, meaning in sorted(meanings.items())
        if len(meaning) == 1 and _is_brand(brand, recipe)
    }


def _is_brand(name: str, recipe: Mapping[str, Json]) -> bool:
    """Whether text may be searched for a name: not short, no number, no everyday word."""
    everyday = frozenset(recipe["brandStop"]).issuperset(name.split())
    wrong_route = name in recipe.get("brandRoutes", {})
    return len(name) > 3 and not (everyday or wrong_route or name.replace(" ", "").isdigit())


def named_brands(source: Source, known: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Brands and spellings of the collections' lists, and all of `known`.

    A name counts where its ingredients are the pack's, where its route reaches the whole body,
    and where nothing else has that name.
    """
    finder, meanings = DrugDictionary(Products(source).header()), dict(known)
    taken = {*vocabulary(source), *source.recipe["aliases"]}
    for row in source.drug_names:
        name = " ".join(words(row["name"]))
        stated = " / ".join(row.get("ingredients") or ())
        meaning = list(finder.ingredients_in_text(stated))
        if meaning and name not in taken and _is_brand(name, source.recipe) and _acts(row):
            meanings.setdefault(name, meaning)
    return dict(sorted(meanings.items()))


def _acts(row: Mapping[str, Any]) -> bool:
    """Whether a named product acts on the whole body. The list marks injections like creams."""
    return not row.get("review") or str(row.get("route")).startswith(_WHOLE_BODY)


def spellings(recipe: Mapping[str, Any]) -> dict[str, list[str]]:
    """Aliases: the recipe's own, and ingredients with the endings of other languages.

    The international names differ by their endings alone ("amlodipine": amlodipin, amlodipina).
    """
    names = set_ingredients(recipe) | set(recipe["vocabularyExtra"])
    own: dict[str, list[str]] = dict(recipe["aliases"])
    for name in sorted(names):
        for ending, others in recipe["endings"].items():
            if name.endswith(ending) and " " not in name and len(name) > len(ending) + 3:
                stem = name.removesuffix(ending)
                for spelling in (stem + other for other in others):
                    if spelling not in names:
                        own.setdefault(spelling, [name])
                break
    return own


def dictionary(table: Mapping[str, Row], source: Source) -> dict[str, Json]:
    """The content of drugs.json."""
    names = sorted({name for row in table.values() for name in row[0]})
    forms = sorted({(row[1], row[2]) for row in table.values()})
    name_at, form_at = {n: i for i, n in enumerate(names)}, {f: i for i, f in enumerate(forms)}
    head = {
        **Products(source).header(),
        "brands": named_brands(source, brands(table, source.recipe)),
    }
    known = DrugDictionary(head)
    return {
        **head,
        "others": other_names(source, known),
        "atc": atc_ingredients(source, known),
        "ingredients": names,
        "forms": [list(form) for form in forms],
        "products": {
            code: [[name_at[n] for n in row[0]], form_at[row[1], row[2]], row[3]]
            for code, row in sorted(table.items(), key=lambda entry: int(entry[0]))
        },
    }


def _concepts(source: Source) -> dict[str, tuple[str, list[str], str]]:
    """RxNorm code -> (name, stated ingredients over all sets, term type), verified codes only."""
    concepts: dict[str, tuple[str, list[str], str]] = {}
    for entry in source.sets.values():
        for concept in entry["concepts"]:
            if concept["system"] != RXNORM or not usable(concept):
                continue
            code = concept["code"]
            if code in source.recipe["dropRxnorm"] or _dropped(concept["display"], source):
                continue
            name = concept["display"].removesuffix(_VA_NAME).split(" [VA")[0]
            known = concepts.setdefault(code, (name, [], concept["tty"]))
            known[1].extend(part for part in concept.get("ingredients", ()) if part not in known[1])
    return concepts


def _dropped(name: str, source: Source) -> bool:
    """Whether the recipe rejects a name, because it contradicts what is known of the brand."""
    return any(re.search(pattern, name, re.IGNORECASE) for pattern, _ in source.recipe["dropNames"])


def _components(name: str) -> Iterator[str]:
    for part in _packed(name) or [name.strip("{} ")]:
        yield from re.split(r"\s/\s|/(?=[A-Z]{4})", _BRAND.sub("", part.strip()))


def _packed(name: str) -> list[str]:
    """The products in a pack: "{7 (A 1 MG Oral Tablet) / 21 (B ...) } Pack"; none for no pack."""
    return _PACKED.findall(name) if name.startswith("{") else []


def _is_name(name: str) -> bool:
    return len(name) > 2 and name[0].isalpha() and "inert ingredients" not in name


def _brand_spellings(brand: str) -> set[str]:
    """A brand as written, and up to the first number ("Vytorin 10/20", "Yaz 28 Day")."""
    tokens = words(brand)
    cut = next(
        (i for i, token in enumerate(tokens) if token.isdigit() or token == "reformulated"), None
    )
    short = " ".join(tokens[:cut])
    return {" ".join(tokens), short if len(short) > 4 else ""} - {""}
