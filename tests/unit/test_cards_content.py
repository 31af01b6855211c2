"""What stands on a card: detail, source, suggestions, override reasons, links, trace."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.compose import compose
from cds_service.facts.chart import Draft
from cds_service.facts.model import Item
from cds_service.protocol import response
from cds_service.rules.model import Evaluation
from tests.unit.cards_support import (
    REQUEST,
    StubFacts,
    cards_of,
    drug,
    ferritin,
    finding,
    known,
    pack,
    problem,
    rule,
    service,
    trace,
)

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def card_with(**card: Any) -> Any:
    [composed] = cards_of(finding(rule("rls.x", "rls", card=card), ferritin()))
    return composed


def paragraphs(**card: Any) -> list[str]:
    return str(card_with(**card).detail).split("\n\n")


def test_the_detail_is_in_paragraphs_in_order() -> None:
    low = rule("rls.x", "rls", card={"detail": ["One.", "Two."], "caveat": "Small studies."})
    low = finding(
        low,
        ferritin(),
        basis=(problem("Restless legs syndrome"), ferritin()),
        unknown_exclusions=("iron is being given", "Iron overload is recorded."),
        notes=("A preliminary result (30 ng/mL, 2026-11-19) was not used.",),
    )
    [card] = cards_of(low)
    assert card.detail.split("\n\n") == [
        "One. Two.",
        "Because:",
        "- Restless legs syndrome: 2026-09-01\n- Ferritin: 49.9 ng/mL, 2026-08-21",
        "Note: A preliminary result (30 ng/mL, 2026-11-19) was not used.",
        "Not checked: whether iron is being given; whether iron overload is recorded. "
        "Not signed off by a clinician.",
    ]


def test_figures_of_evidence_are_in_the_extension() -> None:
    card = card_with(caveat="Small studies.")
    assert "Small studies" not in card.detail
    assert trace(card)["caveats"] == ["Small studies."]


def test_an_action_is_a_paragraph_of_its_own() -> None:
    texts = paragraphs(detail=["One.", "Two.", "Consider: iron by mouth."])
    assert texts[:2] == ["One. Two.", "Consider: iron by mouth."]


@pytest.mark.parametrize(
    ("count", "rest"), [(5, []), (6, ["- and 1 other"]), (8, ["- and 3 others"])]
)
def test_five_entries_are_listed_and_the_others_counted(count: int, rest: list[str]) -> None:
    basis = [problem(f"Entry {number}", f"Condition/{number}") for number in range(count)]
    [card] = cards_of(finding(rule("rls.x", "rls"), ferritin(), basis=basis))
    listed = str(card.detail).split("\n\n")[2].split("\n")
    assert listed == [f"- Entry {number}: 2026-09-01" for number in range(5)] + rest
    assert len(trace(card)["basis"]) == count


@pytest.mark.parametrize(("count", "rest"), [(40, []), (41, ["and 1 other"])])
def test_forty_entries_are_named_in_the_extension_and_the_others_counted(
    count: int, rest: list[str]
) -> None:
    basis = [problem(f"Entry {number}", f"Condition/{number}") for number in range(count)]
    [card] = cards_of(finding(rule("rls.x", "rls"), ferritin(), basis=basis))
    named = [f"Condition/{number}" for number in range(40)]
    assert trace(card)["basis"] == named + rest


def test_two_notes_are_said_and_the_others_counted() -> None:
    low = finding(rule("rls.x", "rls"), ferritin(), notes=("A.", "B.", "C.", "D."))
    [card] = cards_of(low)
    assert "\n\nNote: A. B. 2 further notes on the data.\n\n" in card.detail
    assert trace(card)["notes"] == ["A.", "B.", "C.", "D."]


def test_a_drug_found_by_its_name_is_said_to_be() -> None:
    [card] = cards_of(finding(rule("drug-review.x"), drug("naproxen", via="name")))
    assert "- Naproxen: 2026-10-01, matched by name" in card.detail


def test_an_undated_entry_is_said_to_be() -> None:
    [card] = cards_of(finding(rule("drug-review.x"), drug("naproxen", date_text="")))
    assert "- Naproxen: undated" in card.detail


@pytest.mark.parametrize("source", ["order reason", "encounter", "draft"])
@pytest.mark.parametrize(("sent", "told"), [("", ""), ("2026-11-02", ", 2026-11-02")])
def test_the_day_of_the_call_is_nobodys_record(source: str, sent: str, told: str) -> None:
    item = Item("X/1", "Leg cramps", date(2026, 11, 21), sent, details={"source": source})
    [card] = cards_of(finding(rule("rls.x", "rls"), item))
    assert f"\n- Leg cramps: {source}{told}\n" in card.detail


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("MedicationRequest", "medication order"),
        ("MedicationOrder", "medication order"),
        ("MedicationStatement", "reported medication"),
        ("MedicationUsage", "reported medication"),
        ("MedicationAdministration", "administered medication"),
        ("problem list", "problem list"),
    ],
)
def test_the_source_of_an_entry_is_in_words(source: str, told: str) -> None:
    item = drug("naproxen", details={"source": source})
    [card] = cards_of(finding(rule("drug-review.x"), item))
    assert f"- Naproxen: {told}, 2026-10-01" in card.detail


def test_a_setting_is_not_named_to_clinicians() -> None:
    open_question = "iron studies are already ordered, within 30 days (setting order.lookback)"
    low = finding(rule("rls.x", "rls"), ferritin(), unknown_exclusions=(open_question,))
    [card] = cards_of(low)
    assert "Not checked: whether iron studies are already ordered, within 30 days." in card.detail


def test_one_line_of_another_finding_is_a_paragraph() -> None:
    head = finding(rule("rls.x", "rls"), ferritin())
    others = [
        finding(rule(f"rls.{name}", "rls", rank=20, card={"line": f"Line {name}."}))
        for name in ("y", "z")
    ]
    [card] = cards_of(head, others[0])
    assert "Detail of rls.x.\n\nLine y.\n\n" in card.detail
    [card] = cards_of(head, *others)
    assert "Detail of rls.x.\n\n- Line y.\n- Line z.\n\n" in card.detail


@pytest.mark.parametrize("text", ["{drug.x.names}: a trigger", "{?{drug.x.names}: ?}a trigger"])
def test_a_text_begins_with_a_capital(text: str) -> None:
    item = drug("naproxen")
    review = rule("drug-review.x", card={"summary": text, "detail": [text]})
    [card] = cards_of(finding(review, item), facts=StubFacts(known("drug.x", item)))
    assert card.summary == "Naproxen: a trigger"
    assert card.detail.startswith("Naproxen: a trigger\n")


def test_a_converted_value_shows_what_was_sent() -> None:
    item = ferritin("40.0534", shown="90 pmol/L")
    [card] = cards_of(finding(rule("rls.x", "rls"), item))
    assert "- Ferritin: 40.05 ng/mL (sent as 90 pmol/L), 2026-08-21" in card.detail


def test_chart_text_is_escaped_wherever_it_stands() -> None:
    evil = problem("<img src=x> [here](http://evil.example) | *x*")
    low = rule("assoc.x", "assoc", card={"detail": ["On record: {problem.x.text}."]})
    [card] = cards_of(finding(low, evil), facts=StubFacts(known("problem.x", evil)))
    assert not re.search(r"<|>|[^\\]\[|[^\\]\||[^\\]\*x|://evil", card.detail)


def test_a_summary_is_one_line_of_at_most_139_characters() -> None:
    item = problem("a very long name " * 20 + "\n<b>")
    long = rule("assoc.x", "assoc", card={"summary": "Leg cramps with {problem.x.text} on record"})
    [card] = cards_of(finding(long, item), facts=StubFacts(known("problem.x", item)))
    assert len(card.summary) <= 139
    assert "\n" not in card.summary
    assert card.summary.endswith("...")


@given(st.lists(st.text(min_size=1, max_size=200), min_size=2, max_size=6))
def test_a_merged_summary_keeps_to_its_length(names: list[str]) -> None:
    items = [drug(name, f"MedicationStatement/{n}") for n, name in enumerate(names)]
    for card in cards_of(finding(rule("drug-review.x"), *items)):
        assert 0 < len(card.summary) <= 139


def test_the_source_is_the_rules_and_the_same_for_every_patient() -> None:
    source = card_with().source
    assert source.label == "Source of rls.x"
    assert source.url == "https://cds.example.org/sources/rls.x"
    assert source.topic.code == "rls"


def test_the_topic_is_alphanumeric() -> None:
    [card] = cards_of(finding(rule("drug-review.x"), drug("naproxen")))
    assert card.source.topic is not None
    assert card.source.topic.code == "drugreview"


def test_the_trace_names_rules_pack_and_chart_entries() -> None:
    low = finding(rule("rls.x", "rls"), ferritin(), basis=(problem("RLS"), ferritin()))
    [card] = cards_of(low)
    assert trace(card) == {
        "rules": [{"id": "rls.x", "version": "1.0.0"}],
        "profile": ["seed-default"],
        "packRevision": "0123abcd",
        "evidence": ["Observation/f1"],
        "basis": ["Condition/c1", "Observation/f1"],
    }


def test_links_and_override_reasons_come_from_the_pack() -> None:
    card = card_with(links=["aasm"], overrideReasons=["not-rls", "data-wrong"])
    assert [(link.label, link.url, link.type) for link in card.links] == [
        ("AASM 2025", "https://example.org/aasm", "absolute")
    ]
    assert [(reason.code, reason.display) for reason in card.override_reasons] == [
        ("not-rls", "Not restless legs"),
        ("data-wrong", "Data wrong"),
    ]
    assert {reason.system for reason in card.override_reasons} == {
        "https://cds.legcramps.example/CodeSystem/override-reason"
    }


class TestSuggestions:
    offer = {"label": "Order iron studies", "create": "iron-studies"}
    remove = {"label": "Remove this order", "delete": "draft", "recommended": True}

    def order_card(self, id: str) -> Any:
        resource = {"resourceType": "MedicationRequest"}
        draft = Draft(resource, f"MedicationRequest/{id}" if id else "", selected=True)
        order_rule = rule("order.quinine", "quinine", card={"suggestions": [self.remove]})
        [card] = cards_of(
            finding(order_rule, draft=0), facts=StubFacts(drafts=[draft]), hook="order-select"
        )
        return card

    def test_a_create_is_a_valid_draft_for_this_patient(self) -> None:
        card = card_with(suggestions=[self.offer])
        [suggestion] = card.suggestions
        [action] = suggestion.actions
        assert (action.type, action.description) == ("create", suggestion.label)
        assert action.resource == {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "code": {"text": "Iron studies"},
            "subject": {"reference": "Patient/p1"},
            "encounter": {"reference": "Encounter/e1"},
        }
        ServiceRequest.model_validate(action.resource)
        assert card.selection_behavior == "any"

    def test_the_packs_template_is_left_as_it_was(self) -> None:
        shipped = pack()
        low = finding(rule("rls.x", "rls", card={"suggestions": [self.offer]}))
        compose(shipped, service(), Evaluation({}, [low]), StubFacts(), REQUEST)
        assert "subject" not in shipped.orders["iron-studies"]

    def test_no_encounter_no_encounter_reference(self) -> None:
        low = finding(rule("rls.x", "rls", card={"suggestions": [self.offer]}))
        request = replace(REQUEST, encounter_id="")
        [card] = compose(pack(), service(), Evaluation({}, [low]), StubFacts(), request)
        resource = card.suggestions[0].actions[0].resource
        assert resource is not None
        assert "encounter" not in resource

    def test_a_suggestion_whose_condition_fails_is_not_made(self) -> None:
        card = card_with(suggestions=[{**self.offer, "when": {"setting": "off"}}])
        assert card.suggestions == ()
        assert card.selection_behavior == ""

    def test_a_delete_names_the_draft(self) -> None:
        [suggestion] = self.order_card("d1").suggestions
        assert suggestion.is_recommended
        assert suggestion.actions[0].resource_id == "MedicationRequest/d1"

    def test_a_draft_without_an_id_cannot_be_removed(self) -> None:
        assert self.order_card("").suggestions == ()

    def test_at_most_one_is_recommended_where_one_may_be_chosen(self) -> None:
        both = [
            {"label": "A", "create": "iron-studies", "recommended": True},
            {"label": "B", "create": "ferritin", "recommended": True},
        ]
        orders = {**pack().orders, "ferritin": {"code": {"text": "Ferritin"}}}
        offering = rule("rls.x", "rls", card={"suggestions": both, "selection": "at-most-one"})
        [card] = cards_of(finding(offering), orders=orders)
        assert [suggestion.is_recommended for suggestion in card.suggestions] == [True, False]
        assert card.selection_behavior == "at-most-one"

    def test_uuids_are_random_and_unique(self) -> None:
        card = card_with(suggestions=[self.offer])
        uuids = [card.uuid, card.suggestions[0].uuid]
        assert all(UUID4.fullmatch(uuid) for uuid in uuids)
        assert len(set(uuids)) == 2


def test_the_strict_writer_accepts_every_part() -> None:
    card = card_with(
        suggestions=[TestSuggestions.offer],
        links=["aasm"],
        overrideReasons=["not-rls"],
        caveat="C.",
    )
    [written] = orjson.loads(response.write([card]))["cards"]
    assert written["extension"]["com.legcramps.cds"]["evidence"] == ["Observation/f1"]


def test_a_draft_is_named_in_the_summary() -> None:
    resource = {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"coding": [{"display": "ropinirole 0.25 MG"}]},
        "reasonCode": [{"text": "night cramps"}],
    }
    order_rule = rule("order.x", "orders", card={"summary": "{draft.name} for {reason}"})
    [card] = cards_of(
        finding(order_rule, draft=0),
        facts=StubFacts(drafts=[Draft(resource, "MedicationRequest/d1", selected=True)]),
        hook="order-select",
    )
    assert card.summary == "Ropinirole 0.25 MG for night cramps"


def test_the_card_is_complete_without_a_public_address() -> None:
    [card] = cards_of(finding(rule("rls.x", "rls"), ferritin()), public_url="")
    assert card.source.url == ""
