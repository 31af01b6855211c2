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
from tests.support.clinical import rx, said, told
from tests.support.clinical_cases import (
    ABI_MISSING,
    CLAUDICATION,
    CRAMP,
    DIURETIC,
    RECENT_LABS,
    sided,
)
from tests.support.sites import Site

Json = Any
LOCAL_ROUTES = "https://hospital.example.org/routes"
LOCAL = "https://hospital.example.org/answers"
SNOMED = "http://snomed.info/sct"
HERE = "https://hospital.example.org/icd"
LISTS: Json = {
    "code-systems": {
        "icd-10-cm": {"addresses": [HERE]},
        "atc": {"addresses": ["1.2.3.4.5"], "without": ["urn:oid:2.16.840.1.113883.6.73"]},
    },
    "routes": {
        "local-codes": {
            "codes": [{"system": LOCAL_ROUTES, "code": "7"}],
            "without": ["6064005"],
        },
        "systemic-codes": {"codes": [{"system": SNOMED, "code": "6064005"}]},
        "local-routes": {"words": ["einträufeln"], "without": ["scalp"]},
    },
    "sides": {
        "left": {"words": ["links"]},
        "right": {"words": ["rechts"]},
        "after-exercise": {"words": ["belastung"]},
    },
    "statuses": {
        "denied-answers": {"codes": [{"system": LOCAL, "code": "J0"}], "words": ["nein"]},
        "ended-problems": {"words": ["früher"]},
        "refuted-problems": {"words": ["verworfen"]},
        "stopped-drugs": {"words": ["weggelassen"]},
        "active-drugs": {"words": ["läuft"], "without": ["ongoing"]},
        "drug-negated-before": {"words": ["ohne"]},
        "drug-negated-after": {"without": ["free"], "words": ["frei"]},
    },
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


def low_index(left: str, right: str, method: str = "") -> Json:
    """A call about an ankle-brachial index with a component for each leg, called so."""
    whole = sided(0.8, 1.0)
    for component, name in zip(whole["component"], (left, right), strict=True):
        component["code"] = {"text": name}
    if method:
        whole["method"] = {"text": method}
    return patient_view(conditions=[CLAUDICATION], observations=[whole])


class TestSides:
    def test_words_for_the_legs(self, caller: Caller, here: Caller) -> None:
        call = low_index("Bein links", "Bein rechts")
        assert told(caller.cards(call)) == [ABI_MISSING]
        assert told(here.cards(call)) == ["warning claudication.low-abi"]

    def test_words_for_exercise(self, caller: Caller, here: Caller) -> None:
        call = low_index("left leg", "right leg", "nach Belastung")
        assert told(caller.cards(call)) == ["warning claudication.low-abi"]
        assert told(here.cards(call)) == ["warning claudication.exercise-abi"]


def cramp(**more: Json) -> Json:
    """A call about a diuretic and a cramp with these properties."""
    condition = {k: v for k, v in (CRAMP | more).items() if v is not None}
    order = rx("text:Furosemide")
    return patient_view(
        conditions=[condition], medicationRequests=[order], observations=RECENT_LABS
    )


def finding(code: str, system: str = LOCAL) -> Json:
    """A call about a diuretic and the answer to the question for cramps."""
    answer = said("sct:449917004", answer="local:x")
    answer["valueCodeableConcept"] = {"coding": [{"system": system, "code": code}]}
    return patient_view(
        medicationRequests=[rx("text:Furosemide")], observations=[answer, *RECENT_LABS]
    )


def taken(status: str) -> Json:
    order = rx("text:Furosemide", status=status)
    return patient_view(conditions=[CRAMP], medicationRequests=[order], observations=RECENT_LABS)


FOUND = f"{DIURETIC} + cramp.first-line-care"
UNCOUNTED = "info drug-review.uncounted"


class TestStatuses:
    @pytest.mark.parametrize(
        ("call", "shipped", "changed"),
        [
            (finding("J0"), [FOUND], []),
            (finding("J0", "https://elsewhere.example.org"), [FOUND], [FOUND]),
            (finding("NEIN"), [FOUND], []),
            (cramp(clinicalStatus={"text": "Früher"}), None, []),
            (cramp(verificationStatus={"text": "Verworfen"}), None, []),
            (taken("weggelassen"), [UNCOUNTED], []),
            (taken("läuft"), [UNCOUNTED], [DIURETIC]),
            (taken("ongoing"), [DIURETIC], [UNCOUNTED]),
        ],
        ids=["answer", "another system's", "word", "ended", "refuted", "stopped", "active", "less"],
    )
    def test_a_card_appears_or_vanishes(
        self, caller: Caller, here: Caller, call: Json, shipped: Json, changed: list[str]
    ) -> None:
        before = told(caller.cards(call))
        assert before == shipped if shipped is not None else before
        assert told(here.cards(call)) == changed


def muscle_cramp(system: str) -> Json:
    """A call about a diuretic and a cramp by an ICD-10-CM code under an address."""
    condition = CRAMP | {"code": {"coding": [{"system": system, "code": "G4762"}]}}
    order = rx("text:Furosemide")
    return patient_view(
        conditions=[condition], medicationRequests=[order], observations=RECENT_LABS
    )


def by_atc(system: str) -> Json:
    order = rx("text:x")
    order["medicationCodeableConcept"] = {"coding": [{"system": system, "code": "C03CA01"}]}
    return patient_view(conditions=[CRAMP], medicationRequests=[order], observations=RECENT_LABS)


class TestDrugsThatAreNotIn:
    @pytest.mark.parametrize(
        ("text", "shipped", "changed"),
        [
            ("ohne Furosemid", [DIURETIC], []),
            ("Furosemid-frei", [DIURETIC], []),
            ("furosemide-free", [], [DIURETIC]),
        ],
    )
    def test_a_card_appears_or_vanishes(
        self, caller: Caller, here: Caller, text: str, shipped: list[str], changed: list[str]
    ) -> None:
        call = patient_view(
            conditions=[CRAMP], medicationRequests=[rx(f"text:{text}")], observations=RECENT_LABS
        )
        assert told(caller.cards(call)) == shipped
        assert told(here.cards(call)) == changed


class TestAddresses:
    @pytest.mark.parametrize(
        ("call", "shipped", "changed"),
        [
            (by_atc("urn:oid:1.2.3.4.5"), [], [DIURETIC]),
            (by_atc("urn:oid:2.16.840.1.113883.6.73"), [DIURETIC], []),
        ],
        ids=["one more", "one less"],
    )
    def test_a_card_appears_or_vanishes(
        self, caller: Caller, here: Caller, call: Json, shipped: list[str], changed: list[str]
    ) -> None:
        assert told(caller.cards(call)) == shipped
        assert told(here.cards(call)) == changed

    @pytest.mark.parametrize("written", [HERE, f"{HERE.replace('https://', 'HTTP://www.')}/|2026"])
    def test_a_complaint_is_known_and_no_longer_possible(
        self, caller: Caller, here: Caller, written: str
    ) -> None:
        (possible,) = caller.cards(muscle_cramp(written))["cards"]
        (known,) = here.cards(muscle_cramp(written))["cards"]
        assert possible["summary"].startswith("If leg cramps")
        assert known["summary"].startswith("Leg cramps")


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
