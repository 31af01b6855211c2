"""Nothing decides unseen: each kind of change stands in `rules diff` with what it was and is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.authoring.pack_changes import pack_changes
from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.terminology.valueset import ADDS
from tests.support.sites import Site

Json = Any
HOOKS = CHECKOUT


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def changes(site: Site) -> list[str]:
    return pack_changes(
        load_pack(HOOKS, thorough=False), load_pack(HOOKS, site.root, thorough=False)
    )


def shipped(name: str) -> Json:
    return json.loads((HOOKS / name).read_text("utf-8"))


def units(site: Site) -> None:
    table = shipped("units.json")["analytes"]["obs-ferritin"]
    unit = next(unit for unit in table["units"] if unit != table["canonical"])
    table["units"][unit] = {"times": "7"}
    site.write("units.json", {"analytes": {"obs-ferritin": table}})


def order_names(site: Site) -> None:
    names = shipped("order-names.json")["orderNames"]["order-ferritin"]
    names["names"].append("eisenspeicher")
    site.write("order-names.json", {"orderNames": {"order-ferritin": names}})


def one_code_less(site: Site) -> None:
    value_set = shipped("valuesets/obs-ferritin.json")
    del value_set["compose"]["include"][0]["concept"][0]
    site.write("valuesets/obs-ferritin.json", value_set)


def one_code_more(site: Site) -> None:
    concept = {"system": "http://loinc.org", "concept": [{"code": "99999-9", "display": "new"}]}
    site.write(
        "valuesets/obs-ferritin.json",
        {
            "resourceType": "ValueSet",
            "id": "obs-ferritin",
            "extension": [{"url": ADDS, "valueBoolean": True}],
            "status": "active",
            "compose": {"include": [concept]},
        },
    )


def brand(site: Site) -> None:
    drugs = shipped("drugs.json")
    code = next(iter(drugs["products"]))
    drugs["products"][code][2] = "another name"
    drugs["products"]["99990009"] = [[0], 0, "a new tablet"]
    site.write("drugs.json", drugs)


def configured(**content: Json) -> Callable[[Site], None]:
    return lambda site: site.write("site.json", content) and None


def fact(site: Site) -> None:
    entry = shipped("facts.json")["facts"]["lab.ferritin"]
    site.write("facts.json", {"facts": {"lab.ferritin": {**entry, "pick": "newest"}}})


RULE = "rls.low-ferritin"
SERVICE = "leg-cramps-patient-view"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (units, "units of obs-ferritin: "),
        (order_names, "order-names orderNames order-ferritin names: +'eisenspeicher'"),
        (one_code_less, "value set obs-ferritin: -1 code (LOINC "),
        (one_code_more, "value set obs-ferritin: +1 code (LOINC 99999-9 new)"),
        (brand, "drug dictionary: +1 product (RxNorm 99990009: a new tablet, "),
        (configured(settings={"ferritin.lookback": 400}), "setting ferritin.lookback: "),
        (configured(rules={RULE: {"status": "shadow"}}), f"rule {RULE}: status active -> shadow"),
        (
            configured(rules={RULE: {"card": {"indicator": "info"}}}),
            f"rule {RULE}: card.indicator 'warning' -> 'info'",
        ),
        (configured(profile=["aasm-2025"]), "profile: seed-default -> aasm-2025"),
        (configured(services={SERVICE: {"maxCards": 2}}), f"service {SERVICE}: maxCards 3 -> 2"),
        (fact, "fact lab.ferritin: pick 'lowest' -> 'newest'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_is_told(site: Site, change: Callable[[Site], None], told: str) -> None:
    change(site)
    lines = changes(site)
    assert any(line.startswith(told) for line in lines), lines


def test_a_site_that_changes_nothing_is_told_to_be_the_same(site: Site) -> None:
    assert changes(site) == []


def test_the_review_is_sorted_by_kind_and_names_the_revision(site: Site) -> None:
    units(site)
    site.write("site.json", {"settings": {"ferritin.low": 60}})
    result = CliRunner().invoke(
        main, ["rules", "review", "shipped", str(site.root)], catch_exceptions=False
    )
    assert result.exit_code == 0
    revision = load_pack(HOOKS, site.root, thorough=False).revision[:12]
    assert result.output.count(f"`{revision}`") == 2
    numbers, _, rest = result.output.partition("## Units")
    assert "- setting ferritin.low (" in numbers
    assert "): 50 -> 60 ng/mL" in numbers
    assert "- units of obs-ferritin: " in rest


def test_a_review_of_nothing_says_so(site: Site) -> None:
    result = CliRunner().invoke(main, ["rules", "review", "shipped", str(site.root)])
    assert "Nothing that decides an answer differs." in result.output
