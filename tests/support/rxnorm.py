"""A made-up RxNorm release of any size, in the layout of the real one (RRF)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

SUPPRESS = "N"
INGREDIENTS = (
    "hydrochlorothiazide", "quinine", "atorvastatin", "amlodipine", "furosemide", "zolpidem",
    "ropinirole", "ferrous sulfate", "albuterol", "imaginarium",
)  # fmt: skip
FORMS = ("Oral Tablet", "Oral Capsule", "Injectable Solution", "Topical Gel")


def concept(code: int, kind: str, name: str, source: str = "RXNORM", suppress: str = "N") -> str:
    row = [str(code), "ENG", "", "", "", "", "", str(code * 10), "", "", "", source, kind]
    return "|".join([*row, str(code), name, "", suppress, "4096", ""])


def relation(second: int, name: str, first: int) -> str:
    """ "second name first", as RxNorm reads its rows."""
    row = [str(first), "", "CUI", "RO", str(second), "", "CUI", name, "", "", "RXNORM", "RXNORM"]
    return "|".join([*row, "", "", "N", "4096", ""])


def write_packages(folder: Path, packages: Mapping[int, Sequence[str]]) -> None:
    """RXNSAT of a release: National Drug Codes by concept, and an attribute of another kind."""
    rows = [(code, "NDC", ndc) for code, codes in packages.items() for ndc in codes]
    rows += [(code, "RXN_STRENGTH", "25 MG") for code in packages]
    lines = [
        f"{code}||||CUI|{code}|||{kind}|RXNORM|{value}|{SUPPRESS}||" for code, kind, value in rows
    ]
    (folder / "RXNSAT.RRF").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_release(folder: Path, concepts: int) -> None:
    """At least so many concepts: ingredients, components, products, brands, and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    base = 5_000_000
    ingredients = {name: base + i for i, name in enumerate(INGREDIENTS)}
    forms = {name: base + 100 + i for i, name in enumerate(FORMS)}
    with (
        (folder / "RXNCONSO.RRF").open("w", encoding="utf-8") as names,
        (folder / "RXNREL.RRF").open("w", encoding="utf-8") as relations,
    ):
        for name, code in ingredients.items():
            print(concept(code, "IN", name), file=names)
            print(concept(code, "SY", f"{name} synonym", "MTHSPL"), file=names)
        for name, code in forms.items():
            print(concept(code, "DF", name), file=names)
        for number in range(max(0, concepts - len(INGREDIENTS) - len(FORMS)) // 4 + 1):
            ingredient = INGREDIENTS[number % len(INGREDIENTS)]
            form = FORMS[number % len(FORMS)]
            strength = f"{ingredient} {number + 1} MG"
            part, product, brand, branded = (base + 1000 + number * 4 + i for i in range(4))
            print(concept(part, "SCDC", strength), file=names)
            print(concept(product, "SCD", f"{strength} {form}"), file=names)
            print(concept(brand, "BN", f"Brandex{number:06d}x"), file=names)
            print(concept(branded, "SBD", f"{strength} {form} [Brandex{number}x]"), file=names)
            for second, name, first in (
                (part, "has_ingredient", ingredients[ingredient]),
                (ingredients[ingredient], "ingredient_of", part),
                (product, "consists_of", part),
                (part, "constitutes", product),
                (product, "has_dose_form", forms[form]),
                (forms[form], "dose_form_of", product),
                (branded, "tradename_of", product),
                (product, "has_tradename", branded),
                (brand, "tradename_of", ingredients[ingredient]),
                (branded, "has_ingredient", brand),
            ):
                print(relation(second, name, first), file=relations)
