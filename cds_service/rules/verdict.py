"""Judges one rule in one context: outcome, finding, reasons.

`when` decides. `unless` and the pack-wide exclusions silence a rule only when they are known to
hold; where they are unknown the finding says so. Where a safeguard of the rule's own is unknown, be
it its `unless` or a variant that would be milder, the finding is softened. A rule that is unknown
only for want of the pack's conditional definition may still give a conditional finding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from cds_service.facts.model import Item
from cds_service.rules.context import Context
from cds_service.rules.leaves import Leaf
from cds_service.rules.logic import NO, UNKNOWN, YES
from cds_service.rules.model import INDICATORS, Finding, OutcomeName
from cds_service.rules.nodes import AnyOf, Json, Node, Not
from cds_service.rules.ruleset import CompiledRule
from cds_service.rules.words import Words

_T = TypeVar("_T")


class Verdict(Struct, frozen=True):
    """What one rule says. A shadow rule has a finding too; the engine leaves it out."""

    outcome: OutcomeName
    finding: Finding | None = None
    reasons: tuple[str, ...] = ()


NOTHING = Verdict("no")


def judge(
    compiled: CompiledRule, context: Context, words: Words, assumed: Context | None
) -> Verdict:
    """Judge a rule. `assumed` is the context with the conditional definition taken as YES.

    `assumed` is None where there is nothing to assume: the definition is known, or an order hook.
    """
    truth = compiled.when.truth(context)
    if truth is NO or silenced(compiled, context):
        return NOTHING
    if truth is YES:
        return Verdict("fires", _finding(compiled, context, words, conditional=False))
    reasons = unique(compiled.when.reasons(context))
    return Verdict("unknown", _conditional(compiled, assumed, words), reasons)


def silenced(compiled: CompiledRule, context: Context) -> bool:
    """Whether an exclusion, the rule's own or a pack-wide one, is known to hold."""
    if compiled.unless is not None and compiled.unless.truth(context) is YES:
        return True
    return any(exclusion.when.truth(context) is YES for exclusion in compiled.exclusions)


def unique(things: Iterable[_T]) -> tuple[_T, ...]:
    """The things in order, each once."""
    things = tuple(things)
    if len(things) < 2:
        return things
    distinct: list[_T] = []
    alike: dict[object, list[_T]] = {}  # items cannot be hashed, and comparing all with all is slow
    for thing in things:
        known = alike.setdefault(thing.reference if isinstance(thing, Item) else thing, [])
        if thing not in known:
            known.append(thing)
            distinct.append(thing)
    return tuple(distinct)


def _conditional(compiled: CompiledRule, assumed: Context | None, words: Words) -> Finding | None:
    if assumed is None or compiled.rule.when_unknown != "conditional":
        return None
    if compiled.when.truth(assumed) is not YES or silenced(compiled, assumed):
        return None
    return _finding(compiled, assumed, words, conditional=True)


def _finding(
    compiled: CompiledRule, context: Context, words: Words, *, conditional: bool
) -> Finding:
    read = (*_telling(compiled.when, context, []), *compiled.about)
    deciding, card = _card(compiled, context)
    safeguards = [*_unjudged(compiled, context, words), *_milder(compiled, context, card, words)]
    return Finding(
        rule=compiled.rule,
        card=card,
        draft=context.draft,
        conditional=conditional,
        basis=unique(item for node in deciding for item in node.items(context)),
        about=unique(item for leaf in compiled.about for item in leaf.read(context).items),
        unknown_exclusions=unique([*safeguards, *_pack_wide(compiled, context)]),
        softened=bool(safeguards) and compiled.rule.when_exclusion_unknown == "soften",
        notes=unique(note for leaf in read for note in leaf.notes(context)),
    )


def _telling(node: Node, context: Context, told: list[Leaf]) -> list[Leaf]:
    """Adds the leaves whose data notes concern this card to `told`: a branch that says no adds
    nothing to it."""
    if isinstance(node, Leaf):
        told.append(node)
    for child in node.children:
        if isinstance(node, Not) or child.truth(context) is not NO:
            _telling(child, context, told)
    return told


def _card(compiled: CompiledRule, context: Context) -> tuple[Sequence[Node], Mapping[str, Json]]:
    """The rule's card, with the fields of the first variant that is known to apply.

    And the conditions that made it so: the rule's own, then the variant's.
    """
    for when, card in compiled.variants:
        if when.truth(context) is YES:
            return (compiled.when, when), card
    return (compiled.when,), compiled.rule.card


def _unjudged(compiled: CompiledRule, context: Context, words: Words) -> Iterator[str]:
    """The rule's own exclusions that could not be judged, in words."""
    unless = compiled.unless
    if unless is not None and unless.truth(context) is UNKNOWN:
        parts = unless.children if isinstance(unless, AnyOf) else (unless,)
        for part in parts:
            if part.truth(context) is UNKNOWN:
                yield words.sentence(part.source)


def _milder(
    compiled: CompiledRule, context: Context, chosen: Mapping[str, Json], words: Words
) -> Iterator[str]:
    """Variants that could not be judged and would be milder than the card chosen, in words."""
    for when, card in compiled.variants:
        if card is chosen:
            return
        if when.truth(context) is UNKNOWN and _strength(card) < _strength(chosen):
            yield words.sentence(when.source)


def _strength(card: Mapping[str, Json]) -> int:
    return INDICATORS.index(card.get("indicator", "info"))


def _pack_wide(compiled: CompiledRule, context: Context) -> Iterator[str]:
    """The pack-wide exclusions that could not be judged, in words."""
    for exclusion in compiled.exclusions:
        if exclusion.when.truth(context) is UNKNOWN:
            yield exclusion.words
