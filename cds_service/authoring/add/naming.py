"""How additions are named, and how codes are written on the command line."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from cds_service.errors import ConfigurationError
from cds_service.ruletests.sketch_values import SYSTEMS
from cds_service.terminology.codings import bare_system, canonical_code
from cds_service.terminology.word_lists import Canonical

Json = Any

BASE = "https://hospital.example.org"
_DIGITS = re.compile(r"[0-9]+")


class Coded(NamedTuple):
    """A code as a value set lists it."""

    system: str
    code: str
    display: str = ""

    @property
    def sketch(self) -> str:
        """As the charts of tests write it; "" for a system that they have no word for."""
        word = next((word for word, system in SYSTEMS.items() if system == self.system), "")
        return f"{word}:{self.code}" if word else ""


def coded(written: str, default: str, canonical: Canonical) -> Coded:
    """ "loinc:1989-3", "http://lab.example.org|VITD" or "1989-3", each with "=its name" if wanted.

    A bare number is of the `default` system. Raises ConfigurationError for what names no system.
    """
    text, _, display = written.partition("=")
    system, bar, code = text.strip().rpartition("|")
    word, colon, rest = code.partition(":")
    if not bar and colon and word in SYSTEMS:
        system, code = SYSTEMS[word], rest
    system = canonical(system) or bare_system(code)
    if not system and _DIGITS.fullmatch(code):
        system = default
    if not system:
        raise ConfigurationError(
            f"'{written}' does not say which code system it is of.",
            f"Write SYSTEM|CODE, or one of {', '.join(f'{word}:CODE' for word in SYSTEMS)}.",
        )
    return Coded(system, canonical_code(system, code), display.strip())


def slug(name: str) -> str:
    """A name as ids and files have it: "25-OH vitamin D" -> "25-oh-vitamin-d"."""
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not letters:
        raise ConfigurationError(f"'{name}' has no letter that a name could be made of.")
    return letters


def value_set(set_id: str, title: str, today: date, includes: Iterable[Json], **more: Json) -> Json:
    """A FHIR ValueSet of the site."""
    return {
        "resourceType": "ValueSet",
        "id": set_id,
        **more,
        "url": f"{BASE}/ValueSet/{set_id}",
        "version": today.isoformat(),
        "title": title,
        "status": "active",
        "compose": {"include": list(includes)},
    }


def includes(codes: Iterable[Coded]) -> list[Json]:
    """The codes by system."""
    by_system: dict[str, list[Json]] = {}
    for entry in codes:
        concept = {"code": entry.code, **({"display": entry.display} if entry.display else {})}
        by_system.setdefault(entry.system, []).append(concept)
    return [{"system": system, "concept": concepts} for system, concepts in by_system.items()]
