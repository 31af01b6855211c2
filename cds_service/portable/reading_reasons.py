"""Encounters, and why an encounter or a draft order is: each reason with what it names."""

from cds_service.portable.elm import (
    FALSE,
    TRUE,
    Node,
    alias,
    call,
    define,
    exists,
    function,
    gather,
    given,
    listed,
    negated,
    of,
    op,
    operand,
    query,
    ref,
    retrieve,
    text,
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import flat, is_in, or_empty, with_codes
from cds_service.portable.reading_conditions import is_named


def statements() -> list[Node]:
    """Encounters; the reasons of encounters and of the draft under evaluation."""
    return [
        define("Encounter Classes", _classes()),
        define("Encounters", retrieve("Encounter")),
        function("Last Part", ["reference"], _last_part()),
        function("Coded Reasons", ["concepts", "counts"], _coded_reasons()),
        function("Named Reasons", ["references"], _named_reasons()),
        define("Encounter Reasons", _encounter_reasons()),
        define("Draft Reasons", _draft_reasons()),
    ]


def _classes() -> Node:
    counts = negated(is_in(op("Lower", of("E", "status.value")), ("entered-in-error", "cancelled")))
    return query(retrieve("Encounter"), "E", counts, op("Upper", of("E", "class.code.value")))


def _coded_reasons() -> Node:
    reason = tuple_of(
        {
            **with_codes(call("Codings", alias("Q"))),
            "verification": text("confirmed"),
            "counts": operand("counts"),
            "read": TRUE,
            "words": call("Said", alias("Q")),
            "names": call("Names", alias("Q")),
            "sites": listed([]),
        }
    )
    return or_empty(query(operand("concepts"), "Q", _says_something("Q"), reason))


def _says_something(name: str) -> Node:
    return op("Or", given(of(name, "text.value")), exists(or_empty(of(name, "coding"))))


def _last_part() -> Node:
    """The id at the end of a reference."""
    parts: Node = {
        "type": "Split",
        "stringToSplit": operand("reference"),
        "separator": text("/"),
    }
    return gather("Last", parts)


def _named_reasons() -> Node:
    """Reasons given by reference: the Conditions they lead to, or one that cannot be read."""
    identifier = call("Last Part", of("R", "reference.value"))
    conditions = query(ref("Conditions"), "C", op("Equal", of("C", "id"), identifier))
    keys = ("codings", "codes", "stems", "verification", "words", "names", "sites")
    kept = {key: of("F", key) for key in keys}
    readable = query(
        conditions, "F", give=tuple_of({**kept, "counts": TRUE, "read": is_named("F")})
    )
    nothing = listed([])
    unread = tuple_of(
        {
            "codings": nothing,
            "codes": nothing,
            "stems": nothing,
            "verification": text(""),
            "words": text(""),
            "names": nothing,
            "sites": nothing,
            "counts": FALSE,
            "read": FALSE,
        }
    )
    each = when(exists(conditions), readable, listed([unread]))
    return or_empty(flat(query(operand("references"), "R", give=each)))


def _encounter_reasons() -> Node:
    fine = negated(is_in(op("Lower", of("E", "status.value")), ("entered-in-error", "cancelled")))
    coded = call("Coded Reasons", of("E", "reasonCode"), op("Coalesce", fine, TRUE))
    named = call("Named Reasons", of("E", "reasonReference"))
    diagnoses = query(of("E", "diagnosis"), "D", give=of("D", "condition"))
    diagnosed = call("Named Reasons", or_empty(diagnoses))
    return flat(query(ref("Encounters"), "E", give=flat(listed([coded, named, diagnosed]))))


def _draft_reasons() -> Node:
    coded = call("Coded Reasons", of("D", "reasonCode"), TRUE)
    named = call("Named Reasons", of("D", "reasonReference"))
    return flat(query(ref("Drafts"), "D", give=flat(listed([coded, named]))))
