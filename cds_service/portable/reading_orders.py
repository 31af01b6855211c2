"""Orders of tests, and the drafts of the call."""

from cds_service.portable.elm import (
    Node,
    alias,
    all_of,
    call,
    define,
    function,
    listed,
    negated,
    of,
    op,
    operand,
    parameter,
    query,
    retrieve,
    text,
    tuple_of,
)
from cds_service.portable.reading_codes import either, flat, is_in, or_empty, with_codes

DRAFTS = "Draft Orders"
DRAFT = "Draft Order"


def statements() -> list[Node]:
    """Orders of tests, each a tuple; the draft under evaluation."""
    return [
        function("Order Words", ["concept"], _order_words()),
        define("Orders", _orders()),
        define("Drafts", _drafts()),
    ]


def reference_of(kind: str, name: str) -> Node:
    """ "ServiceRequest/draft-1" of the element at hand."""
    return op("Concatenate", text(f"{kind}/"), of(name, "id.value"))


def is_draft(kind: str, name: str) -> Node:
    """Whether the element at hand is a draft of the call."""
    return op("In", reference_of(kind, name), or_empty(parameter(DRAFTS)))


def _order_words() -> Node:
    """What an order is called, in lower case, each word between blanks."""
    tokens = call("Tokens", call("Said", operand("concept")))
    words = query(tokens, "T", negated(op("Matches", alias("T"), text("^[^a-z0-9]+$"))))
    joined: Node = {"type": "Combine", "source": words, "separator": text(" ")}
    return op("Concatenate", text(" "), either(joined, text("")), text(" "))


def _orders() -> Node:
    """Orders of tests; the drafts of the call among them."""
    reference = reference_of("ServiceRequest", "R")
    open_order = all_of(
        [
            is_in(op("Lower", of("R", "status.value")), ("active", "on-hold")),
            negated(op("IsTrue", of("R", "doNotPerform.value"))),
        ]
    )
    return query(
        retrieve("ServiceRequest"),
        "R",
        give=tuple_of(
            {
                **with_codes(call("Codings", of("R", "code"))),
                "spaced": call("Order Words", of("R", "code")),
                "draft": is_draft("ServiceRequest", "R"),
                "reference": reference,
                "open": op("IsTrue", open_order),
                "age": call("Past", call("Age", of("R", "authoredOn.value"))),
            }
        ),
    )


def _drafts() -> Node:
    """The order under evaluation: none in a hook without orders."""
    both = [
        query(retrieve(kind), "D", op("Equal", reference_of(kind, "D"), parameter(DRAFT)))
        for kind in ("ServiceRequest", "MedicationRequest")
    ]
    return flat(listed(both))
