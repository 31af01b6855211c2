"""What a site set itself, and who signed the content off, is said on the cards and the pages."""

from pathlib import Path
from typing import Any

import pytest

from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from tests.support.calls import Caller, Json
from tests.support.clinical import dx, lab, request
from tests.support.sites import Site

RLS = dx("sct:32914008")
WHO = {"who": "Dr. A. Example", "role": "consultant neurologist", "date": "2026-11-20"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def rls_card(app_with_site: Any, site: Site, ferritin: float = 60) -> Json:
    caller = Caller(app_with_site(site.root).test_client())
    chart = request(conditions=[RLS], observations=[lab("2276-4", ferritin, "ng/mL")])
    [card] = caller.cards(chart)["cards"]
    return dict(card)


def last_line(card: Json) -> str:
    return str(card["detail"].split("\n\n")[-1])


def version(card: Json) -> str:
    return str(card["extension"]["com.legcramps.cds"]["rules"][0]["version"])


class TestNumbers:
    def test_a_number_of_the_site_is_said_to_be(self, app_with_site: Any, site: Site) -> None:
        site.write("site.json", {"settings": {"ferritin.low": 75}})
        card = rls_card(app_with_site, site)
        assert "Ferritin: this site uses 75 ng/mL; default 50." in last_line(card)
        assert version(card).endswith("+site")

    def test_the_shipped_number_repeated_is_no_change(self, app_with_site: Any, site: Site) -> None:
        site.write("site.json", {"settings": {"ferritin.low": 50}})
        card = rls_card(app_with_site, site, 20)
        assert "this site" not in card["detail"]
        assert "+" not in version(card)

    def test_a_rule_that_does_not_read_it_is_unmarked(self, site: Site) -> None:
        site.write("site.json", {"settings": {"ferritin.low": 75}})
        versions = {rule.id: rule.version for rule in load_pack(CHECKOUT, site.root).rules}
        assert versions["rls.low-ferritin"].endswith("+site")
        assert not versions["drug-review.diuretic"].endswith("+site")

    def test_changed_words_mark_the_version(self, site: Site) -> None:
        site.write("site.json", {"rules": {"rls.low-ferritin": {"card": {"caveat": "Local."}}}})
        versions = {rule.id: rule.version for rule in load_pack(CHECKOUT, site.root).rules}
        assert [name for name, v in versions.items() if v.endswith("+site")] == ["rls.low-ferritin"]


class TestSignOff:
    def sign(self, site: Site, revision: str, **content: Json) -> None:
        site.write("site.json", {**content, "signedOff": {**WHO, "revision": revision}})

    def test_the_signature_of_this_revision_is_on_the_card_and_the_page(
        self, app_with_site: Any, site: Site
    ) -> None:
        self.sign(site, load_pack(CHECKOUT, site.root).revision)
        card = rls_card(app_with_site, site, 20)
        told = "Content signed off by Dr. A. Example, consultant neurologist, 2026-11-20."
        assert last_line(card) == told
        page = (
            app_with_site(site.root)
            .test_client()
            .get("/sources/rls.low-ferritin", headers={"Accept": "application/json"})
        )
        assert page.get_json()["signature"]["who"] == WHO["who"]
        assert told in page.get_json()["signedOff"]

    def test_the_signature_is_no_part_of_the_revision(self, site: Site) -> None:
        before = load_pack(CHECKOUT, site.root).revision
        self.sign(site, before)
        assert load_pack(CHECKOUT, site.root).revision == before

    def test_a_changed_revision_loses_it(self, app_with_site: Any, site: Site) -> None:
        signed = load_pack(CHECKOUT, site.root).revision
        self.sign(site, signed, settings={"ferritin.low": 75})
        assert last_line(rls_card(app_with_site, site)).endswith("Not signed off by a clinician.")
