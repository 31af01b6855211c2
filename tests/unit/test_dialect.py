"""What an EHR's dialect changes in requests and cards, and that it changes nothing else."""

import itertools
import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from cds_service.callers import dialect
from cds_service.callers.model import STANDARD, Dialect
from cds_service.callers.presets import build_dialect
from cds_service.errors import BadRequest
from cds_service.protocol import response
from cds_service.protocol.model import Action, Card, Coding, Link, Source, Suggestion
from cds_service.protocol.raw import decoded
from cds_service.protocol.request import parse_request
from tests.support import fixtures

LOINC = "http://loinc.org"
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "code": {"coding": [{"system": LOINC, "code": "2276-4"}], "text": "Ferritin"},
}
CREATE = Action("create", "Order ferritin", ORDER)
DELETE = Action("delete", "Remove quinine", resource_id="MedicationRequest/1")
CARD = Card(
    uuid="c",
    summary="A card",
    indicator="info",
    source=Source("Source", "https://cds.example.org/sources/x", Coding("urn:t", "rls", "RLS")),
    suggestions=(
        Suggestion("Both", "s1", (CREATE, DELETE), is_recommended=True),
        Suggestion("One", "s2", (CREATE,), is_recommended=True),
    ),
    selection_behavior="any",
    override_reasons=(Coding("urn:r", "no", "No"),),
    links=(Link("DOI", "https://doi.org/1"), Link("FDA", "https://www.fda.gov/x")),
)


def written(card: Card, **settings: Any) -> Any:
    numbers = map("new-{}".format, itertools.count(1))
    data = dialect.write([card], build_dialect(settings), "cds.example.org", lambda: next(numbers))
    return json.loads(data)["cards"][0]


def test_the_standard_dialect_is_the_standard_answer() -> None:
    standard = dialect.write([CARD], STANDARD, "", lambda: "")
    assert standard == response.write([CARD])
    assert json.loads(standard)["cards"][0] == written(CARD, preset="default")


def test_epic_takes_only_any_and_one_action_a_suggestion() -> None:
    card = written(replace(CARD, selection_behavior="at-most-one"), preset="epic")
    assert card["selectionBehavior"] == "any"
    assert [len(s["actions"]) for s in card["suggestions"]] == [1, 1, 1]
    assert [s["uuid"] for s in card["suggestions"]] == ["s1", "new-1", "s2"]
    for suggestion in card["suggestions"][:2]:
        assert suggestion["label"] == suggestion["actions"][0]["description"]


def test_single_settings_go_before_the_preset() -> None:
    card = written(CARD, preset="epic", oneActionPerSuggestion=False)
    assert [len(s["actions"]) for s in card["suggestions"]] == [2, 1]
    more = build_dialect({"preset": "epic", "actionCodeSystems": {LOINC: "urn:x"}})
    assert more.action_systems[LOINC] == "urn:x" and len(more.action_systems) == 4


def test_only_one_is_recommended_where_only_one_may_be_chosen() -> None:
    card = written(CARD, selectionBehavior="at-most-one")
    assert [s.get("isRecommended") for s in card["suggestions"]] == [True, None]


def test_code_systems_and_own_codes_of_actions() -> None:
    own = {"system": "urn:com.epic.cdshooks.action.code.system.preference-list-item", "code": "7"}
    card = written(
        CARD, actionCodeSystems={LOINC: "urn:oid:1"}, actionCodes={f"{LOINC}|2276-4": own}
    )
    resource = card["suggestions"][1]["actions"][0]["resource"]
    assert resource["code"]["coding"] == [own, {"system": "urn:oid:1", "code": "2276-4"}]
    assert resource["code"]["text"] == "Ferritin"
    assert ORDER["code"]["coding"] == [{"system": LOINC, "code": "2276-4"}]  # type: ignore[index]


def test_links_to_listed_hosts_and_to_the_service_itself() -> None:
    card = written(CARD, linkHosts=["doi.org"])
    assert [link["url"] for link in card["links"]] == ["https://doi.org/1"]
    assert card["source"]["url"] == "https://cds.example.org/sources/x"
    elsewhere = replace(CARD, source=Source("Source", "https://pubmed.ncbi.nlm.nih.gov/1"))
    card = written(elsewhere, linkHosts=[])
    assert "links" not in card and card["source"] == {"label": "Source"}


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_delete_before_2_0(version: str) -> None:
    card = written(CARD, specificationVersion=version)
    (delete,) = [a for a in card["suggestions"][0]["actions"] if a["type"] == "delete"]
    assert delete == {
        "type": "delete",
        "description": "Remove quinine",
        "resource": "MedicationRequest/1",
    }


def test_1_0_gets_nothing_that_it_does_not_know() -> None:
    card = written(CARD, specificationVersion="1.0")
    assert "overrideReasons" not in card and "topic" not in card["source"]
    assert not any("isRecommended" in suggestion for suggestion in card["suggestions"])
    assert card["selectionBehavior"] == "at-most-one"
    assert "overrideReasons" in written(CARD, specificationVersion="1.1")


def test_without_feedback_cards_have_no_uuid() -> None:
    assert "uuid" not in written(CARD, feedback=False)


def test_a_card_without_suggestions_gets_no_selection_behavior() -> None:
    plain = replace(CARD, suggestions=(), selection_behavior="")
    for settings in ({"preset": "epic"}, {"specificationVersion": "1.0"}):
        assert "selectionBehavior" not in written(plain, **settings)


def test_no_card_is_added_or_left_out() -> None:
    for spoken in (STANDARD, build_dialect({"preset": "epic", "linkHosts": []})):
        data = json.loads(dialect.write([CARD, CARD], spoken, "", lambda: "u"))
        assert len(data["cards"]) == 2
    assert json.loads(dialect.write([], Dialect(feedback=False), "", lambda: "")) == {"cards": []}


def call_with(system: str) -> bytes:
    call = fixtures.request("order-select/quinine")
    coding = {"system": system, "code": "G25.81"}
    call["prefetch"]["conditions"] = {"resourceType": "Condition", "code": {"coding": [coding]}}
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["medicationCodeableConcept"]["coding"][0]["system"] = system
    order["identifier"] = [{"system": system, "value": "1"}]
    return orjson.dumps(call)


def test_input_systems_are_renamed_in_prefetch_and_drafts() -> None:
    spoken = build_dialect({"inputCodeSystems": {"urn:local": LOINC}})
    request = parse_request("order-select", dialect.read(call_with("urn:local"), spoken))
    condition = decoded(request.prefetch["conditions"].raw)
    assert condition["code"]["coding"][0]["system"] == LOINC
    draft = request.drafts[0].resource
    assert draft["medicationCodeableConcept"]["coding"][0]["system"] == LOINC
    assert draft["identifier"][0]["system"] == "urn:local"  # no code: not a coding


def test_renaming_hides_no_name_that_comes_twice() -> None:
    spoken = build_dialect({"inputCodeSystems": {"urn:local": LOINC}})
    twice = call_with("urn:local").replace(b'"patientId":', b'"patientId":"x","patientId":', 1)
    with pytest.raises(BadRequest, match="twice"):
        dialect.read(twice, spoken)


def test_without_renaming_a_call_stays_as_it_is() -> None:
    content = call_with("urn:local")
    assert dialect.read(content, STANDARD) is content


@pytest.mark.parametrize("name", ["athena", "ocean"])
def test_presets_without_a_known_departure_are_the_standard(name: str) -> None:
    assert build_dialect({"preset": name}) == STANDARD


def test_oracle_gets_cards_of_1_0() -> None:
    assert build_dialect({"preset": "oracle"}).specification_version == "1.0"
