"""What a card says before its list "Because": at most sixty words, the most important first.

A card is read in eight seconds, in a narrow column. What has no room is named by `Body.unsaid`
and is behind the source link; the line of a warning or critical finding comes before all others.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from cds_service.cards.finding_texts import Sentence, strength
from cds_service.cards.grouping import Part, Plan
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.phrases import CONSIDER

MOST_WORDS = 60


class Body(Struct, frozen=True):
    """The paragraphs as Markdown, and the titles of findings whose line had no room."""

    paragraphs: tuple[str, ...]
    unsaid: tuple[str, ...] = ()


class _Block(Struct, frozen=True):
    """A sentence, or the line of a part that shares the card."""

    text: str
    part: Part | None = None

    @property
    def words(self) -> int:
        """As many as a reader counts, the mark of a list entry with them."""
        return len(self.text.split()) + (self.part is not None)

    @property
    def first(self) -> bool:
        """Whether this must be said, whatever else has no room."""
        return self.part is not None and strength(self.part.texts.indicator) > 0


def body(plan: Plan, opening: Sequence[str], language: Language = ENGLISH) -> Body:
    """The body of a card. `opening` stands first and is Markdown already."""
    blocks = [_Block(text) for text in opening] + _blocks(plan)
    room, kept = MOST_WORDS, set()
    for number, block in sorted(enumerate(blocks), key=lambda pair: not pair[1].first):
        if block.words <= room:
            room -= block.words
            kept.add(number)
    shown = [block for number, block in enumerate(blocks) if number in kept]
    unsaid = [b.part for number, b in enumerate(blocks) if number not in kept and b.part]
    return Body(
        tuple(_paragraphs(shown, language.text(CONSIDER))),
        tuple(dict.fromkeys(part.texts.finding.rule.title for part in unsaid)),
    )


def spoken(plan: Plan) -> list[Sentence]:
    """All sentences that the card says beside its lines."""
    if plan.conditional:
        return []
    if _speaks_in_lines(plan):
        return [s for part in plan.reasons for s in part.texts.detail if s.special]
    return list(plan.parts[0].texts.detail)


def _blocks(plan: Plan) -> list[_Block]:
    """A single finding speaks in full; of several each says its line and what is special to it."""
    texts = (sentence.text.strip() for sentence in spoken(plan))
    sentences = [_Block(text) for text in dict.fromkeys(filter(None, texts))]
    if plan.conditional or _speaks_in_lines(plan):
        return [*sentences, *_lines(plan.parts)]
    head, *others = plan.parts
    return [*sentences, *_lines(p for p in others if p.texts.line != head.texts.line)]


def _speaks_in_lines(plan: Plan) -> bool:
    several = plan.joined or len(plan.groups) > 1
    return several or (plan.groups[0].compose == "list" and len(plan.reasons) > 1)


def _lines(parts: Iterable[Part]) -> list[_Block]:
    by_line = {part.texts.line: part for part in reversed(list(parts)) if part.texts.line}
    return [_Block(line, part) for line, part in reversed(by_line.items())]


def _paragraphs(blocks: Iterable[_Block], action: str) -> Iterable[str]:
    """Sentences run on, actions stand apart, lines are a list; a single line needs none."""
    for kind, group in groupby(blocks, key=lambda block: _kind(block, action)):
        texts = [block.text for block in group]
        if kind == "line" and len(texts) > 1:
            yield "\n".join(f"- {text}" for text in texts)
        else:
            yield from texts if kind == "action" else [" ".join(texts)]


def _kind(block: _Block, action: str) -> str:
    if block.part is not None:
        return "line"
    return "action" if block.text.startswith(action) else "sentence"
