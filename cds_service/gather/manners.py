"""How to ask servers that refuse a prefetch template: the manners of real ones, as data.

A query that gets HTTP 400 is asked again in the next form of its type, with `patient` and no more
parameters than the form names. A wider answer does no harm, because `facts` reads dates, codes and
states itself; a narrower one is said (`lacks`). A list of codes is asked again also after 403, 404
or 414, which servers and the fronts before them answer to a long address: as a form (POST
_search), then a few codes at a time, then by category. Sources: US Core (MedicationRequest needs
`intent`), Epic and IPA (Observation needs `category` or `code`), servers that refuse `_sort` and
`_count`.

The rest of their manners needs no table: no MedicationStatement (404) is `not-offered`, odd next
links are read by `urls`, and a 429 makes `reader` ask for one thing at a time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Form:
    """A query without its patient. `lacks` names what it may leave out, else ""."""

    parameters: str
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask for, relative to the base: "Patient/1" or "Condition?patient=1".

    `more` are searches that bring the rest of it. `post`: the query goes into the body of a POST.
    """

    relative: str
    lacks: str = ""
    more: tuple[str, ...] = ()
    post: bool = False


_ANY = Form("")
FORMS: dict[str, tuple[Form, ...]] = {
    "Condition": (_ANY,),
    "MedicationRequest": (Form("&intent=order,plan"), _ANY),
    "MedicationStatement": (_ANY,),
    "Observation": (Form("&category=laboratory", lacks="other than laboratory results"),),
    "Procedure": (_ANY,),
    "ServiceRequest": (Form("&status=active,on-hold"), _ANY),
}

_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_CODES = re.compile(r"[?&]code=([^&]+)")
FEW_CODES = 8  # an address of some 300 characters
_SEARCH = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?.*?\bpatient=(?P<patient>[^&]+)")


def queries(template: str, context: Callable[[str], str]) -> tuple[Query, ...]:
    """The forms of a prefetch template, best first; none when a token has no value.

    `context` gives the value of a token such as "context.patientId", or "".
    """
    values = {token: context(token) for token in _TOKEN.findall(template)}
    if not all(values.values()):
        return ()
    first = _TOKEN.sub(lambda match: quote(values[match[1]], safe=""), template)
    search = _SEARCH.match(first)
    forms = FORMS.get(search["type"], ()) if search else ()
    others = [
        Query(f"{search['type']}?patient={search['patient']}{form.parameters}", form.lacks)
        for form in forms
        if search
    ]
    others = [query for query in others if query.relative != first]
    return (Query(first), *_of_long_list(first), *others)


def _of_long_list(query: str) -> tuple[Query, ...]:
    """The same search for many codes without its long address; nothing for another search."""
    listed = _CODES.search(query)
    codes = listed[1].split(",") if listed else []
    if listed is None or len(codes) <= FEW_CODES:
        return ()
    before, after = query[: listed.start(1)], query[listed.end(1) :]
    parts = [codes[start : start + FEW_CODES] for start in range(0, len(codes), FEW_CODES)]
    first, *more = [f"{before}{','.join(part)}{after}" for part in parts]
    return Query(query, post=True), Query(first, more=tuple(more))
