"""How to ask servers that refuse a prefetch template: the manners of real ones, as data.

A query that gets HTTP 400 is asked again in the next form of its type, with `patient` and no more
parameters than the form names. A wider answer does no harm, because `facts` reads dates, codes and
states itself; a narrower one is said (`lacks`). Sources: US Core (MedicationRequest needs
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
    """What to ask for, relative to the base: "Patient/1" or "Condition?patient=1"."""

    relative: str
    lacks: str = ""


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
    return (Query(first), *(query for query in others if query.relative != first))
