"""A card as an EHR draws it: plain summary, limited Markdown, offers, reasons, source."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from markupsafe import Markup

from cds_service.protocol.model import Card
from cds_service.protocol.response import SUMMARY_LIMIT, card_object

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Json = Any
WORDS = {"info": "ℹ Info", "warning": "⚠ Warning", "critical": "‼ Critical"}
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
    feedback: str  # what the EHR would send when the card is overridden, as JSON

    @property
    def word(self) -> str:
        """Sign and word of the indicator."""
        return WORDS[self.card.indicator]

    @property
    def too_long(self) -> bool:
        """Whether the summary is longer than CDS Hooks allows."""
        return self.summary_length > SUMMARY_LIMIT


def view(card: Card) -> CardView:
    """The card ready to be drawn."""
    return CardView(
        card,
        Markup(_markdown().render(card.detail)),
        len(card.summary),
        len(card.detail.split()),
        tuple(rule for rule, _ in card.rules),
        _feedback(card),
    )


def _feedback(card: Card) -> str:
    written = card_object(card)
    reason = next(iter(written.get("overrideReasons", ())), None)
    entry: dict[str, Json] = {"card": card.uuid, "outcome": "overridden"}
    if reason:
        entry["overrideReason"] = {"reason": reason}
    entry["outcomeTimestamp"] = "2026-11-21T10:00:00Z"
    return orjson.dumps({"feedback": [entry]}, option=orjson.OPT_INDENT_2).decode()
