"""Names of entries as codes: an entry without a known code may be told by its words.

The words of a name, in lower case and singular, stand as a code of a code system of their own, so
that a value set can list the names of a problem or a result and any engine can look them up.
"""

from collections.abc import Iterable

from cds_service.portable.elm import (
    FALSE,
    TRUE,
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
    of,
    op,
    operand,
    prop,
    query,
    text,
    texts,
)
from cds_service.portable.reading_codes import flat, or_empty, replaced
from cds_service.portable.sets import Sets
from cds_service.rules.model import Pack
from cds_service.terminology.codings import CPT, LOINC, SNOMED
from cds_service.terminology.entry_names import ADDED, ASIDE, Names

WORDS = "https://cds.legcramps.example/CodeSystem/words"
PROBLEMS, RESULTS = "names-of-problems", "names-of-results"
CODED, LISTED = "results-asked-for", "codes-of-any-set"
_LETTER = "a-z0-9\u00b5-\u024f"
_SORTS = r"\((finding|disorder|observable entity|procedure|situation|event)\)\s*$"
_UNITS = r"[(\[]([^()\[\]]*/[^()\[\]]*|%)[)\]]"
_SINGULAR = f"([{_LETTER}]{{2}}[a-rt-z0-9\u00b5-\u024f])s(?= |$)"


def names_of(set_id: str) -> str:
    """The id of the set of a set's names."""
    return f"{set_id}-names"


def declare(pack: Pack, sets: Sets) -> None:
    """Add the value sets of names, and those that tell whether a code says something else."""
    problems = pack.terminology.names_of_problems(pack.catalogue.readers["conditions"])
    results = pack.terminology.names_of_results(pack.catalogue.results)
    _declare(sets, problems, PROBLEMS, "Names of problems")
    _declare(sets, results, RESULTS, "Names of results")
    wanted = [s for s in pack.catalogue.readers["observations"] if pack.terminology.has_set(s)]
    asked = {key: name for set_id in wanted for key, name in sets.codes(set_id).items()}
    sets.named(CODED, "Results that some fact asks for", asked, "")
    every = {
        key: name
        for set_id in pack.terminology.set_ids()
        for key, name in pack.terminology.value_set(set_id).concepts.items()
        if key[0] in (LOINC, SNOMED, CPT)
    }
    sets.named(LISTED, "Codes of any value set", every, "")


def _declare(sets: Sets, names: Names, whole: str, title: str) -> None:
    by_set: dict[str, dict[tuple[str, str], str]] = {}
    for words, set_ids in names.entries().items():
        for set_id in set_ids:
            by_set.setdefault(set_id, {})[WORDS, " ".join(words)] = ""
    told = "words in lower case and singular, as this package compares them"
    sets.named(
        whole, title, {key: "" for codes_of_set in by_set.values() for key in codes_of_set}, told
    )
    for set_id, codes in by_set.items():
        sets.named(names_of(set_id), f"{title}: {set_id}", codes, told)


def statements(pack: Pack, sets: Sets) -> list[Node]:
    """The functions on names."""
    lists = pack.terminology.names
    return [
        function("Worded", ["said"], _worded()),
        function("All Said", ["concept"], _all_said()),
        function("Names", ["concept"], _names(lists.qualifiers)),
        function("Result Names", ["concept"], _names_without(lists.ignored)),
        function("Of Another Kind", ["concept"], _foreign(lists.foreign)),
        function("Denies", ["concept"], _denies(lists.denials)),
        function("Disputed", ["codes", "names", "concept"], _disputed(pack, sets)),
    ]


def _worded() -> Node:
    bare = replaced(replaced(op("Lower", operand("said")), _SORTS, ""), _UNITS, " ")
    words = replaced(replaced(bare, f"[^{_LETTER}]+", " "), r"^\s+|\s+$", "")
    return replaced(replaced(words, "[ao]e|[\u00e6\u0153]", "e"), _SINGULAR, "$1")


def _all_said() -> Node:
    shown = query(
        prop(operand("concept"), "coding"),
        "D",
        given(of("D", "display.value")),
        of("D", "display.value"),
    )
    own = query(listed([prop(operand("concept"), "text.value")]), "T", given(alias("T")))
    return flat(listed([own, or_empty(shown)]))


def _names(qualifiers: Iterable[str]) -> Node:
    """With the words that say of what course and severity a problem is, and without; and both
    without what is added behind the name."""
    said = call("All Said", operand("concept"))
    if not qualifiers:
        return _named(said)
    bare = query(said, "N", give=replaced(alias("N"), ADDED, ""))
    both = flat(listed([said, bare]))
    return flat(listed([_named(both), _named_without(qualifiers, both)]))


def _named(said: Node) -> Node:
    return query(said, "N", give=code(text(WORDS), call("Worded", alias("N"))))


def _names_without(ignored: Iterable[str]) -> Node:
    return _named_without(ignored, call("All Said", operand("concept")))


def _named_without(ignored: Iterable[str], said: Node) -> Node:
    longest_first = sorted(sorted(ignored), key=len, reverse=True)  # in one order for each pack
    pattern = f" ({'|'.join(longest_first)})(?= )"
    spaced = op("Concatenate", text(" "), call("Worded", alias("N")), text(" "))
    kept = replaced(replaced(spaced, pattern, ""), r"^\s+|\s+$", "")
    return query(said, "N", give=code(text(WORDS), kept))


def _spaced(name: str) -> Node:
    return op("Concatenate", text(" "), call("Worded", alias(name)), text(" "))


def _foreign(words: Iterable[str]) -> Node:
    """Words of another kind, what comes with a result left out."""
    named = call("Names One", replaced(_spaced("N"), ASIDE, " "), texts(sorted(words)))
    return exists(query(call("All Said", operand("concept")), "N", named))


def _denies(phrases: Iterable[tuple[str, ...]]) -> Node:
    wanted = texts(sorted(" ".join(words) for words in phrases))
    return exists(
        query(call("All Said", operand("concept")), "N", call("Names One", _spaced("N"), wanted))
    )


def _disputed(pack: Pack, sets: Sets) -> Node:
    """Whether words say that a result is one that its codes do not say it to be."""
    codes, names = operand("codes"), operand("names")
    measured = [set_id for set_id in sorted(pack.catalogue.results) if _declared(sets, set_id)]
    agree = [
        all_of([any_in(codes, set_id), any_in(names, names_of(set_id))])
        for set_id in measured
        if names_of(set_id) in sets.by_id
    ]
    foreign = call("Of Another Kind", operand("concept"))
    known = op("Or", any_in(codes, CODED), negated(any_in(codes, LISTED)))
    apart = all_of([negated(any_of(agree)), known, negated(foreign)])
    coded = any_of([any_in(codes, set_id) for set_id in measured])
    return cases([(all_of([coded, foreign]), TRUE), (any_in(names, RESULTS), apart)], FALSE)


def _declared(sets: Sets, set_id: str) -> bool:
    sets.holds("R", [set_id])
    return True
