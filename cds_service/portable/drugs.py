"""Drugs as ELM: those in use, those of the order under evaluation.

What rests on the ingredients of each product cannot be said beyond the value sets: the drug
dictionary is none. Such facts are written as far as they go, and their limits noted.
"""

import re
from decimal import Decimal

from cds_service.portable.drug_names import ingredient_set, phrases_of
from cds_service.portable.elm import (
    FALSE,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_in,
    any_of,
    call,
    cases,
    define,
    exists,
    given,
    listed,
    missing,
    negated,
    number,
    of,
    op,
    parameter,
    query,
    ref,
    text,
    when,
)
from cds_service.portable.reading_codes import is_in
from cds_service.portable.reading_orders import DRAFT
from cds_service.portable.reading_words import OPEN
from cds_service.portable.supply import READING, gaps
from cds_service.portable.supply import gap as supply_gap
from cds_service.portable.writer import Asked, Writer, dated, entries, verdict, weighed
from cds_service.terminology.codings import RXNORM

_EVIDENCE = ("MedicationDispense", "MedicationAdministration")
_ENDED = ("stopped", "not-taken", "cancelled")
_MILLIGRAMS = re.compile(r"(\d+(?:\.\d+)?)\s*MG\b", re.IGNORECASE)


def drug(writer: Writer, asked: Asked) -> list[Node]:
    """Whether a drug of the fact's sets is in use."""
    named = query(entries("Drugs on File"), "M", _meant(writer, asked))
    if asked.days is not None:
        return [define(asked.name, weighed(_started(writer, asked), gaps(asked.definition)))]
    verdicts = query(named, "M", give=verdict(_in_use(writer, asked)))
    if asked.definition.uncounted:
        unclear = op("In", text(OPEN), verdicts)
        known = cases([(unclear, TRUE), (gaps(asked.definition), UNKNOWN)], FALSE)
        return [define(asked.name, known)]
    return [define(asked.name, weighed(verdicts, gaps(asked.definition)))]


def _meant(writer: Writer, asked: Asked) -> Node:
    """Whether an entry is in the fact's sets, by a route and strength that it means."""
    definition = asked.definition
    parts = [_strong(writer, asked)]
    if definition.routes == "injected":
        parts.append(of("M", "injected"))
    if definition.routes == "systemic":
        parts.append(negated(op("IsTrue", of("M", "local"))))
    return all_of(parts)


def _strong(writer: Writer, asked: Asked) -> Node:
    """In the sets; products of the limited ingredient alone only above its strength."""
    bound = asked.definition.max_strength
    if bound is None:
        return _held(writer, asked)
    limit = bound.milligrams
    if limit is None:
        limit = Decimal(str(writer.pack.settings[bound.setting].value))
    alone, weak = _products_of_one(writer, asked, bound.ingredient, limit)
    strength = call("Milligrams", of("M", "said"), text(bound.ingredient), library=READING)
    by_words = op("Greater", strength, number(limit))
    strong = when(given(strength), by_words, all_of([of("M", "coded"), negated(_has_code(weak))]))
    return all_of([_held(writer, asked), op("Or", negated(alone), op("IsTrue", strong))])


def _products_of_one(
    writer: Writer, asked: Asked, ingredient: str, limit: Decimal
) -> tuple[Node, str]:
    """Whether the entry M has of the fact's sets this ingredient alone, and the set of its weak
    products."""
    terminology, sets = writer.pack.terminology, set(asked.definition.value_sets)
    alone, weak = {}, {}
    for product in terminology.drugs.products():
        held = [n for n in product.ingredients if sets & set(terminology.sets_of_ingredient(n))]
        if held == [ingredient]:
            alone[RXNORM, product.code] = product.name
            told = _MILLIGRAMS.search(product.name)
            if told is None or Decimal(told.group(1)) <= limit:
                weak[RXNORM, product.code] = product.name
    name = asked.definition.name.replace(".", "-")
    own = writer.sets.named(f"{name}-alone", f"Products with {ingredient} alone", alone, "")
    weak_id = writer.sets.named(f"{name}-weak", f"Weak products with {ingredient}", weak, "")
    others = [
        name_of_other
        for name_of_other in _ingredients(writer, asked)
        if name_of_other != ingredient
    ]
    mixed = any_of([any_in(of("M", "phrases"), ingredient_set(other)) for other in others])
    named = all_of([any_in(of("M", "phrases"), ingredient_set(ingredient)), negated(mixed)])
    return when(of("M", "coded"), _has_code(own), named), weak_id


def _has_code(set_id: str) -> Node:
    return any_in(of("M", "codes"), set_id)


def _ingredients(writer: Writer, asked: Asked) -> list[str]:
    terminology = writer.pack.terminology
    return sorted(
        {n for set_id in asked.definition.value_sets for n in terminology.ingredients_of(set_id)}
    )


def _held(writer: Writer, asked: Asked) -> Node:
    """Whether the entry M is in the fact's sets: by its code, or by its name where it has none."""
    sets = asked.definition.value_sets
    by_code = writer.sets.holds("M", sets)
    named = [phrases_of(set_id) for set_id in sets if phrases_of(set_id) in writer.sets.by_id]
    by_name = any_of([any_in(of("M", "phrases"), phrases) for phrases in named])
    either = op("Or", by_code, by_name)
    return cases([(of("M", "disputed"), either), (of("M", "coded"), by_code)], by_name)


def _in_use(writer: Writer, asked: Asked) -> Node:
    """Whether an entry counts; null where its status or date does not tell."""
    age, active = of("M", "age"), of("M", "active")
    truth = dated(asked, age)
    unclear = when(op("IsFalse", truth), FALSE, UNKNOWN)
    running = all_of([active, negated(_stopped())])
    days = writer.days(asked.definition.given_within)
    otherwise = FALSE
    if days is not None:
        recent = call("Inside", age, number(days), library=READING)
        otherwise = op("IsTrue", all_of([of("M", "given"), given(age), recent]))
    truth_of_use = cases([(missing(active), unclear), (running, truth)], otherwise)
    if asked.definition.disputed == "counts":
        return truth_of_use
    doubted = when(op("IsFalse", truth_of_use), FALSE, UNKNOWN)
    return when(of("M", "disputed"), doubted, truth_of_use)


def _stopped() -> Node:
    """Whether an order or a statement of the same drug says that what was given was stopped."""
    evidence = is_in(of("M", "kind"), _EVIDENCE)
    same = all_in(ingredients_of("M"), ingredients_of("S"))
    ended = is_in(of("S", "status"), _ENDED)
    ordered = negated(is_in(of("S", "kind"), _EVIDENCE))
    others = query(entries("Drugs on File"), "S", all_of([ordered, ended]))
    return when(evidence, exists(query(others, "S", same)), FALSE)


def _started(writer: Writer, asked: Asked) -> Node:
    """Those in use whose ingredient no older entry has: each ingredient is a value set."""
    started = []
    for name in _ingredients(writer, asked):
        entry = query(entries("Drugs on File"), "M", _held(writer, asked))
        of_it = query(entry, "M", all_of([_has(name), _meant(writer, asked)]))
        used = query(of_it, "M", give=verdict(_in_use(writer, asked)))
        older = exists(query(query(entry, "M", _has(name)), "M", _before(asked)))
        started.append(when(older, listed([]), used))
    return op("Flatten", listed(started))


def _has(name: str) -> Node:
    """Whether the entry M is of an ingredient, by code or by name."""
    told = [any_in(of("M", key), ingredient_set(name)) for key in ("codes", "phrases")]
    return op("Or", *told)


def ingredients_of(name: str) -> Node:
    """The ingredients of a medication entry, as the drug dictionary names them."""
    return call("Ingredients", alias(name), library=READING)


def all_in(some: Node, others: Node) -> Node:
    """Whether all of some strings are among others."""
    return negated(exists(query(some, "I", negated(op("In", alias("I"), others)))))


def _before(asked: Asked) -> Node:
    assert asked.days is not None
    return op("Greater", of("M", "age"), number(asked.days))


def draft_drug(writer: Writer, asked: Asked) -> list[Node]:
    """Whether the order under evaluation is for a drug of the fact's sets."""
    definition = asked.definition
    own = op("Equal", of("M", "reference"), parameter(DRAFT, READING))
    named = query(entries("Drugs"), "M", all_of([op("IsTrue", own), _meant(writer, asked)]))
    doubted = definition.disputed == "unknown"
    sure = query(named, "M", negated(of("M", "disputed"))) if doubted else named
    unsure = when(exists(named), UNKNOWN, FALSE)
    if not definition.in_use:
        return [define(asked.name, when(exists(sure), TRUE, unsure))]
    wanted = _wanted(writer, asked)
    renewed = exists(query(sure, "M", op("Or", of("M", "prior"), _taken(wanted))))
    return [
        define(f"{asked.name} ordered", exists(sure)),
        define(
            asked.name, _renewal(ref(f"{asked.name} ordered"), renewed, gaps(definition), unsure)
        ),
    ]


def _wanted(writer: Writer, asked: Asked) -> Node:
    """The draft's ingredients that the fact is about; all where none of its sets lists one."""
    own = query(ingredients_of("M"), "N", is_in(alias("N"), _ingredients(writer, asked)))
    return when(exists(own), own, ingredients_of("M"))


def _taken(wanted: Node) -> Node:
    """Whether all of some ingredients of the draft M are in use, in a product like it."""
    everywhere = entries("Ingredients in Use")
    taken = when(of("M", "local"), everywhere, entries("Systemic Ingredients in Use"))
    return all_of([exists(wanted), all_in(wanted, taken)])


def _renewal(ordered: Node, renewed: Node, gap: Node, otherwise: Node) -> Node:
    missing_list = when(gap, UNKNOWN, FALSE)
    return cases([(renewed, TRUE), (ordered, missing_list)], otherwise)


def renewal(asked: Asked) -> list[Node]:
    """The flag `draft.renewal`: every ingredient of the draft is in use already."""
    own = query(entries("Drugs"), "M", op("Equal", of("M", "reference"), parameter(DRAFT, READING)))
    renewed = exists(query(own, "M", op("Or", of("M", "prior"), _taken(ingredients_of("M")))))
    gap = any_of([supply_gap("medicationRequests"), supply_gap("medicationStatements")])
    return [define(asked.name, _renewal(exists(own), renewed, gap, FALSE))]
