"""`cds terminology import-rxnorm DIR`: a release of RxNorm (RRF files) becomes a site's drugs.json.

Read once, line by line: names from RXNCONSO, National Drug Codes from RXNSAT (where the release has
it), relations from RXNREL (a relation reads "RXCUI2 RELA
RXCUI1", and each stands twice, once either way). A product's ingredients are the substances that it
leads to over its components; a brand's those of its generic. Names are those that the value sets
use, through the shipped dictionary. Products that the release does not know any more are carried
over: charts still hold them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cds_service.authoring.terminology.build import drugs_text
from cds_service.authoring.terminology.source import RECIPE
from cds_service.errors import ConfigurationError
from cds_service.terminology.drugs import INGREDIENT_FORM, DrugDictionary
from cds_service.terminology.names import words
from cds_service.terminology.ndc import eleven_digits

Json = Any
Row = tuple[tuple[str, ...], str, str, str]  # ingredients, form, route, name
Told = Callable[[int], None]  # bytes read since the last call

CONCEPTS, RELATIONS, ATTRIBUTES = "RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF"
_SUBSTANCES = frozenset({"IN", "PIN"})
_KINDS = _SUBSTANCES | {"MIN", "BN", "SCD", "SBD", "GPCK", "BPCK", "SCDC", "SBDC", "SCDF", "SBDF"}
_FORM = "DF"
# From a concept to what it is made of; "tradename_of" leads from a brand to its generic.
_DOWN = frozenset({
    "has_ingredient", "has_precise_ingredient", "consists_of", "contains", "tradename_of",
    "has_part",
})  # fmt: skip
_UP = {
    "ingredient_of": "has_ingredient",
    "precise_ingredient_of": "has_precise_ingredient",
    "constitutes": "consists_of",
    "contained_in": "contains",
    "has_tradename": "tradename_of",
    "part_of": "has_part",
}
_BATCH = 1_000_000  # bytes between two reports of progress


@dataclass
class Release:
    """What of a release matters here, by RXCUI."""

    names: dict[int, tuple[str, str]] = field(default_factory=dict)  # kind, name
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    forms: dict[int, int] = field(default_factory=dict)
    packages: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # NDC


@dataclass(frozen=True)
class ImportReport:
    """What an import came to. `sets`: products by drug value set, before and after."""

    concepts: int
    products: int
    new: int
    changed: int
    carried_over: int
    without_ingredient: int
    brands: int
    packages: int
    sets: Mapping[str, tuple[int, int]]


def import_release(
    folder: Path, shipped: Mapping[str, Json], sets: Mapping[str, frozenset[str]], told: Told
) -> tuple[str, ImportReport]:
    """The text of drugs.json, and what changed against `shipped` (a drugs.json as parsed).

    `sets` are the ingredients of each drug value set. Raises ConfigurationError for a folder that
    is no release.
    """
    release = read_release(folder, told)
    old = DrugDictionary(shipped)
    table, missing = _table(release, old, _routes())
    before = _rows_of(shipped)
    new = sum(code not in before for code in table)
    changed = sum(code in before and before[code][0] != row[0] for code, row in table.items())
    carried = {code: row for code, row in before.items() if code not in table}
    together = {**table, **carried}
    packages = _packages(release, together)
    content = _dictionary(together, shipped, _brands(release, table, shipped))
    content["ndc"] = packages
    counts = {name: (_count(before, own), _count(together, own)) for name, own in sets.items()}
    report = ImportReport(
        len(release.names), len(together), new, changed, len(carried), missing,
        len(content["brands"]), sum(len(codes.split()) for codes in packages.values()), counts,
    )  # fmt: skip
    return drugs_text(content), report


def size(folder: Path) -> int:
    """Bytes to read, for a progress bar. Raises ConfigurationError."""
    files = [_find(folder)(name) for name in (CONCEPTS, RELATIONS)]
    files += [file for file in (_attributes(folder),) if file]
    return sum(path.stat().st_size for path in files)


def _attributes(folder: Path) -> Path | None:
    """The file with the National Drug Codes. Some extracts of a release come without it."""
    places = (folder / ATTRIBUTES, folder / "rrf" / ATTRIBUTES)
    return next((place for place in places if place.is_file()), None)


def read_release(folder: Path, told: Told) -> Release:
    """Names, parts and dose forms. Only what is kept stays in memory."""
    find, release = _find(folder), Release()
    for row in _rows(find(CONCEPTS), told, 18):
        # RXCUI LAT TS LUI STT SUI ISPREF RXAUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF
        if row[11] == "RXNORM" and row[1] in ("ENG", "") and row[16] in ("N", "O", ""):
            kind = row[12]
            if (kind in _KINDS or kind == _FORM) and row[0].isdecimal():
                release.names.setdefault(int(row[0]), (kind, row[14]))
    for row in _rows(find(RELATIONS), told, 15):
        # RXCUI1 RXAUI1 STYPE1 REL RXCUI2 RXAUI2 STYPE2 RELA RUI SRUI SAB SL DIR RG SUPPRESS CVF
        if row[10] == "RXNORM" and row[14] not in ("Y", "E"):
            _relate(release, row[7], row[4], row[0])
    if attributes := _attributes(folder):
        for row in _rows(attributes, told, 13):
            # RXCUI LUI SUI RXAUI STYPE CODE ATUI SATUI ATN SAB ATV SUPPRESS CVF
            if row[8] == "NDC" and row[0].isdecimal() and row[11] in ("N", "O", ""):
                _package(release, int(row[0]), row[10])
    return release


def _package(release: Release, code: int, ndc: str) -> None:
    """Keep a National Drug Code of a product, where its layout leaves no doubt."""
    spelled = eleven_digits(ndc)
    if code in release.names and len(spelled) == 1:
        release.packages[code].add(spelled[0])


def _packages(release: Release, table: Mapping[str, Row]) -> dict[str, str]:
    """RxNorm code -> its National Drug Codes; none that two products claim."""
    claims = Counter(ndc for codes in release.packages.values() for ndc in codes)
    packages = {
        str(code): " ".join(sorted(ndc for ndc in codes if claims[ndc] == 1))
        for code, codes in sorted(release.packages.items())
        if str(code) in table
    }
    return {code: codes for code, codes in packages.items() if codes}


def _relate(release: Release, relation: str, second: str, first: str) -> None:
    if relation in _UP:
        relation, second, first = _UP[relation], first, second
    elif relation == "dose_form_of":
        relation, second, first = "has_dose_form", first, second
    if not (second.isdecimal() and first.isdecimal()):
        return
    whole, part = int(second), int(first)
    if whole not in release.names or part not in release.names:
        return
    if relation == "has_dose_form":
        release.forms.setdefault(whole, part)
    elif relation in _DOWN and part not in release.parts[whole]:
        release.parts[whole].append(part)


def _find(folder: Path) -> Callable[[str], Path]:
    def find(name: str) -> Path:
        for place in (folder / name, folder / "rrf" / name):
            if place.is_file():
                return place
        raise ConfigurationError(
            f"There is no {name} in {folder} or {folder / 'rrf'}.",
            "Give the folder into which the RxNorm release was unpacked.",
        )

    return find


def _rows(path: Path, told: Told, columns: int) -> Iterator[list[str]]:
    """Lines of a '|'-separated file. Raises ConfigurationError with the line that is none."""
    read = 0
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            read += len(raw)
            if read >= _BATCH:
                told(read)
                read = 0
            try:
                row = raw.decode("utf-8").split("|")
            except UnicodeDecodeError as error:
                raise ConfigurationError(f"{path}:{number} is not UTF-8.") from error
            if len(row) < columns:
                raise ConfigurationError(
                    f"{path}:{number} has {len(row)} columns; an RRF file has {columns} or more.",
                    "Was the file cut off? Unpack the release again.",
                )
            yield row
    told(read)


def _table(
    release: Release, old: DrugDictionary, routes: Mapping[str, str]
) -> tuple[dict[str, Row], int]:
    rows: dict[str, Row] = {}
    missing = 0
    substances = _Substances(release)
    for code, (kind, name) in release.names.items():
        if kind == _FORM:
            continue
        named = _named(sorted(substances.of(code)), release, old)
        if not named:
            named = old.ingredients_in_text(name)  # retired concepts have lost their relations
        if not named:
            missing += 1
            continue
        if kind in _SUBSTANCES:
            rows[str(code)] = (named[:1], INGREDIENT_FORM, "", name)
        else:
            form = release.names.get(substances.form(code), ("", ""))[1]
            rows[str(code)] = (named, form, routes.get(form.lower(), ""), name)
    return rows, missing


class _Substances:
    """Follows a concept down to its substances; what is known once is not followed again."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._known: dict[int, frozenset[int]] = {}

    def of(self, code: int) -> frozenset[int]:
        """The ingredients and precise ingredients that a concept leads to."""
        if code not in self._known:
            self._known[code] = frozenset()  # ends a circle
            own = [code] if self._release.names[code][0] in _SUBSTANCES else []
            parts = [] if own else self._release.parts.get(code, [])
            self._known[code] = frozenset(own).union(*(self.of(part) for part in parts))
        return self._known[code]

    def form(self, code: int) -> int:
        """The dose form, of the product itself or of what it is a brand or a pack of; 0: none."""
        waiting, seen = [code], {code}
        while waiting:
            product = waiting.pop(0)
            if product in self._release.forms:
                return self._release.forms[product]
            for part in self._release.parts.get(product, []):
                if part not in seen:
                    seen.add(part)
                    waiting.append(part)
        return 0


def _named(codes: list[int], release: Release, old: DrugDictionary) -> tuple[str, ...]:
    """Substances as the value sets name them; others by their RxNorm name."""
    ingredients: list[str] = []
    precise: list[str] = []
    for code in codes:
        kind, name = release.names[code]
        known = old.ingredients_in_text(name)
        if known:
            ingredients += known
        elif kind == "IN":
            ingredients.append(name.lower())
        else:
            precise.append(name.lower())
    return old.combine(ingredients or precise)


def _routes() -> dict[str, str]:
    recipe = orjson.loads(RECIPE.read_bytes())
    return {form.lower(): route for route, forms in recipe["forms"].items() for form in forms}


def _rows_of(data: Mapping[str, Json]) -> dict[str, Row]:
    names, forms = data.get("ingredients", []), data.get("forms", [])
    return {
        code: (tuple(names[i] for i in row[0]), forms[row[1]][0], forms[row[1]][1], row[2])
        for code, row in data.get("products", {}).items()
    }


def _brands(
    release: Release, table: Mapping[str, Row], shipped: Mapping[str, Json]
) -> dict[str, list[str]]:
    """Brand names that text may be searched for: not short, no number, no everyday word."""
    stop = frozenset(orjson.loads(RECIPE.read_bytes())["brandStop"])
    taken = {*shipped.get("vocabulary", ()), *shipped.get("aliases", {})}
    brands: dict[str, list[str]] = dict(shipped.get("brands", {}))
    for code, (kind, name) in release.names.items():
        row = table.get(str(code)) if kind == "BN" else None
        brand = " ".join(words(name))
        if (
            row
            and len(brand) > 3
            and not stop.issuperset(brand.split())
            and not brand.replace(" ", "").isdigit()
            and brand not in taken
        ):
            brands[brand] = list(row[0])
    return dict(sorted(brands.items()))


def _dictionary(
    table: Mapping[str, Row], shipped: Mapping[str, Json], brands: Mapping[str, list[str]]
) -> dict[str, Json]:
    names = sorted({name for row in table.values() for name in row[0]})
    forms = sorted({(row[1], row[2]) for row in table.values()})
    name_at, form_at = {n: i for i, n in enumerate(names)}, {f: i for i, f in enumerate(forms)}
    head = {key: shipped[key] for key in _HEAD if key in shipped}
    return {
        **head,
        "brands": brands,
        "ingredients": names,
        "forms": [list(form) for form in forms],
        "products": {
            code: [[name_at[n] for n in row[0]], form_at[row[1], row[2]], row[3]]
            for code, row in sorted(table.items(), key=lambda entry: int(entry[0]))
        },
    }


_HEAD = (
    "version",
    "vocabulary",
    "aliases",
    "leadingOnly",
    "notDrugs",
    "combinations",
    "others",
    "atc",
)


def _count(table: Mapping[str, Row], own: frozenset[str]) -> int:
    return sum(not own.isdisjoint(row[0]) for row in table.values())
