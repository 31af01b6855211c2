"""A card as an EHR draws it: plain summary, limited Markdown, offers, reasons, source."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from markupsafe import Markup

from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.protocol.model import Card
from cds_service.protocol.response import card_object

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Json = Any
WORDS = {"info": "ℹ Info", "warning": "⚠ Warning", "critical": "‼ Critical"}
_MOMENT = "2026-11-21T10:00:00Z"  # an example: the EHR says when
# What EHRs draw of Markdown. No HTML, no pictures, no headings.
_DRAWN = ["emphasis", "list", "newline", "link", "escape"]


@cache
def _markdown() -> "MarkdownIt":
    """Loaded when the first card is drawn: a service that starts should not wait for it."""
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable(_DRAWN)


@dataclass(frozen=True)
class CardView:
    """One card for the page. `rules` are ids, the head first."""

    card: Card
    detail: Markup
    summary_length: int
    detail_words: int
    rules: tuple[str, ...]
    feedback: tuple[tuple[str, str], ...]  # reasons, and what the EHR would send back, as JSON
    limit: int = LONGEST_SUMMARY

    @property
    def word(self) -> str:
        """Sign and word of the indicator."""
        return WORDS[self.card.indicator]

    @property
    def too_long(self) -> bool:
        """Whether the summary is longer than a card of the pack may be."""
        return self.summary_length > self.limit


def view(card: Card) -> CardView:
    """The card ready to be drawn."""
    return CardView(
        card,
        Markup(_markdown().render(card.detail)),
        len(card.summary),
        len(card.detail.split()),
        tuple(rule for rule, _ in card.rules),
        tuple(_feedback(card)),
    )


def _feedback(card: Card) -> Iterator[tuple[str, str]]:
    for reason in card_object(card).get("overrideReasons", ()):
        entry: dict[str, Json] = {
            "card": card.uuid,
            "outcome": "overridden",
            "overrideReason": {"reason": reason},
            "outcomeTimestamp": _MOMENT,
        }
        text = orjson.dumps({"feedback": [entry]}, option=orjson.OPT_INDENT_2).decode()
        yield reason.get("display", ""), text
