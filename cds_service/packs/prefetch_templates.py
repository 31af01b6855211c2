"""Prefetch templates in force: they ask for every result that a fact of the pack reads.

A fact that a site adds would never be found if no EHR were asked for its codes, and nobody would
notice. So the codes are added to the templates that EHRs read in discovery: where there is room,
else to templates of their own. None gets longer than servers take.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any
from urllib.parse import quote

from cds_service.packs.source import Entry, obj, seq, word
from cds_service.terminology.index import Terminology

Json = Any

LONGEST = 1_000  # bytes when encoded; common web servers answer 404 above 2,048
_LONGEST_ID = "x" * 64  # characters of a FHIR id
_TOKEN = "{{context.patientId}}"
_NEW = f"Observation?patient={_TOKEN}&code=CODE&_count=200"
_NEW_KEY = "siteResults"
_RESULTS = ("quantity", "coded")


def in_force(
    prefetch: Mapping[str, str], facts: Iterable[Entry], terminology: Terminology
) -> dict[str, str]:
    """The templates, with the codes of results that they do not name yet."""
    templates = dict(prefetch)
    places = [key for key, template in templates.items() if asks_for_results(template)]
    if not places:
        return templates
    asked = {code for key in places for code in codes(templates[key])}
    for code in _codes_of(facts, terminology):
        if code not in asked:
            _add(templates, places, code)
    return templates


def encoded_length(template: str) -> int:
    """Bytes of a template in a request's address, with the longest id that a patient may have."""
    return len(quote(template.replace(_TOKEN, _LONGEST_ID), safe="/?&=:,"))


def asks_for_results(template: str) -> bool:
    """Whether a template searches for Observations by their codes."""
    return template.startswith("Observation?") and template.count("code=") == 1


def codes(template: str) -> list[str]:
    """The codes that a template names, as `system|code`."""
    return template.partition("code=")[2].partition("&")[0].split(",")


def _add(templates: dict[str, str], places: list[str], code: str) -> None:
    """To the last template that has room, in a place of its own where none has."""
    for key in reversed(places):
        longer = _with(templates[key], code)
        if encoded_length(longer) <= LONGEST:
            templates[key] = longer
            return
    names = (_NEW_KEY if number == 1 else f"{_NEW_KEY}{number}" for number in count(1))
    key = next(name for name in names if name not in templates)
    templates[key] = _NEW.replace("CODE", code)
    places.append(key)


def _with(template: str, code: str) -> str:
    before, mark, rest = template.partition("code=")
    named, following, others = rest.partition("&")
    return f"{before}{mark}{named},{code}{following}{others}"


def _codes_of(facts: Iterable[Entry], terminology: Terminology) -> list[str]:
    tokens: dict[str, None] = {}
    for entry in facts:
        data = obj(entry.data)
        if data.get("kind") not in _RESULTS:
            continue
        for name in [word(data.get("valueSet")), *map(word, seq(data.get("valueSets")))]:
            if terminology.has_set(name):
                concepts = terminology.value_set(name).concepts
                tokens.update(dict.fromkeys(f"{system}|{code}" for system, code in concepts))
    return list(tokens)
