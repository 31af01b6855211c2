"""Code systems under their own address, whatever a record calls them: `code-systems.json`.

Real records name one code system in many ways (http and https, OIDs, local addresses that carry
standard codes); the rest of the program sees only the canonical address. Nothing here raises.
"""

import re
from typing import Any

from cds_service.terminology.codings import (
    ATC,
    CANONICAL,
    CPT,
    ICD9CM,
    ICD10,
    ICD10CM,
    ICD10GM,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
    bare_system,
    canonical_code,
    codings_as_sent,
)
from cds_service.terminology.word_lists import Lists, words_of

EDITIONS = "snomed-ct-editions"  # beginnings of addresses, behind which an edition stands
SYSTEMS = {
    "icd-10-cm": ICD10CM, "icd-10": ICD10, "icd-10-gm": ICD10GM, "icd-9-cm": ICD9CM,
    "snomed-ct": SNOMED, "rxnorm": RXNORM, "loinc": LOINC, "atc": ATC, "ndc": NDC, "cpt": CPT,
}  # fmt: skip
LISTS = (*SYSTEMS, EDITIONS)
APART = tuple((first, second) for first in SYSTEMS for second in SYSTEMS if first < second)
_SCHEME = re.compile(r"^https?://(?:www\.)?")
_OID = re.compile(r"(?:urn:)?(?:oid:)?([0-2](?:\.[0-9]+){3,})", re.ASCII)


def address_key(address: str) -> str:
    """An address as it is compared: no scheme, "www.", version or slash at the end, lower case;
    OIDs in one of their ways of writing."""
    bare = address.split("|", 1)[0].strip().rstrip("/").lower()
    number = _OID.fullmatch(bare)
    return f"urn:oid:{number[1]}" if number else _SCHEME.sub("", bare)


OWN = {address_key(system): system for system in CANONICAL}


class CodeSystems:
    """The addresses in force, compiled. Immutable."""

    def __init__(self, lists: Lists) -> None:
        self._known = dict(OWN)
        for name, system in SYSTEMS.items():
            self._known |= {address_key(address): system for address in words_of(lists, name)}
        self.editions = tuple(f"{address_key(text)}/" for text in words_of(lists, EDITIONS))

    def canonical(self, system: Any) -> str:
        """The canonical address of a code system; an unknown one as sent; "" for no string."""
        if not isinstance(system, str):
            return ""
        if system in CANONICAL:
            return system
        sent = system.strip()
        key = address_key(sent)
        # A SNOMED CT edition or version: http://snomed.info/sct/731000124108/version/20250901
        return self._known.get(key) or (SNOMED if key.startswith(self.editions) else sent)

    def codings(self, concept: Any) -> list[tuple[str, str, str]]:
        """All codings of a value as (canonical system, code, display), in order, each once.

        Accepts a CodeableConcept, a Coding, an R5 CodeableReference, a list of any of these, or
        anything else (no codings). A coding without a code is left out; one without a system is
        kept with the system "".
        """
        names: dict[tuple[str, str], str] = {}
        for coding in codings_as_sent(concept):
            system = self.canonical(coding.get("system"))
            code = canonical_code(system, coding.get("code"))
            if code and not system:
                system = bare_system(code)
            if code:
                display = coding.get("display")
                known = names.get((system, code))
                names[system, code] = known or (display.strip() if isinstance(display, str) else "")
        return [(system, code, name) for (system, code), name in names.items()]

    def keys_of(self, system: str) -> list[str]:
        """The keys of the addresses of a canonical system, sorted."""
        return sorted(key for key, known in self._known.items() if known == system)

    def addresses(self) -> frozenset[str]:
        """Every address by which a code system may be named, as written in full."""
        keys = (key for key in self._known if not key.startswith("urn:"))
        return CANONICAL | frozenset(f"http://{key}" for key in keys)
