"""What a site adds to the lists of routes and the like decides its cards, and is shown as a change.

Each call goes to the shipped pack too, so that the card is known to come or go with the site's
word.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.config import Settings
from cds_service.service.runtime import build_runtime
from cds_service.web.app import create_app
from tests.support.calls import NOW, Caller, patient_view
from tests.support.clinical import rx, told
from tests.support.clinical_cases import CRAMP, DIURETIC, RECENT_LABS
from tests.support.sites import Site

Json = Any
LOCAL_ROUTES = "https://hospital.example.org/routes"
SNOMED = "http://snomed.info/sct"
LISTS: Json = {
    "routes": {
        "local-codes": {
            "codes": [{"system": LOCAL_ROUTES, "code": "7"}],
            "without": ["6064005"],
        },
        "systemic-codes": {"codes": [{"system": SNOMED, "code": "6064005"}]},
        "local-routes": {"words": ["einträufeln"], "without": ["scalp"]},
    }
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def diuretic(route: Json) -> Json:
    """A call about furosemide by a route."""
    order = rx("text:Furosemide") | {"dosageInstruction": [{"route": route}]}
    return patient_view(conditions=[CRAMP], medicationRequests=[order], observations=RECENT_LABS)


def coded(code: str, system: str = LOCAL_ROUTES) -> Json:
    return {"coding": [{"system": system, "code": code}]}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """The application with a site that changes something in each list under test."""
    site = Site(tmp_path_factory.mktemp("vocabulary") / "site")
    for name, lists in LISTS.items():
        site.write(f"{name}.json", {name: lists})
    settings = Settings(
        auth="off", database_url=f"sqlite:///{site.root}.sqlite3", site_dir=site.root, now=NOW
    )
    runtime = build_runtime(settings)
    yield Caller(create_app(settings, runtime).test_client())
    runtime.close()


class TestRoutes:
    @pytest.mark.parametrize(
        ("route", "shipped", "changed"),
        [
            (coded("7"), [DIURETIC], []),
            (coded("7", "https://elsewhere.example.org/routes"), [DIURETIC], [DIURETIC]),
            ({"text": "Einträufeln links"}, [DIURETIC], []),
            ({"text": "scalp"}, [], [DIURETIC]),
            (coded("6064005", SNOMED), [], [DIURETIC]),
        ],
        ids=["a code", "another system's", "a word", "a word less", "a code the other way"],
    )
    def test_a_card_appears_or_vanishes(
        self, caller: Caller, here: Caller, route: Json, shipped: list[str], changed: list[str]
    ) -> None:
        assert told(caller.cards(diuretic(route))) == shipped
        assert told(here.cards(diuretic(route))) == changed


def run(*arguments: str, site: Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, list(arguments), env={"CDS_SITE_DIR": str(site)})
    assert result.exit_code == status, result.output
    return result.output


class TestShown:
    def test_in_words_to_whoever_approves(self, site: Site) -> None:
        site.write("routes.json", {"routes": {"local-routes": {"words": ["einträufeln"]}}})
        review = run("rules", "review", site=site.root)
        assert (
            "## Routes of medicines\n\n- routes local-routes (words for a route by which a medicine"
            " acts where it is put): +'einträufeln'" in review
        )

    def test_a_word_that_is_taken_out(self, site: Site) -> None:
        site.write("routes.json", {"routes": {"local-routes": {"without": ["scalp"]}}})
        assert "+0" not in (told := run("rules", "diff", "shipped", "current", site=site.root))
        assert told.startswith("routes local-routes ") and told.strip().endswith(": -'scalp'")

    def test_with_its_line_among_the_values_in_force(self, site: Site) -> None:
        entry = {"words": ["einträufeln"], "without": ["scalp"]}
        file = site.write("routes.json", {"routes": {"local-routes": entry}})
        lines = run("config", "show", "--changes", site=site.root).splitlines()
        (line,) = [line for line in lines if line.startswith("routes local-routes")]
        assert "+einträufeln, -scalp" in line and f"{file}:1" in line and line.endswith("*")
        assert "routes rectal" in run("config", "show", site=site.root)

    def test_the_revision_changes(self, site: Site) -> None:
        before = run("config", "show", "--changes", site=site.root).splitlines()[0]
        site.write("routes.json", {"routes": {"local-routes": {"words": ["einträufeln"]}}})
        assert run("config", "show", "--changes", site=site.root).splitlines()[0] != before
