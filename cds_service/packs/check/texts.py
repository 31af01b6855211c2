"""Checks of card texts: placeholders that exist and have a value, and summaries that fit."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.cards.render import Template, TemplateError, compile_template
from cds_service.errors import Problem
from cds_service.packs.check.conditions import sound
from cds_service.packs.check.walk import Guarantees, rule_roots, site_cards, unlike
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, RuleFile, obj, seq, word

Json = Any

Drafts = Literal["always", "sometimes", "never"]  # whether there is an order under evaluation
_QUANTITY = frozenset({"value", "unit", "shown", "flag", "side"})
PROPERTIES = _QUANTITY | {"date", "text", "names", "count", "last"}
# Never sure, whatever the condition says.
_UNSURE = frozenset({"side", "last", "flag"})
# The longest text that a property realistically becomes.
_LONGEST = {
    "value": 6, "shown": 14, "flag": 14, "side": 5, "date": 10, "text": 28, "names": 34, "count": 2,
    "last": 26, "months": 3, "name": 30, "reason": 32,
}  # fmt: skip
_NO_UNIT = frozenset({"", "1", "{ratio}"})


class Text(NamedTuple):
    """One template: where it stands and which facts are sure to have a value there."""

    document: Document
    path: JsonPath
    text: str
    sure: frozenset[str] | None  # None where the conditions themselves are at fault
    drafts: Drafts
    extra: tuple[str, ...] = ()  # further placeholders: count, names


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every text that may reach a card."""
    for text in all_texts(source):
        yield from _check(source, text)


def all_texts(source: PackSource) -> Iterator[Text]:
    """Every template that a card may be made of, with its place."""
    conditional = word(obj(source.named("conditional")).get("definition"))
    plain = Guarantees(source.definitions)
    careful = Guarantees(source.definitions, but=conditional)
    for rule in source.rules:
        sure = careful if rule.data.get("whenUnknown") == "conditional" else plain
        yield from _rule_texts(source, rule, sure)
    for rule, document, path, card in site_cards(source):
        sure = careful if rule.data.get("whenUnknown") == "conditional" else plain
        place = _CardPlace(document, path, sure.of(rule.data.get("when")), _drafts(rule))
        yield from _card_texts(place, card, sure)
    yield from _pack_texts(source)


class _CardPlace(NamedTuple):
    """A card's place, and the facts that are sure there before its own conditions are read."""

    document: Document
    path: JsonPath
    sure: frozenset[str] | None
    drafts: Drafts

    def text(
        self, inner: JsonPath, value: Json, more: frozenset[str] = frozenset()
    ) -> Iterator[Text]:
        if word(value):
            path = (*self.path, *inner)
            sure = None if self.sure is None else self.sure | more
            yield Text(self.document, path, value, sure, self.drafts)


def _drafts(rule: RuleFile) -> Drafts:
    hooks = set(map(word, seq(rule.data.get("hooks"))))
    if not hooks - {"patient-view"}:
        return "never"
    return "sometimes" if "patient-view" in hooks else "always"


def _rule_texts(source: PackSource, rule: RuleFile, guarantees: Guarantees) -> Iterator[Text]:
    judged = all(sound(source, root) for root in rule_roots(rule))
    when, variants = rule.data.get("when"), [obj(v) for v in seq(rule.data.get("variants"))]
    for field, part in obj(rule.data.get("card")).items():
        sure = guarantees.of(when, _not_holding(variants, field)) if judged else None
        place = _CardPlace(rule.document, ("card",), sure, _drafts(rule))
        yield from _card_texts(place, {field: part}, guarantees)
    for index, variant in enumerate(variants):
        before = unlike(*(v.get("when") for v in variants[:index]))
        sure = guarantees.of(when, before) | guarantees.of(variant.get("when")) if judged else None
        place = _CardPlace(rule.document, ("variants", index, "card"), sure, _drafts(rule))
        yield from _card_texts(place, variant.get("card"), guarantees)


def _not_holding(variants: list[Mapping[str, Json]], field: str) -> frozenset[str]:
    """Conditions that do not hold where the rule's own text is used: those of the first variants,
    as long as they bring a text of their own."""
    own = takewhile(lambda variant: field in obj(variant.get("card")), variants)
    return unlike(*(variant.get("when") for variant in own))


def _card_texts(place: _CardPlace, card: Json, guarantees: Guarantees) -> Iterator[Text]:
    for name in ("summary", "line", "caveat"):
        yield from place.text((name,), obj(card).get(name))
    for index, sentence in enumerate(seq(obj(card).get("detail"))):
        yield from place.text(("detail", index), sentence)
        more = guarantees.of(obj(sentence).get("when"))
        yield from place.text(("detail", index, "text"), obj(sentence).get("text"), more)
    for index, offer in enumerate(seq(obj(card).get("suggestions"))):
        more = guarantees.of(obj(offer).get("when"))
        yield from place.text(("suggestions", index, "label"), obj(offer).get("label"), more)


def _pack_texts(source: PackSource) -> Iterator[Text]:
    if not source.pack:
        return
    listed = ("count", "names")
    for name, group in source.named("groups").items():
        if word(obj(group).get("many")):
            path: JsonPath = ("groups", name, "many")
            yield Text(source.pack, path, group["many"], frozenset(), "never", listed)
    summary = obj(source.named("conditional")).get("summary")
    if word(summary):
        path = ("conditional", "summary")
        yield Text(source.pack, path, word(summary), frozenset(), "never", listed)


def _check(source: PackSource, text: Text) -> Iterator[Problem]:
    try:
        template = compile_template(text.text)
    except TemplateError as error:
        hint = "Placeholders look like {lab.ferritin.value}; optional parts like {? ... ?}."
        yield _problem(text, "C410", f"Unbalanced or odd braces: {error}.", hint)
        return
    for name, optional in dict.fromkeys(template.placeholders()):
        yield from _placeholder(source, text, name, optional)
    if text.path[-1] in ("summary", "many"):
        yield from _summary(source, text, template)


def _placeholder(source: PackSource, text: Text, name: str, optional: bool) -> Iterator[Problem]:
    settings = source.named("settings")
    fact, _, prop = name.rpartition(".")
    if name in text.extra or name in settings:
        return
    if prop == "months" and fact in settings:
        if obj(settings[fact]).get("unit") != "d":
            yield _problem(text, "C402", f"{{{name}}}: '{fact}' is not in days.")
    elif name in ("draft.name", "reason"):
        yield from _order_only(text, name, optional)
    elif prop in PROPERTIES and fact in source.facts:
        yield from _fact_property(source, text, fact, prop, optional)
    else:
        yield _unknown(source, text, name)


def _order_only(text: Text, name: str, optional: bool) -> Iterator[Problem]:
    if text.drafts == "never":
        yield _problem(text, "C402", f"{{{name}}} has a value only in rules for orders.")
    elif (name == "reason" or text.drafts == "sometimes") and not optional:
        yield _not_sure(text, name)


def _fact_property(
    source: PackSource, text: Text, fact: str, prop: str, optional: bool
) -> Iterator[Problem]:
    data = obj(source.facts[fact].data)
    quantity = data.get("kind") == "quantity"
    if prop in _QUANTITY - {"side"} and not quantity and data.get("kind") != "number":
        message = f"'{fact}' has no '{prop}'; only quantities have one."
        yield _problem(text, "C402", message)
    elif optional or text.sure is None:
        return
    elif prop == "unit" and word(data.get("unit")) in _NO_UNIT:
        yield _problem(
            text, "C402", f"'{fact}' has no unit to show.", "Remove {" + fact + ".unit}."
        )
    elif (
        prop in _UNSURE
        or fact not in text.sure
        or (prop == "date" and not quantity and not _dated(data, f"{fact}@" in text.sure))
    ):
        yield _not_sure(text, f"{fact}.{prop}")


def _dated(fact: Json, within: bool) -> bool:
    """Whether an entry is sure to have a date. A draft and a reason of the order or the encounter
    count inside any look-back without one."""
    own = not {"encounter", "order-reason"} & set(map(word, seq(fact.get("from"))))
    return within and own and fact.get("kind") != "order"


def _not_sure(text: Text, name: str) -> Problem:
    return _problem(
        text, "C403", f"{{{name}}} may have no value when this is shown.",
        "Put that part between {? and ?}, or require the fact in 'when'.",
    )  # fmt: skip


def _unknown(source: PackSource, text: Text, name: str) -> Problem:
    fact, _, prop = name.rpartition(".")
    if fact in source.facts:
        hint = did_you_mean(prop, list(PROPERTIES)) or f"One of: {', '.join(sorted(PROPERTIES))}."
        return _problem(text, "C402", f"A fact has no property '{prop}'.", hint)
    known = [f"{f}.{prop}" for f in source.facts] + list(source.named("settings"))
    hint = did_you_mean(name, known)
    return _problem(text, "C401", f"No fact or setting supplies {{{name}}}.", hint)


def _summary(source: PackSource, text: Text, template: Template) -> Iterator[Problem]:
    if "\n" in text.text or "\r" in text.text:
        yield _problem(text, "C405", "A summary is one line.", "Remove the line break.")
    length = length_of(source, template)
    if length > LONGEST_SUMMARY:
        message = f"With long values this has {length} characters; at most {LONGEST_SUMMARY} fit."
        yield _problem(text, "C404", message, f"Shorten it by {length - LONGEST_SUMMARY}.")


def length_of(source: PackSource, template: Template) -> int:
    """The length with long values. Of the optional parts only the longest counts: they stand for
    alternatives, and a summary that gets longer still is cut when the card is made."""
    fixed, optional = 0, [0]
    for part in template.parts:
        if isinstance(part, str):
            fixed += len(part)
        elif isinstance(part, Template):
            optional.append(length_of(source, part))
        else:
            fixed += _longest(source, part.name)
    return fixed + max(optional)


def _longest(source: PackSource, name: str) -> int:
    """How long a placeholder's text may realistically be."""
    setting = obj(source.named("settings").get(name))
    if "value" in setting:
        bounds: Mapping[str, Json] = {k: setting.get(k) for k in ("value", "max")}
        return max(len(str(v)) for v in bounds.values())
    fact, _, prop = name.rpartition(".")
    if prop == "unit" and fact in source.facts:
        return max(1, len(word(obj(source.facts[fact].data).get("unit"))))
    return _LONGEST.get(prop or name, 12)


def _problem(text: Text, code: str, message: str, hint: str = "") -> Problem:
    return text.document.problem(text.path, code, message, hint)
