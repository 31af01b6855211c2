"""What composing needs of a pack, made once for each pack and kept while it is in use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cds_service.cards import site_numbers
from cds_service.cards.clauses import clauses
from cds_service.cards.language import ENGLISH, Language, language_of
from cds_service.cards.render import compile_template
from cds_service.cards.values import setting_texts
from cds_service.facts.model import Item, Truth
from cds_service.rules.conditions import Compiler
from cds_service.rules.context import Context
from cds_service.rules.model import Pack, Rule
from cds_service.rules.nodes import Node

Json = Any
KEPT_PACKS = 4  # the one in use, the one being checked, and room for tests


@dataclass(frozen=True)
class Voice:
    """A language, with the numbers in force as it writes them."""

    language: Language
    settings: Mapping[str, str]
    site_numbers: Mapping[str, tuple[str, ...]]  # by rule


class Prepared:
    """Languages and compiled conditions of cards: calls share it."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._voices: dict[str, Voice] = {ENGLISH.tag: _voice(pack, ENGLISH)}
        units = pack.terminology.units
        compiler = Compiler(pack.catalogue, pack.settings, pack.definitions, units)
        # By identity: the pack's JSON does not change, and hashing it would cost too much.
        self._nodes: dict[int, tuple[Json, Node]] = {
            id(condition): (condition, compiler.condition(condition, f"{rule.id} card"))
            for rule in pack.rules
            for card in cards_of(rule)
            for condition in _conditions(card)
        }

    def voice(self, tag: str) -> Voice:
        """The voice of a language of the pack, made when it is first asked for; else English."""
        known = self._voices.get(tag)
        if known is None:
            translation = self._pack.translations.get(tag)
            if translation is None:
                return self._voices[ENGLISH.tag]
            known = self._voices[tag] = _voice(self._pack, language_of(translation))
        return known

    def holds(self, condition: Json, context: Context) -> bool:
        """Whether a condition on a sentence or suggestion of a card is YES."""
        return self._node(condition).truth(context) is Truth.YES

    def items(self, condition: Json, context: Context) -> tuple[Item, ...]:
        """The chart entries that a condition which holds rests on."""
        return tuple(self._node(condition).items(context))

    def _node(self, condition: Json) -> Node:
        return self._nodes[id(condition)][1]


def _voice(pack: Pack, language: Language) -> Voice:
    settings = setting_texts(pack.settings, language)
    if not language.is_english:
        language = replace(language, clauses=clauses(pack, language.texts, settings))
    numbers = {rule.id: site_numbers.sentences(pack, rule, language) for rule in pack.rules}
    return Voice(language, settings, numbers)


def prepared(pack: Pack) -> Prepared:
    """The pack's `Prepared`, made at the first call."""
    return _prepared(_ByIdentity(pack))


def compile_texts(pack: Pack) -> None:
    """Compile every template of the cards, so that no call has to. Raises `TemplateError`."""
    for rule in pack.rules:
        if rule.status in ("draft", "retired"):
            continue
        for card in cards_of(rule):
            for text in card_texts(card):
                compile_template(text)
    for tag, translation in pack.translations.items():
        for text in translation.texts.values():
            compile_template(text)
        prepared(pack).voice(tag)
    prepared(pack)


def cards_of(rule: Rule) -> list[Mapping[str, Json]]:
    """The rule's card and what its variants change of it."""
    return [rule.card, *(variant.get("card", {}) for variant in rule.variants)]


def _conditions(card: Mapping[str, Json]) -> list[Json]:
    """The conditions of a card's sentences and suggestions."""
    parts = (*sentences(card.get("detail", ())), *card.get("suggestions", ()))
    return [part["when"] for part in parts if isinstance(part, Mapping) and "when" in part]


def sentences(detail: Json) -> list[Json]:
    """The sentences of a detail; one may stand for a list of one."""
    return [detail] if isinstance(detail, str | Mapping) else list(detail)


def card_texts(card: Mapping[str, Json]) -> list[str]:
    """All templates of one card."""
    texts = [card[key] for key in ("summary", "line", "caveat") if card.get(key)]
    for sentence in sentences(card.get("detail", ())):
        texts.append(sentence if isinstance(sentence, str) else sentence["text"])
    return texts + [offer["label"] for offer in card.get("suggestions", ())]


class _ByIdentity:
    """Makes a pack a cache key: packs compare by content, which is far too slow here."""

    __slots__ = ("pack",)

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    def __hash__(self) -> int:
        return id(self.pack)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.pack is self.pack


@lru_cache(maxsize=KEPT_PACKS)
def _prepared(key: _ByIdentity) -> Prepared:
    return Prepared(key.pack)
