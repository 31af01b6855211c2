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


def test_a_word_list_of_the_site_counts_in_all_facts_that_name_it(site: Site) -> None:
    site.write("facts.json", {"words": {"leg": ["leg", "os cruris"]}, "facts": {}})
    shipped, changed = (load_pack(CHECKOUT, folder, thorough=False) for folder in (None, site.root))
    for name in ("problem.leg-cramp", "problem.leg-cramp-visit", "draft.reason.cramp"):
        before, after = (pack.catalogue.facts[name].by_words for pack in (shipped, changed))
        assert "calf" in before.here
        assert after.here == ("leg", "os cruris")
        assert after.elsewhere == before.elsewhere
        assert f"fact {name}: byWords.here + 'os cruris'" in pack_changes(shipped, changed)


def test_a_fact_of_the_site_names_a_shipped_word_list(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = {"changes": "shipped", "notBodySiteWords": "upper-body"}
    site.write("facts.json", {"words": {"leg": ["shank"]}, "facts": {"problem.leg-pain": fact}})
    pack = load_pack(CHECKOUT, site.root, thorough=False)
    assert "jaw" in pack.catalogue.facts["problem.leg-pain"].not_body_site_words
    monkeypatch.setenv("CDS_SITE_DIR", str(site.root))
    shown = CliRunner().invoke(main, ["config", "show", "--changes"]).output
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert any(line.startswith('leg ["shank"]') for line in lines)
    assert any(line.startswith("problem.leg-pain notBodySiteWords") for line in lines)
