"""Figures of the administrators' guide that are the program's: changed here, they change there."""

from pathlib import Path

import pytest

from cds_service.cards.body import MOST_WORDS
from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.packs import positions, scanner
from cds_service.packs.check import walk

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "administrators-guide.md").read_text("utf-8")
FORMAT = (DOCS / "rule-format.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GUIDE, f"more than {scanner.MAX_DIGITS} digits"),
        (GUIDE, f"deeper than {scanner.MAX_DEPTH} levels"),
        (GUIDE, f"larger than {positions.MAX_BYTES // 1024**2} MB"),
        (GUIDE, f"deeper than {walk.MAX_DEPTH} levels"),
        (GUIDE, f"more than {walk.MAX_CHAIN} others"),
        (GUIDE, f"longer than {LONGEST_SUMMARY} characters"),
        (GUIDE, f"more than {MOST_WORDS} words"),
        (FORMAT, f"Depth at most {walk.MAX_DEPTH}."),
        (FORMAT, f"at most {MOST_WORDS} words"),
    ],
)
def test_the_documents_have_the_programs_figure(text: str, sentence: str) -> None:
    assert sentence in text
