"""The rare ways in which findings meet: superseded conditional ones, lines that move."""

from cds_service.facts.chart import Draft
from cds_service.rules.model import Finding
from tests.unit.cards_support import (
    StubFacts,
    cards_of,
    drug,
    finding,
    problem,
    rule,
    trace,
)


def rules_of(*findings: Finding) -> list[list[str]]:
    return [[name for name, _ in card.rules] for card in cards_of(*findings)]


LOW = rule("rls.low", "rls", supersedes=("rls.band",))
BAND = rule("rls.band", "rls")


def test_a_certain_finding_supersedes_a_conditional_one() -> None:
    assert rules_of(finding(LOW), finding(BAND, conditional=True)) == [["rls.low"]]


def test_a_conditional_finding_supersedes_a_conditional_one() -> None:
    [names] = rules_of(finding(LOW, conditional=True), finding(BAND, conditional=True))
    assert names == ["rls.low"]


def test_a_finding_for_the_patient_supersedes_that_of_a_draft_and_the_other_way() -> None:
    facts = StubFacts(drafts=[Draft({"resourceType": "ServiceRequest"}, "ServiceRequest/d1", True)])
    for low, band in ((None, 0), (0, None)):
        [card] = cards_of(finding(LOW, draft=low), finding(BAND, draft=band), facts=facts)
        assert [name for name, _ in card.rules] == ["rls.low"]


def test_a_superseded_finding_lends_no_line_and_cites_nothing() -> None:
    band = rule("rls.band", "rls", card={"line": "Line of the band."})
    [card] = cards_of(finding(LOW, problem("RLS")), finding(band, problem("RLS", "Condition/c2")))
    assert "Line of the band" not in card.detail
    assert trace(card)["evidence"] == ["Condition/c1"]


class TestMovedLines:
    QUININE = drug("quinine")
    STRONG = rule("quinine.x", "quinine", card={"indicator": "warning"})

    def test_a_conditional_finding_about_what_another_card_cites_is_dropped(self) -> None:
        weak = rule("drug-review.x", card={"line": "Quinine is also listed."})
        [card] = cards_of(
            finding(self.STRONG, self.QUININE), finding(weak, self.QUININE, conditional=True)
        )
        assert "also listed" not in card.detail

    def test_a_card_of_several_findings_keeps_those_that_have_subjects(self) -> None:
        moved = rule("drug-review.a", card={"line": "Quinine is also listed."})
        stays = rule("drug-review.b")
        strong, weak = cards_of(
            finding(self.STRONG, self.QUININE),
            finding(moved, self.QUININE),
            finding(stays, drug("lithium")),
        )
        assert "Quinine is also listed." in strong.detail
        assert weak.summary == "Summary of drug-review.b"
        assert "also listed" not in weak.detail
        assert [name for name, _ in weak.rules] == ["drug-review.b"]

    def test_a_line_lends_the_card_neither_strength_nor_subjects(self) -> None:
        strong = rule("rls.x", "rls", card={"indicator": "warning"})
        line = rule("rls.y", "rls", rank=1, alone=False, card={"indicator": "critical"})
        [card] = cards_of(finding(line, problem("Other", "Condition/c2")), finding(strong))
        assert card.indicator == "warning"
        assert card.summary == "Summary of rls.x"

    def test_lines_of_a_group_of_single_cards_go_to_the_first(self) -> None:
        line = rule("orders.line", "orders", alone=False, card={"line": "A line."})
        cards = cards_of(
            finding(rule("orders.a", "orders", rank=1)),
            finding(rule("orders.b", "orders", rank=2)),
            finding(line),
            facts=StubFacts(),
        )
        assert ["A line." in card.detail for card in cards] == [True, False]

    def test_lines_alone_make_no_card(self) -> None:
        line = rule("orders.line", "orders", alone=False)
        assert rules_of(finding(line)) == []
        assert rules_of(finding(line, conditional=True)) == []
