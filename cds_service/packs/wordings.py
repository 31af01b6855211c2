"""Every text and name of a pack that a card or the discovery document may show, with its place:
what a language has to say, and what the checks hold it to."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cds_service.cards import phrases
from cds_service.cards.clauses import sentences
from cds_service.facts import naming
from cds_service.facts.definitions import DraftDrug, DraftOrder, Drug, FactDefinition
from cds_service.packs.check.texts import all_texts
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.source import PackSource, obj, seq, word
from cds_service.rules.model import Pack

Json = Any
_OF_SERVICE = ("title", "description", "usageRequirements")
_ENDS = (" (this order)",)
_STARTS = ("active ", "open order for ")


class Wording(NamedTuple):
    """A text as it is written in English. `document` is None for the program's own words."""

    text: str
    document: Document | None = None
    path: JsonPath = ()


def texts(source: PackSource, pack: Pack) -> dict[str, Wording]:
    """By the English: every text of rules, frame and services, and the program's own."""
    wordings: dict[str, Wording] = {}
    for wording in (
        *_templates(source),
        *_of_rules(source),
        *_of_frame(source),
        *_of_services(source),
    ):
        if wording.text:
            wordings.setdefault(wording.text, wording)
    for text in (*phrases.PHRASES, *sentences(pack).values()):
        wordings.setdefault(text, Wording(text))
    return wordings


def names(pack: Pack) -> dict[str, str]:
    """By the casefolded English: names of tests, drugs and answers that a card is sure to need."""
    titles = [name for fact in pack.catalogue.facts.values() for name in _titles(fact)]
    return {name.casefold(): name for name in (*titles, *_ingredients(pack))}


def diagnoses(pack: Pack) -> dict[str, str]:
    """By the casefolded English: what codes of diagnoses, procedures and orders are called, as
    cards show it (`facts.naming`)."""
    displays = {
        display
        for set_id in _sets(pack, drugs=False)
        for codes in (pack.terminology.value_set(set_id),)
        for display in (*codes.concepts.values(), *codes.below.values())
    }
    shown = (naming.best(display, None, list, exact=True, title="") for display in displays)
    return {name.casefold(): name for name in shown if name}


def _templates(source: PackSource) -> Iterator[Wording]:
    retired = {id(rule.document) for rule in source.rules if rule.data.get("status") == "retired"}
    for text in all_texts(source):
        if id(text.document) not in retired:
            yield Wording(text.text, text.document, text.path)


def _of_rules(source: PackSource) -> Iterator[Wording]:
    for rule in source.rules:
        if rule.data.get("status") == "retired":
            continue
        yield Wording(word(rule.data.get("title")), rule.document, ("title",))
        for first in seq(rule.data.get("sources"))[:1]:
            label = word(obj(first).get("label"))
            yield Wording(label, rule.document, ("sources", 0, "label"))


def _of_frame(source: PackSource) -> Iterator[Wording]:
    frame = source.pack
    if frame is None:
        return
    for name, group in source.named("groups").items():
        yield Wording(word(obj(group).get("title")), frame, ("groups", name, "title"))
    for number, text in enumerate(seq(source.named("conditional").get("detail"))):
        yield Wording(word(text), frame, ("conditional", "detail", number))
    for name, link in source.named("links").items():
        yield Wording(word(obj(link).get("label")), frame, ("links", name, "label"))
    for code, text in source.named("overrideReasons").items():
        yield Wording(word(text), frame, ("overrideReasons", code))


def _of_services(source: PackSource) -> Iterator[Wording]:
    for document in source.services:
        for field in _OF_SERVICE:
            yield Wording(word(obj(document.data).get(field)), document, (field,))


def _titles(fact: FactDefinition) -> Iterator[str]:
    """As cards show them: whole, without what stands in brackets, and bare of list words."""
    title = fact.title
    if isinstance(fact, Drug | DraftDrug | DraftOrder):
        for start in _STARTS:
            title = title.removeprefix(start)
        for end in _ENDS:
            title = title.removesuffix(end)
        yield title
        return
    yield title
    yield title.split(" (")[0]


def _ingredients(pack: Pack) -> Iterator[str]:
    for set_id in _sets(pack, drugs=True):
        yield from pack.terminology.ingredients_of(set_id)


def _sets(pack: Pack, *, drugs: bool) -> list[str]:
    used = {
        set_id
        for fact in pack.catalogue.facts.values()
        if isinstance(fact, Drug | DraftDrug) == drugs
        for set_id in fact.value_sets
        if pack.terminology.has_set(set_id)
    }
    return sorted(used)
