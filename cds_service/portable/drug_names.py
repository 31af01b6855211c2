"""Names of drugs as ELM: ingredients and brands among the words of an entry.

A phrase of up to five words stands as a code, as for `names`. The longest phrase wins, a word
before it may deny it ("non-aspirin"), and a few count only as a component's first word.
"""

import re

from cds_service.portable.elm import (
    NULL,
    Node,
    alias,
    all_of,
    any_in,
    any_of,
    call,
    cases,
    code,
    exists,
    function,
    given,
    listed,
    negated,
    number,
    of,
    one_in,
    op,
    operand,
    prop,
    query,
    text,
    tuple_of,
    when,
)
from cds_service.portable.names import WORDS
from cds_service.portable.reading_codes import flat, is_in, or_empty, replaced
from cds_service.portable.sets import Sets
from cds_service.rules.model import Pack
from cds_service.terminology.codings import ATC, RXNORM
from cds_service.terminology.names import words

PHRASES, LEADING, OTHERS = "drug-phrases", "drug-phrases-leading", "drug-phrases-other"
KNOWN, OUTSIDE = "drug-codes", "drugs-outside-the-sets"
LONGEST = 5  # words of a phrase
MOST_WORDS = 30  # of an entry
_BREAKS = ("/", "+", ";", ",", "&", "(", "{", "[", "and", "with")
_AMOUNT_WORDS = ("hr", "ml", "actuat", "oral", "elemental")
_ACCENTS = (("[\u00e0-\u00e5]", "a"), ("[\u00e8-\u00eb]", "e"), ("[\u00ec-\u00ef]", "i"),
            ("[\u00f2-\u00f6]", "o"), ("[\u00f9-\u00fc]", "u"), ("\u00e7", "c"))  # fmt: skip


def phrases_of(set_id: str) -> str:
    """The id of the set of a drug set's names."""
    return f"{set_id}-phrases"


def declare(pack: Pack, sets: Sets) -> None:
    """Add the value sets of phrases and of codes that are those of drugs."""
    terminology, told = pack.terminology, "phrases in lower case, as this package compares them"
    finder = terminology.drugs.finder
    by_set: dict[str, dict[tuple[str, str], str]] = {}
    for tokens, ingredients in finder.entries():
        key = (WORDS, " ".join(tokens))
        by_set.setdefault(PHRASES, {})[key] = ""
        for name in ingredients:
            for set_id in terminology.sets_of_ingredient(name) or (OUTSIDE,):
                by_set.setdefault(phrases_of(set_id), {})[key] = ""
    by_set[LEADING] = {(WORDS, " ".join(tokens)): "" for tokens in finder.leading}
    by_set[OTHERS] = {(WORDS, " ".join(words(name))): "" for name in terminology.drugs.others}
    for set_id, codes in by_set.items():
        sets.named(set_id, f"Drug names: {set_id}", codes, told)
    _declare_codes(pack, sets)
    _declare_ingredients(pack, sets)


def ingredient_set(name: str) -> str:
    """The id of the set of an ingredient's products, its ATC codes and its names."""
    return f"ingredient-{'-'.join(re.findall(r'[a-z0-9]+', name.lower()))}"


def _declare_ingredients(pack: Pack, sets: Sets) -> None:
    drugs = pack.terminology.drugs
    by_ingredient: dict[str, dict[tuple[str, str], str]] = {}
    for product in drugs.products():
        for name in product.ingredients:
            by_ingredient.setdefault(name, {})[RXNORM, product.code] = product.name
    for code_of_atc in drugs.atc_codes():
        for name in drugs.ingredients_of_atc(code_of_atc):
            by_ingredient.setdefault(name, {})[ATC, code_of_atc] = ""
    for tokens, ingredients in drugs.finder.entries():
        for name in ingredients:
            by_ingredient.setdefault(name, {})[WORDS, " ".join(tokens)] = ""
    for name, codes in by_ingredient.items():
        told = "products, ATC codes and names of one ingredient"
        sets.named(ingredient_set(name), name, codes, told)
        sets.ingredients[name] = ingredient_set(name)


def _declare_codes(pack: Pack, sets: Sets) -> None:
    terminology = pack.terminology
    known, outside = {}, {}
    for product in terminology.drugs.products():
        key = (RXNORM, product.code)
        known[key] = product.name
        if any(not terminology.sets_of_ingredient(name) for name in product.ingredients):
            outside[key] = product.name
    for set_id in drug_sets(pack):
        known |= sets.codes(set_id)
    sets.named(KNOWN, "Codes of drugs", known, "")
    sets.named(OUTSIDE, "Products with an ingredient that no drug set has", outside, "")


def drug_sets(pack: Pack) -> list[str]:
    """The drug sets that some fact asks for."""
    return sorted(s for s in pack.catalogue.readers["drugs"] if pack.terminology.has_set(s))


def statements(pack: Pack, sets: Sets) -> list[Node]:
    """The functions that find the names."""
    return [
        function("Tokens", ["said"], _tokens()),
        function("Token", ["tokens", "at"], op("Indexer", operand("tokens"), operand("at"))),
        function("Gram", ["tokens", "start", "end"], _gram()),
        function("Grams", ["tokens"], _grams()),
        function("Leads", ["tokens", "start"], _leads()),
        function("Denied Name", ["tokens", "gram"], _denied(pack)),
        function("Matches", ["tokens"], _matches()),
        function("Drug Phrases", ["tokens"], _phrases()),
        function("Names Another Drug", ["tokens"], _another()),
        function("Drug Names", ["concepts"], _drug_names()),
        function("Coded Drug", ["codes", "stems"], _coded(pack, sets)),
        function("Ingredients by", ["told"], _ingredients_by(sets)),
        function("Ingredients", ["entry"], _ingredients()),
        function("Agree", ["codes", "phrases"], _agree(pack, sets)),
    ]


def _tokens() -> Node:
    plain = op("Lower", operand("said"))
    for accented, letter in _ACCENTS:
        plain = replaced(plain, accented, letter)
    spaced = replaced(plain, r"([/+;,&({\[])", " $1 ")
    bare = replaced(replaced(spaced, r"[^a-z0-9/+;,&({\[]+", " "), r"^\s+|\s+$", "")
    parts: Node = {"type": "Split", "stringToSplit": bare, "separator": text(" ")}
    return or_empty(parts)


def _counted(tokens: Node) -> Node:
    return {"type": "Count", "source": tokens}


def _gram() -> Node:
    """Some tokens as a phrase; a comma or bracket inside does not count."""
    part: Node = {
        "type": "Slice",
        "source": operand("tokens"),
        "startIndex": operand("start"),
        "endIndex": operand("end"),
    }
    joined: Node = {"type": "Combine", "source": part, "separator": text(" ")}
    return code(text(WORDS), replaced(joined, r" [,(\[](?= )", ""))


def _grams() -> Node:
    starts = listed(number(at) for at in range(MOST_WORDS))
    lengths = listed(number(length) for length in range(1, LONGEST + 1))
    tokens = operand("tokens")
    end = op("Add", alias("S"), alias("L"))
    gram = tuple_of(
        {"start": alias("S"), "end": end, "code": call("Gram", tokens, alias("S"), end)}
    )
    each = query(lengths, "L", op("LessOrEqual", end, _counted(tokens)), gram)
    return flat(query(starts, "S", op("Less", alias("S"), _counted(tokens)), each))


def _leads() -> Node:
    """Whether a token is the first of a component, amounts before it aside."""
    tokens, start = operand("tokens"), operand("start")
    before = call("Token", tokens, op("Subtract", start, number(1)))
    amount = any_of([is_in(before, _AMOUNT_WORDS), op("Matches", before, text("^[0-9].*$"))])
    return any_of([op("Equal", start, number(0)), is_in(before, _BREAKS), amount])


def _denied(pack: Pack) -> Node:
    words = pack.terminology.vocabulary.statuses.drug_negations
    tokens, gram = operand("tokens"), operand("gram")
    start = {"type": "Property", "path": "start", "source": gram}
    end = {"type": "Property", "path": "end", "source": gram}
    before = call("Token", tokens, op("Subtract", start, number(1)))
    negating = all_of([op("Greater", start, number(0)), is_in(before, sorted(words.before))])
    free = all_of(
        [op("Less", end, _counted(tokens)), is_in(call("Token", tokens, end), sorted(words.after))]
    )
    return any_of([negating, free])


def _matches() -> Node:
    """Phrases that are names, each with its place; a shorter one inside a longer is none."""
    names = query(call("Grams", operand("tokens")), "G", one_in(of("G", "code"), PHRASES))
    placed = any_of(
        [
            negated(one_in(of("G", "code"), LEADING)),
            call("Leads", operand("tokens"), of("G", "start")),
        ]
    )
    return query(names, "G", placed)


def _phrases() -> Node:
    tokens = operand("tokens")
    matches = call("Matches", tokens)
    overlaps = all_of([op("LessOrEqual", of("K", "start"), of("G", "start")),
                       op("Less", of("G", "start"), of("K", "end"))])  # fmt: skip
    longer = any_of([op("Less", of("K", "start"), of("G", "start")),
                     op("Greater", of("K", "end"), of("G", "end"))])  # fmt: skip
    covered = exists(query(matches, "K", all_of([overlaps, longer])))
    kept = all_of([negated(covered), negated(call("Denied Name", tokens, alias("G")))])
    return query(matches, "G", kept, of("G", "code"))


def _another() -> Node:
    return exists(query(call("Grams", operand("tokens")), "G", one_in(of("G", "code"), OTHERS)))


def _drug_names() -> Node:
    """The texts of all concepts, each as tokens."""
    texts_of = query(operand("concepts"), "E", give=call("All Said", alias("E")))
    return query(or_empty(flat(texts_of)), "N", give=call("Tokens", alias("N")))


def _coded(pack: Pack, sets: Sets) -> Node:
    held = [any_in(operand("codes"), KNOWN)]
    for set_id in drug_sets(pack):
        value_set = pack.terminology.value_set(set_id)
        if value_set.below:
            sets.holds("M", [set_id])
            held.append(any_in(operand("stems"), f"{set_id}-stems"))
    return any_of(held)


def _ingredients_by(sets: Sets) -> Node:
    """The ingredients that codes or phrases stand for."""
    each = [
        when(any_in(operand("told"), set_id), text(name), NULL)
        for name, set_id in sorted(sets.ingredients.items())
    ]
    return query(listed(each), "I", given(alias("I")))


def _ingredients() -> Node:
    """The ingredients of a medication entry: by its codes, else by its names."""
    codes, phrases = (prop(operand("entry"), key) for key in ("codes", "phrases"))
    told = cases(
        [
            (prop(operand("entry"), "disputed"), flat(listed([codes, phrases]))),
            (prop(operand("entry"), "coded"), codes),
        ],
        phrases,
    )
    return call("Ingredients by", told)


def _agree(pack: Pack, sets: Sets) -> Node:
    """Whether codes and names are of one drug set, or both of none."""
    codes, phrases = operand("codes"), operand("phrases")
    pairs = [all_of([any_in(codes, OUTSIDE), any_in(phrases, phrases_of(OUTSIDE))])]
    for set_id in drug_sets(pack):
        if phrases_of(set_id) in sets.by_id:
            sets.holds("M", [set_id])
            pairs.append(all_of([any_in(codes, set_id), any_in(phrases, phrases_of(set_id))]))
    return any_of(pairs)
