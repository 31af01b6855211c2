"""How the package reads codes: canonical systems, tidy codes, and the beginnings of codes.

A value set may hold all codes below a beginning ("E11" of ICD-10-CM). No engine can expand that
without the code system, so a coding carries its own beginnings ("stems"), and a second value set
holds those that count.
"""

from collections.abc import Iterable, Iterator

from cds_service.portable.elm import (
    Node,
    alias,
    all_of,
    any_of,
    as_fhir,
    call,
    cases,
    code,
    exists,
    function,
    gather,
    given,
    listed,
    number,
    of,
    op,
    operand,
    prop,
    query,
    text,
    texts,
    tuple_of,
    when,
)
from cds_service.terminology.code_systems import CodeSystems
from cds_service.terminology.codings import ATC, CANONICAL, ICD10_EDITIONS, SNOMED
from cds_service.terminology.word_lists import CHECKED, Code

LONGEST_STEM = 8  # characters; neither ICD-10 nor ATC has longer codes
_OID = "urn:oid:"
_STEMMED = sorted({*ICD10_EDITIONS, ATC})


def statements(systems: CodeSystems) -> list[Node]:
    """The functions on codes."""
    return [
        function("System Key", ["system"], _key(operand("system"))),
        function("Canonical System", ["system"], _canonical_system(systems)),
        function("Canonical Code", ["system", "value"], _canonical_code()),
        function("Stems", ["system", "value"], _stems()),
        function("Coding", ["system", "value"], _coding()),
        function("Codings", ["concept"], _codings()),
        function("Plain Codes", ["concept"], _plain_codes()),
        function("Said", ["concept"], _said()),
        function("Concept of", ["value"], as_fhir(operand("value"), "CodeableConcept")),
        function("Codes of", ["codings"], _codes_of()),
        function("Stems of", ["codings"], _stems_of()),
        function("Any Code", ["concepts"], _any_code()),
        function("All Codings", ["concepts"], _all_codings()),
    ]


def either(*options: Node) -> Node:
    """The first of several values that is there."""
    return op("Coalesce", *options)


def or_empty(source: Node) -> Node:
    """A list; an empty one where there is none."""
    return op("Coalesce", source, listed([]))


def replaced(source: Node, pattern: str, by: str) -> Node:
    """A string with all matches of a regular expression replaced."""
    return op("ReplaceMatches", source, text(pattern), text(by))


def is_in(element: Node, values: Iterable[str]) -> Node:
    """Whether a string is one of several."""
    return op("In", element, texts(values))


def listed_code(name: str, codes: Iterable[Code], inside: str = "") -> Node:
    """Whether an element's code is one of a list; those with a check digit count under any address.

    `inside`: the path to the code in the element, with its dot.
    """
    code, system = of(name, f"{inside}code"), of(name, f"{inside}system")
    known = list(codes)
    checked = [known_code.code for known_code in known if known_code.system in CHECKED]
    own = [
        all_of(
            [op("Equal", code, text(known_code.code)), op("Equal", system, text(known_code.system))]
        )
        for known_code in known
        if known_code.system not in CHECKED
    ]
    return any_of([is_in(code, checked), *own])


def with_codes(codings: Node) -> dict[str, Node]:
    """The elements of a tuple that tell its codes."""
    return {
        "codings": codings,
        "codes": call("Codes of", codings),
        "stems": call("Stems of", codings),
    }


def body_sites(concepts: Node) -> dict[str, Node]:
    """Where on the body: how many sites, and each with its codes and words."""
    codings = call("Codings", alias("B"))
    sites = query(
        concepts,
        "B",
        give=tuple_of({**with_codes(codings), "words": call("Said", alias("B"))}),
    )
    return {"sites": or_empty(sites)}


def has_code(codes: Node, values: tuple[str, ...]) -> Node:
    """Whether one of an element's codes is one of several."""
    return exists(query(codes, "S", is_in(alias("S"), values)))


def flat(source: Node) -> Node:
    """A list of lists as one list."""
    return op("Flatten", source)


def _key(system: Node) -> Node:
    before: Node = {"type": "Split", "stringToSplit": system, "separator": text("|")}
    bare = replaced(gather("First", before), r"^\s+|[\s/]+$", "")
    return replaced(op("Lower", bare), r"^https?://(www\.)?", "")


def _canonical_system(systems: CodeSystems) -> Node:
    system = operand("system")
    key = call("System Key", system)
    known = [
        (is_in(key, _spellings(systems, canonical)), text(canonical))
        for canonical in sorted(CANONICAL)
    ]
    editions = any_of([op("StartsWith", key, text(start)) for start in systems.editions])
    return cases(
        [(is_in(system, sorted(CANONICAL)), system), *known, (editions, text(SNOMED))],
        either(system, text("")),
    )


def _spellings(systems: CodeSystems, canonical: str) -> list[str]:
    return sorted({way for key in systems.keys_of(canonical) for way in _ways(key)})


def _ways(key: str) -> Iterator[str]:
    yield key
    if key.startswith(_OID):
        bare = key.removeprefix(_OID)
        yield from (bare, f"oid:{bare}", f"urn:{bare}")


def _canonical_code() -> Node:
    system, trimmed = operand("system"), replaced(operand("value"), r"^\s+|\s+$", "")
    upper = replaced(op("Upper", trimmed), "[*!+\u2020#-]+$", "")
    dotted = replaced(upper, "^([A-Z][0-9][0-9A-Z])([0-9A-Z]{1,4})$", "$1.$2")
    return cases(
        [
            (is_in(system, sorted(ICD10_EDITIONS)), dotted),
            (op("Equal", system, text(ATC)), op("Upper", trimmed)),
        ],
        trimmed,
    )


def _stems() -> Node:
    system, value = operand("system"), operand("value")
    lengths = listed(number(length) for length in range(1, LONGEST_STEM + 1))
    beginning: Node = {
        "type": "Substring",
        "stringToSub": value,
        "startIndex": number(0),
        "length": alias("N"),
    }
    fits = op("LessOrEqual", alias("N"), op("Length", value))
    stems = query(lengths, "N", fits, code(system, beginning))
    return when(is_in(system, _STEMMED), stems, listed([]))


def _coding() -> Node:
    system, value = operand("system"), operand("value")
    return tuple_of({"code": code(system, value), "stems": call("Stems", system, value)})


def _codings() -> Node:
    system = call("Canonical System", of("D", "system.value"))
    value = call("Canonical Code", system, of("D", "code.value"))
    coding = prop(operand("concept"), "coding")
    return or_empty(query(coding, "D", given(of("D", "code.value")), call("Coding", system, value)))


def _plain_codes() -> Node:
    """Codes in lower case, whatever their system: statuses and the like."""
    coding = prop(operand("concept"), "coding")
    lower = op("Lower", of("D", "code.value"))
    return or_empty(query(coding, "D", given(of("D", "code.value")), lower))


def _said() -> Node:
    """All that a concept is called, as one text."""
    coding = prop(operand("concept"), "coding")
    shown = query(coding, "D", given(of("D", "display.value")), of("D", "display.value"))
    own = listed([prop(operand("concept"), "text.value")])
    together = flat(listed([own, or_empty(shown)]))
    return either({"type": "Combine", "source": together, "separator": text(" ")}, text(""))


def _codes_of() -> Node:
    return query(operand("codings"), "C", give=of("C", "code"))


def _stems_of() -> Node:
    return flat(query(operand("codings"), "C", give=of("C", "stems")))


def _any_code() -> Node:
    """Codes in lower case of a list of concepts."""
    plain = query(operand("concepts"), "E", give=call("Plain Codes", alias("E")))
    return either(flat(plain), listed([]))


def _all_codings() -> Node:
    all_of_them = query(operand("concepts"), "E", give=call("Codings", alias("E")))
    return either(flat(all_of_them), listed([]))
