"""GET /sources and /sources/{rule}: for the clinician who asks "says who?"."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack
from cds_service.web.app import create_app
from tests.conftest import AppOfProfile
from tests.support import packs
from tests.support.calls import NOW, Caller, condition, observation, patient_view
from tests.support.fake_runtime import FakeRuntime

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HOOKS = Path(__file__).parent.parent.parent / "hooks"
VOID = {"meta", "link", "br", "hr", "img", "input"}
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"


class Page(HTMLParser):
    """A page's elements; well-formedness is checked while it is read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "title"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def browse(client: FlaskClient, path: str) -> Page:
    response = client.get(path, headers={"Accept": BROWSER})
    assert response.status_code == 200, path
    assert response.mimetype == "text/html"
    return Page(response.get_data(as_text=True))


def read(client: FlaskClient, rule: str) -> dict[str, Any]:
    response = client.get(f"/sources/{rule}?format=json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    source: dict[str, Any] = response.json
    return source


def rules_of(client: FlaskClient) -> list[str]:
    groups = client.get("/sources?format=json").json["groups"]
    return [rule["rule"] for group in groups for rule in group["rules"]]


def shown(pack: Pack) -> FlaskClient:
    """A client of an application that has nothing but a pack."""
    runtime = FakeRuntime()
    runtime.pack = pack
    app: Flask = create_app(Settings(auth="off", cors_origins=("*",), now=NOW), runtime)
    return app.test_client()


def test_the_index_names_every_rule(client: FlaskClient) -> None:
    page = browse(client, "/sources")
    links = {link["href"] for link in page.all("a")}
    rules = rules_of(client)
    assert len(rules) == len(set(rules)) >= 40
    assert links == {f"/sources/{rule}" for rule in rules}
    assert "No clinician has signed this content off" in page.words


def test_the_page_of_low_ferritin(client: FlaskClient) -> None:
    words = browse(client, "/sources/rls.low-ferritin").words
    for expected in (
        "values <50 ng/mL suggest iron deficiency associated with RLS",
        "Nocturnal Leg Cramps: Causes and Pathophysiology 000_0d1fd442acb43723.txt",
        "line 36, C49",
        "ferritin is below 50 ng/mL (setting ferritin.low), within 365 days",
        "RLS is recorded or suspected",
        "AASM 2025: iron for adults with ferritin of at most 75 ng/mL",
        "What causes nocturnal calf spasms and how are they managed? (Dr.Oracle): pending human",
        "Profile in force: seed-default",
        "No clinician has signed this content off",
        "Default: 50 ng/mL. Set by: the pack.",
        "Funding source of the technical implementation : not provided",
        "1.0.0 (2026-11-22): First version.",
    ):
        assert expected.replace(" ,", ",") in words.replace(" ,", ","), expected


def test_every_rule_has_a_sound_page(client: FlaskClient) -> None:
    for rule in rules_of(client):
        page = browse(client, f"/sources/{rule}")
        assert not page.all("script") and not page.all("img") and not page.all("link")
        assert all("style" not in a and "onclick" not in a for _, a in page.elements), rule
        (viewport,) = [m for m in page.all("meta") if m.get("name") == "viewport"]
        assert viewport["content"] == "width=device-width, initial-scale=1"
        assert page.elements[0] == ("html", {"lang": "en"})
        anchors = {a["id"] for _, a in page.elements if "id" in a}
        for link in page.all("a"):
            href = link["href"] or ""
            if href.startswith("#"):
                assert href[1:] in anchors, (rule, href)
            elif href.startswith("/"):
                assert client.get(href, headers={"Accept": BROWSER}).status_code == 200, href
            else:
                assert href.startswith(("https://", "http://")) and link["rel"] == "noreferrer"


def test_headings_go_down_one_step_at_a_time(client: FlaskClient) -> None:
    for path in ("/sources", "/sources/rls.low-ferritin", "/Questionnaire/leg-symptoms"):
        page = browse(client, path)
        levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False)), path


def test_page_and_json_say_the_same(client: FlaskClient) -> None:
    """Every text of the JSON that is made for people stands on the page."""
    for rule in rules_of(client):
        source, words = read(client, rule), browse(client, f"/sources/{rule}").words
        parts = [source["title"], source["signedOff"], source["evidence"]["caveat"]]
        parts += [claim["quote"] for claim in source["claims"]]
        parts += [s["inForce"] for s in source["thresholds"]]
        parts += [s["description"] for s in source["thresholds"]]
        parts += [a["value"] for a in source["attributes"]]
        parts += [g["guidance"] for g in source["guidelines"]]
        parts += [card["summary"] for card in source["cards"]]
        parts += [*source["limits"], *source["whenUnknown"], *source["logic"]["never"]]
        for part in parts:
            assert " ".join(part.split()) in words, (rule, part)


def test_every_rule_tells_what_the_regulation_asks(client: FlaskClient) -> None:
    for rule in rules_of(client):
        source = read(client, rule)
        assert [a["number"] for a in source["attributes"]] == list(range(1, 14)), rule
        assert all(a["value"] for a in source["attributes"])
        assert source["evidence"]["strength"] != "not provided", rule
        assert source["evidence"]["caveat"] != "not provided", rule
        linked = any("url" in reference for reference in source["references"])
        assert source["claims"] or linked, rule
        assert source["version"] in {entry["version"] for entry in source["history"]}


def test_sex_birth_date_and_health_status_are_told_by_what_a_rule_reads(
    client: FlaskClient,
) -> None:
    told = {a["number"]: a["value"] for a in read(client, "assoc.pregnancy")["attributes"]}
    assert "sex" in told[10] and "pregnancy" in told[13]
    told = {a["number"]: a["value"] for a in read(client, "redflag.toxin-exposure")["attributes"]}
    assert (told[10], told[13]) == ("Not used.", "Not used.")
    assert told[11] == "Used: age."  # the minimum age
    told = {a["number"]: a["value"] for a in read(client, "order.quinine")["attributes"]}
    assert told[11] == "Not used."  # quinine has no minimum age


def test_documents_pending_review_are_named_where_cited_and_nowhere_else(
    client: FlaskClient,
) -> None:
    assert read(client, "rls.low-ferritin")["pendingReview"]
    source = read(client, "redflag.toxin-exposure")  # rests on document 003 alone
    assert source["pendingReview"] == []
    assert "pending" not in browse(client, "/sources/redflag.toxin-exposure").words


def test_thresholds_follow_the_profile(app_with_profile: AppOfProfile) -> None:
    client = app_with_profile("acc-aha-2024").test_client()
    source = read(client, "claudication.high-abi")
    (high,) = [s for s in source["thresholds"] if s["name"] == "abi.high"]
    assert (high["inForce"][:3], high["default"][:3]) == ("1.4", "1.3")
    assert high["setBy"] == "profile acc-aha-2024"
    assert [p["id"] for p in source["pack"]["profile"]] == ["acc-aha-2024"]
    assert "is above 1.4" in str(source["logic"]["fires"])


def test_a_threshold_of_the_site_is_told_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text('{"settings": {"ferritin.low": 75}}')
    client = shown(load_pack(HOOKS, tmp_path, thorough=False))
    (low, *_) = read(client, "rls.low-ferritin")["thresholds"]
    assert (low["inForce"], low["default"], low["setBy"]) == ("75 ng/mL", "50 ng/mL", "the site")
    page = browse(client, "/sources/rls.low-ferritin")
    assert "ferritin is below 75 ng/mL" in page.words
    assert str(tmp_path) not in page.words


def test_a_rule_that_a_profile_switches_on_says_so(
    client: FlaskClient, app_with_profile: AppOfProfile
) -> None:
    assert read(client, "rls.guideline-iv-band")["status"] != "active"
    source = read(app_with_profile("aasm-2025").test_client(), "rls.guideline-iv-band")
    assert source["status"] == "active" and source["shippedStatus"] != "active"


def test_a_card_leads_to_its_page(caller: Caller, client: FlaskClient) -> None:
    rls = condition(ICD10, "G25.81")
    low = observation("2276-4", 30, "ng/mL")
    (card,) = caller.cards(patient_view(conditions=[rls], observations=[low]))["cards"]
    url = card["source"]["url"]
    assert url == "https://cds.example.org/sources/rls.low-ferritin"
    browse(client, url.removeprefix("https://cds.example.org"))


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER, "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
    ],
)
@pytest.mark.parametrize("path", ["/sources", "/sources/rls.low-ferritin"])
def test_the_reader_chooses_the_form(
    client: FlaskClient, path: str, accept: str, kind: str
) -> None:
    response = client.get(path, headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.mimetype) == (200, kind)
    assert "Accept" in response.vary
    asked = client.get(f"{path}?format=json", headers={"Accept": BROWSER})
    assert asked.mimetype == "application/json"


def test_a_page_may_load_nothing(client: FlaskClient) -> None:
    headers = client.get("/sources/rls.low-ferritin", headers={"Accept": BROWSER}).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == (
        "nosniff",
        "no-referrer",
    )


def test_the_style_is_the_one_that_the_policy_allows(client: FlaskClient) -> None:
    import base64
    import hashlib

    response = client.get("/sources", headers={"Accept": BROWSER})
    style = response.get_data(as_text=True).partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["Content-Security-Policy"]


def test_an_unknown_rule(client: FlaskClient) -> None:
    response = client.get("/sources/rls.nothing", headers={"Accept": "application/json"})
    assert (response.status_code, response.json["resourceType"]) == (404, "OperationOutcome")
    assert response.json["issue"][0]["details"]["coding"][0]["code"] == "not-found"
    page = client.get("/sources/%3Cscript%3E", headers={"Accept": BROWSER})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "<script" not in page.get_data(as_text=True)
    assert "Content-Security-Policy" in page.headers


def test_texts_of_a_pack_are_escaped() -> None:
    evil = '<script>alert(1)</script> & "quotes"'
    rule = packs.rule(
        "one.evil",
        {"all": [packs.present("problem.rls"), {"is": "rls"}]},
        title=evil,
        version="1.0.0",
        card={"indicator": "info", "summary": evil, "caveat": evil},
        claims=("C1",),
        sources=({"label": evil, "url": "https://example.org/?a=1&b=2"},),
    )
    client = shown(packs.pack([rule]))
    for path in ("/sources", "/sources/one.evil"):
        page = browse(client, path)
        assert not page.all("script")
        assert evil in page.words


def test_a_pack_without_explanations_is_explained_as_far_as_its_rules_go() -> None:
    rule = packs.rule("one.bare", packs.present("problem.rls"), claims=("C1",))
    source = read(shown(packs.pack([rule])), "one.bare")
    assert source["logic"]["fires"] == "restless legs syndrome is recorded"
    assert source["claims"] == [{"id": "C1", "quote": "not provided", "document": "not provided"}]
    assert source["evidence"] == {"strength": "not provided", "caveat": "not provided"}
    assert [a["value"] for a in source["attributes"][1:3]] == ["not provided", "not provided"]


def test_links_keep_the_path_of_the_public_address() -> None:
    runtime = FakeRuntime()
    runtime.pack = packs.pack([packs.rule("one.bare", packs.present("problem.rls"))])
    settings = Settings(auth="off", public_url="https://ehr.example.org/cds", now=NOW)
    page = browse(create_app(settings, runtime).test_client(), "/cds/sources")
    assert [link["href"] for link in page.all("a")] == ["/cds/sources/one.bare"]
