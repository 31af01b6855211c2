"""A site changes single properties of a shipped fact: all else stays as shipped, and is seen."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.authoring.pack_changes import pack_changes
from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from tests.support.sites import Site

FACT = {"changes": "shipped", "pick": "newest", "without": ["lookback"]}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("facts.json", {"facts": {"lab.ferritin": FACT}})
    return site


def test_what_is_not_named_stays_as_shipped(site: Site) -> None:
    shipped, changed = (
        load_pack(CHECKOUT, folder, thorough=False).catalogue.facts["lab.ferritin"]
        for folder in (None, site.root)
    )
    assert (changed.pick, changed.lookback) == ("newest", "")
    assert (changed.title, changed.value_sets) == (shipped.title, shipped.value_sets)


def test_the_properties_are_told_one_by_one(site: Site) -> None:
    packs = (load_pack(CHECKOUT, folder, thorough=False) for folder in (None, site.root))
    assert pack_changes(*packs) == [
        "fact lab.ferritin: lookback 'ferritin.lookback' -> nothing",
        "fact lab.ferritin: pick 'lowest' -> 'newest'",
    ]


def test_what_is_in_force_names_property_and_line(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_SITE_DIR", str(site.root))
    site.write("units.json", {"analytes": {"obs-lithium": {"units": {"ug/dL": {"times": "2"}}}}})
    site.write("order-names.json", {"orderNames": {"order-ferritin": {"add": ["Eisenspeicher"]}}})
    shown = CliRunner().invoke(main, ["config", "show", "--changes"]).output
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert any(line.startswith("lab.ferritin pick newest lowest") for line in lines)
    assert any(line.startswith('obs-lithium {"units"') for line in lines)
    assert any(line.startswith('order-ferritin {"add":["Eisenspeicher"]}') for line in lines)
