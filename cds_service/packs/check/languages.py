"""Checks of languages: each text has the placeholders of the English that it stands for, and fits.

What a language lacks, and what it has for nothing, is told by `untranslated`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.cards.body import MOST_WORDS
from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.cards.phrases import CONSIDER
from cds_service.cards.render import Template, TemplateError, compile_template
from cds_service.errors import Problem
from cds_service.packs.check.form import words_of_detail
from cds_service.packs.check.texts import all_texts, length_of
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, seq, word

Json = Any
_MARKUP = "<>&"  # the discovery document may not hold them
_OF_SERVICE = ("title", "description", "usageRequirements")


class _Text(NamedTuple):
    """A text of a language, and the English that it stands for."""

    document: Document
    english: str
    text: str

    @property
    def path(self) -> JsonPath:
        return ("texts", self.english)

    def problem(self, code: str, message: str, hint: str = "") -> Problem:
        return self.document.problem(self.path, code, message, hint)


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every text of every language."""
    if not source.languages:
        return
    summaries = {text.text for text in all_texts(source) if text.path[-1] in ("summary", "many")}
    services = {word(obj(file.data).get(key)) for file in source.services for key in _OF_SERVICE}
    for document in source.languages:
        actions = _action(source, word(document.data.get("language")))
        for english, text in obj(document.data.get("texts")).items():
            if not word(text):
                continue  # the schema check has told
            pair = _Text(document, english, text)
            yield from _placeholders(pair)
            yield from _begins(pair, actions)
            if english in summaries:
                yield from _fits(source, pair)
            if english in services and any(character in text for character in _MARKUP):
                yield pair.problem("L906", f"Discovery may not hold any of {_MARKUP}.")
        yield from _details(source, document)


def _placeholders(pair: _Text) -> Iterator[Problem]:
    try:
        wanted, given = (_optional(compile_template(text)) for text in (pair.english, pair.text))
    except TemplateError as error:
        hint = "Placeholders look like {lab.ferritin.value}; optional parts like {? ... ?}."
        yield pair.problem("L901", f"Unbalanced or odd braces: {error}.", hint)
        return
    missing = [name for name in wanted if name not in given]
    for name in missing:
        yield pair.problem("L902", f"The English has {{{name}}}, and this text has not.")
    for name in given:
        if name not in wanted:
            hint = did_you_mean(name, missing or list(wanted))
            message = f"{{{name}}} is not in the English text."
            yield pair.problem("L902", message, hint)
        elif wanted[name] and not given[name]:
            message = f"{{{name}}} may have no value, as in the English."
            yield pair.problem("L903", message, "Put that part between {? and ?}.")


def _optional(template: Template) -> dict[str, bool]:
    """By placeholder: whether it stands in optional parts alone."""
    only_optional: dict[str, bool] = {}
    for name, optional in template.placeholders():
        only_optional[name] = only_optional.get(name, True) and optional
    return only_optional


def _action(source: PackSource, tag: str) -> str:
    """How a sentence on what to consider begins in a language."""
    texts = {
        word(document.data.get("language")): word(obj(document.data.get("texts")).get(CONSIDER))
        for document in source.languages
        if CONSIDER in obj(document.data.get("texts"))
    }
    return texts.get(tag) or texts.get(tag.partition("-")[0], "")


def _begins(pair: _Text, action: str) -> Iterator[Problem]:
    if action and pair.english.startswith(CONSIDER) and not pair.text.startswith(action):
        message = f"The English begins with '{CONSIDER}'; this begins otherwise than '{action}'."
        yield pair.problem(
            "L904", message, "The card makes it a paragraph of its own by that word."
        )


def _fits(source: PackSource, pair: _Text) -> Iterator[Problem]:
    try:
        length = length_of(source, compile_template(pair.text))
    except TemplateError:
        return  # told already
    if "\n" in pair.text or length > LONGEST_SUMMARY:
        message = f"With long values this has {length} characters; at most {LONGEST_SUMMARY} fit."
        yield pair.problem("L905", message, "A summary is one line. Shorten it.")


def _details(source: PackSource, document: Document) -> Iterator[Problem]:
    """Details that have more words than are read, once they are translated."""
    texts: Mapping[str, str] = obj(document.data.get("texts"))
    seen: set[JsonPath] = set()
    for rule in source.rules:
        variants = [obj(variant).get("card") for variant in seq(rule.data.get("variants"))]
        for card in (rule.data.get("card"), *variants):
            count = words_of_detail(card, texts)
            longest = _longest(card, texts)
            if count > MOST_WORDS and longest and (path := ("texts", longest)) not in seen:
                seen.add(path)
                message = (
                    f"A detail of {rule.id} with this sentence may have {count} words; "
                    f"at most {MOST_WORDS} are read."
                )
                yield document.problem(path, "L905", message, "Shorten it.")


def _longest(card: Json, texts: Mapping[str, str]) -> str:
    """The English of the longest sentence that the language has."""
    sentences = [
        word(sentence) or word(obj(sentence).get("text"))
        for sentence in seq(obj(card).get("detail"))
    ]
    return max(
        (sentence for sentence in sentences if sentence in texts),
        key=lambda sentence: len(texts[sentence]),
        default="",
    )
