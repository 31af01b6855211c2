"""Which cards the findings become: precedence, grouping, merging, citing once, caps."""

from typing import Any

import pytest

from cds_service.cards.compose import compose_cards
from cds_service.cards.render import MissingValue
from cds_service.facts.chart import Draft
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

LOW_FERRITIN: dict[str, Any] = {
    "indicator": "warning",
    "summary": "RLS with ferritin {lab.ferritin.value} ng/mL, below {ferritin.low}",
}


def draft(id: str, name: str = "Quinine") -> Draft:
    resource = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": name}}
    return Draft(resource, f"MedicationRequest/{id}" if id else "", selected=True)


def test_no_findings_no_cards() -> None:
    assert cards_of() == []


def test_one_finding_is_one_card_with_its_own_summary() -> None:
    item = ferritin()
    low = rule("rls.low-ferritin", "rls", card=LOW_FERRITIN)
    [card] = cards_of(finding(low, item), facts=StubFacts(known("lab.ferritin", item)))
    assert card.summary == "RLS with ferritin 49.9 ng/mL, below 50"
    assert card.indicator == "warning"
    assert card.rules == (("rls.low-ferritin", "1.0.0"),)


def test_a_missing_value_is_never_a_hole_in_a_card() -> None:
    low = rule("rls.low-ferritin", "rls", card=LOW_FERRITIN)
    with pytest.raises(MissingValue):
        cards_of(finding(low))


def test_a_finding_that_cannot_be_written_leaves_the_others() -> None:
    broken = finding(rule("rls.low-ferritin", "rls", card=LOW_FERRITIN))
    sound = finding(rule("drug-review.ccb"), drug("amlodipine"))
    composed = compose_cards(
        pack(), service(), Evaluation({}, [broken, sound]), StubFacts(), REQUEST
    )
    assert composed.errors == {"rls.low-ferritin": "MissingValue"}
    assert [card.rules[0][0] for card in composed.cards] == ["drug-review.ccb"]


def test_a_superseded_finding_is_dropped() -> None:
    low = finding(rule("rls.low-ferritin", "rls", supersedes=("rls.guideline-band",)))
    band = finding(rule("rls.guideline-band", "rls"))
    [card] = cards_of(band, low)
    assert card.rules == (("rls.low-ferritin", "1.0.0"),)


def test_a_finding_of_another_draft_is_not_superseded() -> None:
    first = finding(rule("orders.a", "orders", supersedes=("orders.b",)), draft=0)
    second = finding(rule("orders.b", "orders"), draft=1)
    facts = StubFacts(drafts=[draft("d1"), draft("d2")])
    assert len(cards_of(first, second, facts=facts, hook="order-select")) == 2


def test_a_conditional_finding_supersedes_nothing_certain() -> None:
    perhaps = finding(rule("rls.a", "rls", supersedes=("rls.b",)), conditional=True)
    certain = finding(rule("rls.b", "rls"))
    assert [card.rules[0][0] for card in cards_of(perhaps, certain)] == ["rls.b", "rls.a"]


class TestFirst:
    def test_the_strongest_heads_and_the_others_follow_as_lines(self) -> None:
        info = rule("rls.coexisting", "rls", rank=1, card={"line": "Cramps are recorded too."})
        warning = rule("rls.low", "rls", rank=9, card={"indicator": "warning"})
        [card] = cards_of(finding(info), finding(warning))
        assert card.summary == "Summary of rls.low"
        assert card.detail.startswith("Detail of rls.low.\n\nCramps are recorded too.\n\n")
        assert card.rules == (("rls.low", "1.0.0"), ("rls.coexisting", "1.0.0"))

    def test_rank_decides_between_equals(self) -> None:
        [card] = cards_of(
            finding(rule("rls.b", "rls", rank=2)), finding(rule("rls.a", "rls", rank=1))
        )
        assert card.summary == "Summary of rls.a"


class TestList:
    def test_two_drugs_have_the_merged_summary_with_tier_a_first(self) -> None:
        [card] = cards_of(
            finding(rule("drug-review.ccb", tier="B", rank=1), drug("Amlodipine")),
            finding(rule("drug-review.diuretic", tier="A", rank=2), drug("Hydrochlorothiazide")),
        )
        assert card.summary == (
            "Leg cramps: 2 active drugs may provoke cramps "
            "(hydrochlorothiazide, amlodipine); review"
        )

    def test_two_drugs_of_one_rule_are_two_subjects(self) -> None:
        [card] = cards_of(
            finding(rule("drug-review.diuretic"), drug("furosemide"), drug("Spironolactone"))
        )
        assert "2 active drugs" in card.summary

    def test_the_same_drug_in_two_resources_is_one_subject(self) -> None:
        [card] = cards_of(
            finding(rule("drug-review.ccb"), drug("Amlodipine"), drug("amlodipine", "MR/2"))
        )
        assert card.summary == "Summary of drug-review.ccb"

    def test_many_names_are_counted(self) -> None:
        names = ["furosemide", "amlodipine", "lithium", "naproxen"]
        [card] = cards_of(finding(rule("drug-review.x"), *map(drug, names)))
        assert "4 active drugs may provoke cramps (furosemide, amlodipine, +2)" in card.summary

    def test_a_line_only_rule_is_never_a_card(self) -> None:
        assert cards_of(finding(rule("drug-review.context", alone=False), drug("caffeine"))) == []

    def test_a_line_only_rule_adds_its_line_and_no_subject(self) -> None:
        context = rule("drug-review.context", alone=False, card={"line": "Caffeine is on record."})
        [card] = cards_of(
            finding(context, drug("caffeine")),
            finding(rule("drug-review.ccb"), drug("amlodipine")),
        )
        assert card.summary == "Summary of drug-review.ccb"
        assert "\n\nCaffeine is on record.\n\n" in card.detail

    def test_a_special_sentence_survives_the_list(self) -> None:
        special = {"text": "Rule out an arterial cause first.", "when": {"setting": "on"}}
        unheld = {"text": "Never shown.", "when": {"setting": "off"}}
        [card] = cards_of(
            finding(rule("drug-review.a", card={"detail": ["A.", special, unheld]}), drug("a1")),
            finding(rule("drug-review.b", card={"line": "B line."}), drug("b1")),
        )
        assert card.detail.startswith("Rule out an arterial cause first.\n\n- ")
        assert "Never shown" not in card.detail


class TestMerge:
    def test_info_cards_of_merging_groups_are_one(self) -> None:
        [card] = cards_of(
            finding(rule("drug-review.ccb"), drug("amlodipine")),
            finding(rule("assoc.venous", "assoc"), problem("Varicose veins")),
            finding(rule("cramp.first-line-care", "cramp")),
        )
        assert card.summary == "Leg cramp review: amlodipine; varicose veins"
        lines = "- Summary of drug-review.ccb\n- Summary of assoc.venous\n- Summary of cramp."
        assert card.detail.startswith(lines)

    def test_what_has_no_subject_leaves_the_summary_alone(self) -> None:
        [card] = cards_of(
            finding(rule("cramp.first-line-care", "cramp")),
            finding(rule("drug-review.ccb"), drug("amlodipine")),
        )
        assert card.summary == "Summary of drug-review.ccb"

    def test_a_warning_stays_by_itself(self) -> None:
        warning = rule("assoc.venous", "assoc", card={"indicator": "warning"})
        cards = cards_of(
            finding(rule("drug-review.ccb"), drug("amlodipine")), finding(warning, problem("Veins"))
        )
        assert [card.indicator for card in cards] == ["warning", "info"]


class TestCiteOnce:
    def test_the_stronger_card_keeps_the_resource_and_gets_the_line(self) -> None:
        quinine = drug("quinine")
        strong = rule("drug-review.quinine", "quinine", card={"indicator": "warning"})
        weak = rule("drug-review.other", card={"line": "Quinine is also listed."})
        [card] = cards_of(finding(weak, quinine), finding(strong, quinine))
        assert card.summary == "Summary of drug-review.quinine"
        assert "\n\nQuinine is also listed.\n\n" in card.detail

    def test_a_finding_keeps_its_other_subjects(self) -> None:
        quinine, lithium = drug("quinine"), drug("lithium")
        strong = rule("drug-review.quinine", "quinine", card={"indicator": "warning"})
        cards = cards_of(finding(strong, quinine), finding(rule("drug-review.x"), quinine, lithium))
        assert [trace(card)["evidence"] for card in cards] == [
            ["MedicationStatement/quinine"],
            ["MedicationStatement/lithium"],
        ]

    def test_findings_without_subjects_do_not_collide(self) -> None:
        cards = cards_of(finding(rule("rls.missing", "rls")), finding(rule("quinine.x", "quinine")))
        assert len(cards) == 2


class TestConditional:
    def test_findings_join_in_one_info_card(self) -> None:
        warning = rule("labs.low", "rls", card={"indicator": "warning", "line": "Ferritin line."})
        cards = cards_of(
            finding(rule("drug-review.ccb"), drug("amlodipine"), conditional=True),
            finding(warning, ferritin(), conditional=True),
        )
        [card] = cards
        assert card.indicator == "info"
        assert card.summary == (
            "If leg cramps are the concern: 2 finding(s) on file may be relevant "
            "(ferritin, amlodipine)"
        )
        assert card.detail.startswith(
            "The list of conditions was not complete.\n\n- Ferritin line."
        )

    def test_it_offers_no_orders(self) -> None:
        offer = {"suggestions": [{"label": "Order iron studies", "create": "iron-studies"}]}
        [card] = cards_of(finding(rule("rls.x", "rls", card=offer), conditional=True))
        assert card.suggestions == ()
        assert card.selection_behavior == ""


class TestCaps:
    def infos(self, count: int) -> list[Any]:
        groups = ["redflag", "quinine", "rls", "assoc", "drug-review"]
        return [finding(rule(f"{g}.x", g), problem(g, f"C/{g}")) for g in groups[:count]]

    def test_what_is_cut_is_named_on_the_last_card(self) -> None:
        cards = cards_of(*self.infos(4), max_cards=2)
        assert len(cards) == 2
        assert "not shown" not in cards[0].detail
        assert "2 further notes not shown: Restless legs, Associated conditions." in cards[1].detail

    def test_one_is_a_note(self) -> None:
        cards = cards_of(*self.infos(3), max_cards=2)
        assert "1 further note not shown: Restless legs." in cards[1].detail

    def test_warnings_are_never_lost_they_join(self) -> None:
        warnings = [
            finding(rule(f"{g}.x", g, card={"indicator": "warning", "line": f"Line of {g}."}))
            for g in ("redflag", "quinine", "rls", "orders")
        ]
        first, last = cards_of(*warnings, *self.infos(5)[3:4], max_cards=2)
        assert (first.indicator, last.indicator) == ("warning", "warning")
        assert last.summary == "3 warnings: Title of quinine.x, Title of rls.x, Title of orders.x"
        assert last.detail.startswith("- Line of quinine.\n- Line of rls.\n- Line of orders.\n\n")
        assert "1 further note not shown: Associated conditions." in last.detail

    def test_a_critical_card_stands_alone_while_there_is_room(self) -> None:
        strong = [
            finding(rule("redflag.x", "redflag", card={"indicator": "critical"})),
            *(
                finding(rule(f"{g}.x", g, card={"indicator": "warning"}))
                for g in ("quinine", "rls")
            ),
        ]
        first, last = cards_of(*strong, max_cards=2)
        assert (first.indicator, first.summary) == ("critical", "Summary of redflag.x")
        assert (last.indicator, last.summary[:11]) == ("warning", "2 warnings:")

    def test_order_hooks_count_all_drafts_together(self) -> None:
        facts = StubFacts(drafts=[draft("d1"), draft("d2")])
        found = [
            finding(rule(f"orders.{name}", "orders"), draft=index)
            for index in (0, 1)
            for name in ("a", "b", "c")
        ]
        for number, one in enumerate(found):
            one.rule.card["summary"] = f"Summary {number}"  # type: ignore[index]
        cards = cards_of(*found, facts=facts, hook="order-select", max_cards=3)
        assert len(cards) == 3
        assert "3 further notes not shown" in cards[-1].detail


def test_cards_are_sorted_by_indicator_then_group() -> None:
    cards = cards_of(
        finding(rule("drug-review.x"), drug("amlodipine")),
        finding(rule("rls.x", "rls")),
        finding(rule("quinine.x", "quinine", card={"indicator": "critical"})),
        finding(rule("redflag.x", "redflag", card={"indicator": "warning"})),
        max_cards=4,
    )
    assert [card.rules[0][0] for card in cards] == [
        "quinine.x",
        "redflag.x",
        "rls.x",
        "drug-review.x",
    ]


def test_two_drafts_that_earn_the_same_card_share_it() -> None:
    card = {
        "indicator": "critical",
        "suggestions": [{"label": "Remove this order", "delete": "draft", "recommended": True}],
    }
    quinine = rule("order.quinine", "quinine", card=card)
    facts = StubFacts(drafts=[draft("d1", "Quinine 200 mg"), draft("d2", "Quinine 300 mg")])
    [shared] = cards_of(
        finding(quinine, drug("quinine", "MedicationRequest/d1"), draft=0),
        finding(quinine, drug("quinine", "MedicationRequest/d2"), draft=1),
        facts=facts,
        hook="order-select",
    )
    actions = [action for suggestion in shared.suggestions for action in suggestion.actions]
    assert [action.resource_id for action in actions] == [
        "MedicationRequest/d1",
        "MedicationRequest/d2",
    ]
    assert trace(shared)["drafts"] == ["MedicationRequest/d1", "MedicationRequest/d2"]
