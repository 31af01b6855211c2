"""`cds add lab`: a laboratory test as a fact, with its codes, units and names of its order."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.authoring.add.naming import Coded, includes, slug, value_set
from cds_service.authoring.add.site_files import SiteFiles
from cds_service.errors import ConfigurationError
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack

Json = Any

_ALSO = re.compile(r"(?P<unit>[^=]+)=(?P<divided>/?)(?P<factor>[0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class NewLab:
    """What a person says of a test. `units` are further ones with what to multiply by
    ("0.4006"), or to divide by ("/2.496"), to come to `unit`."""

    title: str
    codes: tuple[Coded, ...]
    unit: str
    units: tuple[str, ...] = ()
    order_names: tuple[str, ...] = ()
    at_most: Decimal | None = None
    name: str = ""


@dataclass
class AddedLab:
    """The files written, the facts in them, and what else reads the codes."""

    files: list[Path]
    facts: list[str]
    known: list[str] = field(default_factory=list)


def add_lab(hooks: Path, site: Path, lab: NewLab, today: date) -> AddedLab:
    """Write value sets, facts, units and names. Raises ConfigurationError, nothing changed."""
    pack = load_pack(hooks, site, thorough=False)
    name = slug(lab.name.removeprefix("lab.") or lab.title)
    _refuse(pack, lab, name)
    files = SiteFiles(hooks, site)
    files.new(
        f"valuesets/obs-{name}.json",
        value_set(f"obs-{name}", lab.title, today, includes(lab.codes)),
    )
    files.enter("facts.json", "facts", f"lab.{name}", _fact(lab, name))
    if lab.units:
        files.enter("units.json", "analytes", f"obs-{name}", _table(lab))
    facts = [f"lab.{name}"]
    if lab.order_names:
        facts += _order(files, lab, name, today)
    files.write()
    known = sorted({s for c in lab.codes for s in pack.terminology.sets_of(c.system, c.code)})
    return AddedLab(files.written, facts, known)


def _refuse(pack: Pack, lab: NewLab, name: str) -> None:
    if not lab.codes:
        raise ConfigurationError("A test without a code is never found.", "Give a --code.")
    for fact in (f"lab.{name}", f"order.{name}"):
        if fact in pack.catalogue.facts:
            raise ConfigurationError(
                f"There is a fact '{fact}' already; nothing was changed.", "Take another --name."
            )
    for set_id in (f"obs-{name}", f"order-{name}"):
        if pack.terminology.has_set(set_id):
            raise ConfigurationError(
                f"There is a value set '{set_id}' already; nothing was changed.",
                "Take another --name.",
            )


def _fact(lab: NewLab, name: str) -> Json:
    plausible: dict[str, Json] = {"above": 0}
    if lab.at_most is not None:
        plausible["atMost"] = lab.at_most
    return {
        "kind": "quantity",
        "title": lab.title,
        "offered": True,
        "valueSet": f"obs-{name}",
        "unit": lab.unit,
        "plausible": plausible,
    }


def _table(lab: NewLab) -> Json:
    units: dict[str, Json] = {lab.unit: {"times": "1"}}
    for written in lab.units:
        match = _ALSO.fullmatch(written)
        if match is None:
            raise ConfigurationError(
                f"'{written}' is not UNIT=FACTOR.",
                f"Write what leads from the unit to {lab.unit}: nmol/L=0.4 or nmol/L=/2.5.",
            )
        how = "dividedBy" if match["divided"] else "times"
        units[match["unit"].strip()] = {how: match["factor"]}
    return {"canonical": lab.unit, "units": units}


def _order(files: SiteFiles, lab: NewLab, name: str, today: date) -> list[str]:
    """The order of the test: open ones, and the one being placed."""
    title = f"Order of {lab.title}"
    files.new(
        f"valuesets/order-{name}.json",
        value_set(f"order-{name}", title, today, includes(lab.codes)),
    )
    files.enter("order-names.json", "orderNames", f"order-{name}", {"names": [*lab.order_names]})
    for fact, kind, words in (
        (f"order.{name}", "order", f"open order for {lab.title}"),
        (f"draft.order.{name}", "draft-order", f"{lab.title} (this order)"),
    ):
        entry: dict[str, Json] = {"kind": kind, "title": words, "offered": True}
        if kind == "order":
            entry["lookback"] = "order.lookback"
        files.enter("facts.json", "facts", fact, {**entry, "valueSet": f"order-{name}"})
    return [f"order.{name}", f"draft.order.{name}"]
