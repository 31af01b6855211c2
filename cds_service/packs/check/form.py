"""Checks of what a card may say: its length, its source, and what silences it (second edition)."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from cds_service.cards.body import MOST_WORDS
from cds_service.errors import Problem
from cds_service.packs.check.walk import Root, site_cards, walk
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.source import PackSource, RuleFile, obj, seq, word

Json = Any

_LONG = {"names": 5, "text": 4, "name": 3, "last": 4, "reason": 4}  # words of a long value
_OPTIONAL = re.compile(r"\{\?(.*?)\?\}")
_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9.-]*)\}")
_SENTENCE_END = re.compile(r"(?<=[.;:])\s")
# Who is named as a source inside a sentence.
_SOURCE = re.compile(
    r"\b(?:AAN|AASM|ACC/AHA|AGS|AHA|Beers|CDC|Cochrane|ESC|FDA|GVG|KDIGO|MHRA|NICE|[Gg]uidelines?)\b"
)
_PASSAGE = re.compile(r"\(\d{3}\b|\blines? \d")


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every rule's form."""
    for rule in source.rules:
        data, document = rule.data, rule.document
        cards: list[tuple[JsonPath, Json]] = [(("card",), data.get("card"))]
        for number, variant in enumerate(seq(data.get("variants"))):
            cards.append((("variants", number, "card"), obj(variant).get("card")))
        for path, card in cards:
            yield from _card(source, document, path, card)
        yield from _label(rule)
        yield from _kept(rule)
        yield from _silenced_by_presence(source, rule)
    for _, document, path, card in site_cards(source):
        yield from _card(source, document, path, card)


def _card(source: PackSource, document: Document, path: JsonPath, card: Json) -> Iterator[Problem]:
    words = words_of_detail(card)
    if words > MOST_WORDS:
        message = f"The detail may have {words} words; at most {MOST_WORDS} are read."
        yield document.problem((*path, "detail"), "C412", message, "Shorten it.")
    for inner, text in _texts(card):
        yield from _attributed(source, document, (*path, *inner), text)


def words_of_detail(card: Json, texts: Mapping[str, str] = MappingProxyType({})) -> int:
    """All sentences without a condition and the longest with one, with long values; `texts` has
    sentences in another language."""
    sentences = seq(obj(card).get("detail"))
    plain = sum(_words(sentence, texts) for sentence in sentences if "when" not in obj(sentence))
    return plain + max(
        (_words(sentence, texts) for sentence in sentences if "when" in obj(sentence)), default=0
    )


def _texts(card: Json) -> Iterator[tuple[JsonPath, str]]:
    for name in ("summary", "line"):
        yield (name,), word(obj(card).get(name))
    for number, sentence in enumerate(seq(obj(card).get("detail"))):
        yield ("detail", number), word(sentence) or word(obj(sentence).get("text"))


def _words(sentence: Json, texts: Mapping[str, str]) -> int:
    """Words of a sentence with long values. Of its optional parts the longest counts: they stand
    for alternatives, and a detail that gets longer still is cut when the card is made."""
    english = word(sentence) or word(obj(sentence).get("text"))
    text = word(texts.get(english)) or english
    optional = [_counted(part) for part in _OPTIONAL.findall(text)]
    return _counted(_OPTIONAL.sub(" ", text)) + max(optional, default=0)


def _counted(text: str) -> int:
    return sum(_LONG.get(_property(part), 1) for part in text.split())


def _property(part: str) -> str:
    match = _PLACEHOLDER.search(part)
    return match[1].rpartition(".")[2] if match else ""


def _attributed(
    source: PackSource, document: Document, path: JsonPath, text: str
) -> Iterator[Problem]:
    """A number that a site may change must not stand in a sentence that names a source."""
    settings = source.named("settings")
    for sentence in _SENTENCE_END.split(text):
        named = _SOURCE.search(sentence)
        for name in _PLACEHOLDER.findall(sentence):
            if named and (name in settings or name.removesuffix(".months") in settings):
                message = f"{{{name}}} stands in a sentence that names {named[0]}."
                hint = "A site may change the number; the source keeps its own. Part them."
                yield document.problem(path, "C413", message, hint)


def _label(rule: RuleFile) -> Iterator[Problem]:
    for number, source in enumerate(seq(rule.data.get("sources"))):
        label = word(obj(source).get("label"))
        if _PASSAGE.search(label):
            message = "The label of a source is a title; it is shown on the card."
            hint = "Put document and lines into 'topic'."
            yield rule.document.problem(("sources", number, "label"), "C414", message, hint)


def _kept(rule: RuleFile) -> Iterator[Problem]:
    if rule.data.get("whenExclusionUnknown") == "keep" and not word(rule.data.get("note")):
        message = "A card that an unknown safeguard does not soften needs its reason in 'note'."
        yield rule.document.problem(("whenExclusionUnknown",), "C415", message)


def _silenced_by_presence(source: PackSource, rule: RuleFile) -> Iterator[Problem]:
    """That a test was done does not mean that it was normal."""
    root = Root(rule.document, ("unless",), rule.data.get("unless"), rule)
    for node in walk(root):
        fact = source.facts.get(word(node.data.get("fact")))
        if node.data.get("op") != "present" or fact is None or word(node.data.get("note")):
            continue
        if obj(fact.data).get("kind") == "quantity":
            message = f"'{node.data['fact']}' silences the rule by being there, whatever its value."
            hint = "Compare its value, or give the reason in 'note' of this condition."
            yield rule.document.problem((*node.path, "op"), "C416", message, hint)
