"""Cards in another language: chosen by the client's dialect or by the call, and whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support import tokens
from tests.support.calls import Caller, Json
from tests.support.clinical import draft_drug, dx, lab, request, rx
from tests.support.sites import Site

CRAMP = dx("icd:G47.62")
RLS = dx("sct:32914008")
LOW_FERRITIN = {"conditions": [RLS], "observations": [lab("2276-4", 32.5, "ng/mL", days=20)]}
UNREVIEWED = "Übersetzung ärztlich nicht geprüft."


def answer(client: FlaskClient, chart: Json, asked: str = "", service: str = "") -> Any:
    headers = {"Accept-Language": asked} if asked else {}
    path = f"/cds-services/{service or 'leg-cramps-patient-view'}"
    response = client.post(path, json=chart, headers=headers)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response


def without_uuids(content: Json) -> str:
    for card in content["cards"]:
        del card["uuid"]
        for suggestion in card.get("suggestions", ()):
            del suggestion["uuid"]
    return json.dumps(content)


class TestWords:
    def test_a_german_card_is_german_throughout(self, client: FlaskClient) -> None:
        [card] = answer(client, request(**LOW_FERRITIN), "de").json["cards"]
        assert card["summary"].startswith("RLS, Ferritin 32,5 ng/mL (01.11.2026), unter 50:")
        assert "Niedrige Eisenspeicher können Restless Legs auslösen" in card["detail"]
        assert "\n\nErwägen: Eisentherapie und die Ursache des Mangels.\n\n" in card["detail"]
        assert "\n\nGrundlage:\n\n- Restless Legs: Diagnosenliste" in card["detail"]
        assert "- Ferritin: 32,5 ng/mL, 01.11.2026" in card["detail"]
        assert card["detail"].endswith(f"Ärztlich nicht freigegeben. {UNREVIEWED}")
        assert card["suggestions"][0]["label"] == (
            "Eisendiagnostik mit Transferrinsättigung anfordern"
        )
        assert card["source"]["label"] == "AASM-Leitlinie zu RLS und PLMD, 2025"
        reasons = {one["code"]: one["display"] for one in card["overrideReasons"]}
        assert reasons["already-on-iron"] == "Bereits unter Eisen"
        assert card["extension"]["com.legcramps.cds"]["language"] == "de"

    def test_drugs_and_plurals(self, client: FlaskClient) -> None:
        chart = request(
            conditions=[CRAMP], medicationRequests=[rx("rx:5487"), rx("rx:4603"), rx("rx:17767")]
        )
        cards = answer(client, chart, "de").json["cards"]
        told = "\n".join(card["summary"] + card["detail"] for card in cards)
        assert "Hydrochlorothiazid" in told and "Furosemid" in told
        assert "hydrochlorothiazide" not in told.lower()

    def test_what_was_not_judged_is_a_german_clause(self, client: FlaskClient) -> None:
        chart = request(
            conditions=[dx("icd:G47.62", recorded=None)],
            drafts=[draft_drug("rx:5487")],
            medicationRequests=None,
            medicationStatements=None,
        )
        [card] = answer(client, chart, "de", "leg-cramps-order-select").json["cards"]
        assert "Nicht geprüft: ob derselbe krampfauslösende Wirkstoff schon" in card["detail"]
        assert "Medikation (nicht übermittelt)" in card["detail"]

    def test_text_of_the_chart_is_escaped_as_ever(self, client: FlaskClient) -> None:
        strange = dx("icd:G25.81", "text:[RLS](http://x) *fett*")
        ferritin = lab("2276-4", 20, "ng/mL")
        chart = request(conditions=[strange], observations=[ferritin])
        for tag in ("de", "en"):
            [card] = answer(client, chart, tag).json["cards"]
            assert r"- \[RLS\](http:\//x) \*fett\*: " in card["detail"]

    def test_limits_hold_in_german(self, client: FlaskClient) -> None:
        drugs = [rx(f"rx:{code}") for code in ("5487", "4603", "17767", "36567", "6448", "5640")]
        chart = request(conditions=[CRAMP, RLS], medicationRequests=drugs)
        for card in answer(client, chart, "de").json["cards"]:
            assert len(card["summary"]) < 140
            before = card["detail"].partition("\n\nGrundlage:")[0]
            assert len(before.split()) <= 60


class TestChoice:
    def test_english_is_to_the_letter_what_it_was_without_the_header(
        self, client: FlaskClient
    ) -> None:
        plain, asked = (answer(client, request(**LOW_FERRITIN), tag) for tag in ("", "en-GB"))
        assert without_uuids(plain.json) == without_uuids(asked.json)
        assert "language" not in plain.json["cards"][0]["extension"]["com.legcramps.cds"]

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ("de", "de"),
            ("DE", "de"),
            ("de-AT", "de"),
            ("de-CH-1996", "de"),
            ("fr, de;q=0.5", "de"),
            ("de;q=0.3, en;q=0.8", "en"),
            ("en-GB, de;q=0.5", "en"),
            ("fr", "en"),
            ("*", "en"),
            ("de;q=0", "en"),
            ("de-AT, de;q=0", "en"),
            ("", "en"),
            (";;;,q=x", "en"),
        ],
    )
    def test_by_the_header(self, client: FlaskClient, asked: str, given: str) -> None:
        response = client.get("/cds-services", headers={"Accept-Language": asked})
        assert response.headers["Content-Language"] == given
        assert "Accept-Language" in response.headers["Vary"]

    def test_an_answer_says_its_language(self, client: FlaskClient) -> None:
        response = answer(client, request(**LOW_FERRITIN), "de-AT")
        assert response.headers["Content-Language"] == "de"
        assert "Accept-Language" in response.headers["Vary"]

    def test_discovery_is_described_in_it(self, client: FlaskClient) -> None:
        listed = client.get("/cds-services", headers={"Accept-Language": "de"}).json["services"]
        titles = {one["id"]: one["title"] for one in listed}
        assert titles["leg-symptoms-screen"] == "Screening auf Beinsymptome"
        assert all("FHIR R4. Erforderlich" in one["usageRequirements"] for one in listed)

    @pytest.mark.parametrize(
        ("own", "asked", "given"),
        [("de", "en", "de"), ("en", "de", "en"), ("de-AT", "", "de"), ("fr", "de", "en")],
    )
    def test_the_sites_word_for_a_client_stands_above_the_header(
        self, tmp_path: Path, own: str, asked: str, given: str
    ) -> None:
        tokens.write_clients(tmp_path, tokens.client_entry(dialect={"language": own}))
        secured = tokens.Secured(tmp_path)
        response = secured.call(tokens.token(), headers={"Accept-Language": asked})
        assert response.status_code == 200
        assert response.headers["Content-Language"] == given


class TestSites:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Site:
        return Site(tmp_path / "site")

    def test_a_site_adds_a_language_and_what_it_lacks_is_english(
        self, app_with_site: Any, site: Site
    ) -> None:
        french = {"language": "fr", "texts": {"Because:": "Motifs :"}}
        site.write("languages/fr.json", french)
        client = app_with_site(site.root).test_client()
        [card] = answer(client, request(**LOW_FERRITIN), "fr").json["cards"]
        assert "\n\nMotifs :\n\n- Restless legs: problem list" in card["detail"]
        assert card["detail"].endswith("Translation not reviewed by a clinician.")

    def test_a_sites_words_are_laid_over_the_shipped_ones(
        self, app_with_site: Any, site: Site
    ) -> None:
        own = {"language": "de-AT", "texts": {"Because:": "Begründung:"}}
        site.write("languages/at.json", own)
        site.write("site.json", {"settings": {"ferritin.low": 75}})
        client = app_with_site(site.root).test_client()
        response = answer(client, request(**LOW_FERRITIN), "de-AT")
        [card] = response.json["cards"]
        assert response.headers["Content-Language"] == "de-AT"
        assert "\n\nBegründung:\n\n" in card["detail"]
        assert "Ferritin: dieses Haus verwendet 75 ng/mL; Standard 50." in card["detail"]
        assert (
            Caller(client)
            .cards(request(**LOW_FERRITIN))["cards"][0]["detail"]
            .endswith("Not signed off by a clinician.")
        )
