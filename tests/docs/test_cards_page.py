"""docs/cards.md shows every card as the pack gives it today, each in the form of a card."""

import re
from pathlib import Path

import pytest

from cds_service.authoring.cards_page import page_of

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "cards.md"
# Words about documents, figures of evidence and names of the machinery are behind the source link.
BEHIND = re.compile(
    r"\b(?:one|the|two|three) sources?\b|\bsources (?:call|say|list)|\(00\d\)|\blines? \d"
    r"|this project|Evidence:|\bv\d+\.\d+\.\d+|\bprofile [a-z]+-",
    re.IGNORECASE,
)
# Pairs of sentences that contradict each other in one answer (second edition, S4, S8, S13).
FORBIDDEN = (
    (r"could not be read", r"(?<!Not checked: )\bnot supplied"),
    (
        r"urgent vascular|may be the thrombosis|emergency",
        r"massage(?! is)(?!, ice)|stretching first",
    ),
    (r"no reason to stop", r"rhabdomyolysis|creatine kinase [\d,]+ U/L"),
    (r"very low|critically low", r"no sign of a secondary cause"),
    (r"needed here|is the usual iron", r"alternative"),
)


def cards() -> list[str]:
    found = DOCUMENT.read_text("utf-8").split("\n\n> **")[1:]
    return [one.partition("\n\n**")[0].partition("\n\n#")[0] for one in found]


def test_it_is_not_stale() -> None:
    fresh = DOCUMENT.read_text("utf-8") == page_of(ROOT / "hooks")
    assert fresh, "run: cds rules cards --to docs/cards.md"


@pytest.mark.parametrize("card", cards(), ids=lambda card: card[:60])
def test_each_card_has_the_form(card: str) -> None:
    summary, _, detail = card.partition("**\n>\n")
    before = detail.partition("> Because:")[0].replace(">", "")
    assert len(before.split()) <= 60
    assert len(summary.partition(": ")[2]) <= 120
    assert not BEHIND.search(card)
    listed = detail.partition("> Because:")[2].partition("\n>\n> ")[2].partition("\n>\n")[0]
    entries = [line for line in listed.split("\n") if not re.match(r"\W*and \d+ other", line)]
    assert len(entries) <= 5


@pytest.mark.parametrize("card", cards(), ids=lambda card: card[:60])
@pytest.mark.parametrize(("one", "other"), FORBIDDEN)
def test_no_card_contradicts_itself(card: str, one: str, other: str) -> None:
    assert not (re.search(one, card) and re.search(other, card))
