"""What drugs.json knows beside products: names of drugs in no value set, and ATC codes by name.

A medication list is full of drugs that no rule asks for. They are told from names and codes that
nothing recognises, so that a card counts only the latter.
"""

import re
from collections.abc import Iterator

from cds_service.authoring.terminology.source import Source
from cds_service.terminology.codings import ATC
from cds_service.terminology.drugs import DrugDictionary
from cds_service.terminology.names import words

_SUBSTANCE = "ATC-L5"
_BRAND = re.compile(r"\[([^\][]+)\]")
_LEAD = re.compile(r"^(?:\d[\d.]*\s*(?:HR|ML|ACTUAT)\s+)+", re.IGNORECASE)
_END = re.compile(r"\s\d|\s(?:Oral|Injectable|Topical|Chewable|Disintegrating|Extended)\b")
_SHORTEST = 4  # letters; shorter words are no names to look for in a text


def other_names(source: Source, drugs: DrugDictionary) -> list[str]:
    """Names and brands of the product lists that the dictionary finds no ingredient in."""
    salts = frozenset(source.recipe["salts"])
    names = {name for _, product in source.products for name in _names(product, salts)}
    return sorted(name for name in names if not drugs.ingredients_in_text(name))


def atc_ingredients(source: Source, drugs: DrugDictionary) -> dict[str, list[str]]:
    """ATC code of a substance to its ingredients, where the dictionary knows all by name."""
    named: dict[str, list[str]] = {}
    for entry in source.sets.values():
        for concept in entry["concepts"]:
            if concept["system"] != ATC or concept.get("tty") != _SUBSTANCE:
                continue
            if ingredients := drugs.ingredients_in_text(concept["display"]):
                named[concept["code"]] = list(ingredients)
    return dict(sorted(named.items()))


def _names(product: str, salts: frozenset[str]) -> Iterator[str]:
    yield from filter(_is_name, (" ".join(words(brand)) for brand in _BRAND.findall(product)))
    for component in re.split(r"\s/\s", _BRAND.sub("", product)):
        bare = _END.split(_LEAD.sub("", component.strip()))[0]
        tokens = list(words(bare))
        while len(tokens) > 1 and tokens[-1] in salts:
            tokens.pop()
        if _is_name(name := " ".join(tokens)):
            yield name


def _is_name(name: str) -> bool:
    return len(name) >= _SHORTEST and name.replace(" ", "").isalpha()
