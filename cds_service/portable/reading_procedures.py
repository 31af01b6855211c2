"""What was done: Procedures, and reports of what was examined."""

from cds_service.portable.elm import (
    Node,
    call,
    define,
    listed,
    of,
    op,
    query,
    retrieve,
    text,
    tuple_of,
)
from cds_service.portable.reading_codes import either, flat, is_in, with_codes

_DONE = {
    "Procedure": ("completed", "in-progress"),
    "DiagnosticReport": ("final", "amended", "corrected", "appended"),
}


def statements() -> list[Node]:
    """Procedures and reports, each a tuple."""
    return [define("Procedures", _procedures())]


def _procedures() -> Node:
    done = query(
        retrieve("Procedure"), "P", _status("P", "Procedure"), _procedure("P", "performed")
    )
    reports = query(
        retrieve("DiagnosticReport"),
        "R",
        _status("R", "DiagnosticReport"),
        _procedure("R", "effective"),
    )
    return flat(listed([done, reports]))


def _status(name: str, kind: str) -> Node:
    return is_in(op("Lower", of(name, "status.value")), _DONE[kind])


def _procedure(name: str, key: str) -> Node:
    moment = call("Moment", of(name, key))
    if key == "effective":
        moment = either(moment, of(name, "issued.value"))
    return tuple_of(
        {
            **with_codes(call("Codings", of(name, "code"))),
            "age": call("Past", call("Age", moment)),
            "status": op("Lower", of(name, "status.value")),
            "source": text("procedure" if key == "performed" else "report"),
        }
    )
