"""Prefetch templates in force: they ask for every result that a fact of the pack reads.

A fact that a site adds would never be found if no EHR were asked for its codes, and nobody would
notice. So the codes are added to the template that EHRs read in discovery.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.packs.source import Entry, obj, seq, word
from cds_service.terminology.index import Terminology

Json = Any

_KEY = "observations"
_PARAMETER = "code="
_RESULTS = ("quantity", "coded")


def in_force(
    prefetch: Mapping[str, str], facts: Iterable[Entry], terminology: Terminology
) -> dict[str, str]:
    """The templates, with the codes of results that they do not name yet."""
    template = prefetch.get(_KEY, "")
    address, _, query = template.partition("?")
    parts = query.split("&")
    places = [number for number, part in enumerate(parts) if part.startswith(_PARAMETER)]
    if len(places) != 1:
        return dict(prefetch)
    asked = parts[places[0]].removeprefix(_PARAMETER).split(",")
    missing = [code for code in _codes(facts, terminology) if code not in set(asked)]
    if not missing:
        return dict(prefetch)
    parts[places[0]] = _PARAMETER + ",".join([*asked, *missing])
    return {**prefetch, _KEY: f"{address}?{'&'.join(parts)}"}


def _codes(facts: Iterable[Entry], terminology: Terminology) -> list[str]:
    codes: dict[str, None] = {}
    for entry in facts:
        data = obj(entry.data)
        if data.get("kind") not in _RESULTS:
            continue
        for name in [word(data.get("valueSet")), *map(word, seq(data.get("valueSets")))]:
            if terminology.has_set(name):
                concepts = terminology.value_set(name).concepts
                codes.update(dict.fromkeys(f"{system}|{code}" for system, code in concepts))
    return list(codes)
