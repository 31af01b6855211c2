"""`cds add drug`: a drug that joins shipped value sets, by generic name, brands and codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.authoring.add.drug_tests import tests_of
from cds_service.authoring.add.naming import Coded, includes, slug, value_set
from cds_service.authoring.add.site_files import SiteFiles
from cds_service.errors import ConfigurationError
from cds_service.packs.load import load_pack
from cds_service.packs.schema import did_you_mean
from cds_service.rules.model import Pack
from cds_service.terminology.codings import INGREDIENT
from cds_service.terminology.valueset import ADDS, NEW_INGREDIENT

Json = Any


@dataclass(frozen=True)
class NewDrug:
    """What a person says of a drug. `sets` are ids of the drug sets that it joins."""

    name: str
    sets: tuple[str, ...]
    codes: tuple[Coded, ...] = ()
    brands: tuple[str, ...] = ()
    surely_new: bool = False


@dataclass(frozen=True)
class Added:
    """The files written, how many cases are among them, and where no case could be made."""

    files: tuple[Path, ...]
    cases: int = 0
    untested: tuple[str, ...] = ()


def drug_sets(pack: Pack) -> dict[str, str]:
    """The value sets of drugs with their titles."""
    sets = (name for name in pack.terminology.set_ids() if name.startswith("drug-"))
    return {name: pack.terminology.value_set(name).title for name in sets}


def add_drug(hooks: Path, site: Path, drug: NewDrug, today: date) -> Added:
    """Write value sets and tests. Raises ConfigurationError, with nothing changed."""
    pack = load_pack(hooks, site, thorough=False)
    _refuse(pack, drug)
    files = SiteFiles(hooks, site)
    own = _own_id(pack, drug.name)
    files.new(f"valuesets/{own}.json", _own_set(own, drug, pack, today))
    for set_id in drug.sets:
        _join(files, site, set_id, own, pack, today)
    files.write()
    try:
        cases, untested = tests_of(hooks, site, drug.name, drug.codes, drug.sets)
        if cases:
            files.new(f"tests/{own}.test.json", cases)
            files.write()
    except Exception:
        files.undo()
        raise
    return Added(tuple(files.written), len(cases["cases"]) if cases else 0, untested)


def _refuse(pack: Pack, drug: NewDrug) -> None:
    known = drug_sets(pack)
    for set_id in drug.sets:
        if set_id not in known:
            hint = did_you_mean(set_id, known) or "Run: cds terminology find DRUG"
            raise ConfigurationError(f"There is no drug set '{set_id}'.", hint)
        if set_id in pack.terminology.sets_of_ingredient(drug.name.lower()):
            raise ConfigurationError(f"'{drug.name}' is in {set_id} already.")
    if not drug.sets:
        raise ConfigurationError("A drug that joins no set is seen by no rule.", "Name a --set.")
    near = pack.terminology.drugs.near_ingredient(drug.name.lower())
    if near and not drug.surely_new and not pack.terminology.drugs.knows_ingredient(drug.name):
        raise ConfigurationError(
            f"No product is known by '{drug.name}'. Did you mean '{near}'?",
            "If it is another drug, say so with --new.",
        )


def _own_id(pack: Pack, name: str) -> str:
    own = f"drug-{slug(name)}"
    return f"{own}-here" if pack.terminology.has_set(own) else own


def _own_set(own: str, drug: NewDrug, pack: Pack, today: date) -> Json:
    name = drug.name.lower()
    concept: dict[str, Json] = {"code": name, "display": name}
    if drug.brands:
        concept["designation"] = [{"value": brand} for brand in drug.brands]
    if not pack.terminology.drugs.knows_ingredient(name):
        concept["extension"] = [{"url": NEW_INGREDIENT, "valueBoolean": True}]
    parts = [{"system": INGREDIENT, "concept": [concept]}, *includes(drug.codes)]
    return value_set(own, drug.name, today, parts)


def _join(files: SiteFiles, site: Path, set_id: str, own: str, pack: Pack, today: date) -> None:
    """The site's set of a shipped id refers to the drug's own; one that is there gets a line."""
    reference = {"valueSet": [f"https://hospital.example.org/ValueSet/{own}"]}
    there = Path(pack.terminology.value_set(set_id).file)
    if there.is_relative_to(site):
        content = files.current(there.relative_to(site).as_posix())
        if content.get("expansion"):
            raise ConfigurationError(
                f"{there} holds an expansion, which counts alone: it can't be added to by hand.",
                "Add the drug to the set on your terminology server.",
            )
        content["compose"]["include"].append(reference)
        return
    title = pack.terminology.value_set(set_id).title
    adds = [{"url": ADDS, "valueBoolean": True}]
    content = value_set(set_id, title, today, [reference], extension=adds)
    files.new(f"valuesets/{set_id}.json", content)


def known_names(drug: NewDrug) -> Sequence[str]:
    """Every name by which the drug is to be found in text."""
    return (drug.name, *drug.brands)
