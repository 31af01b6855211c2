"""The picker of Try: what the pack knows under a few letters, ready to be put into the chart.

"ferr 52" gives ferritin with a value of 52 in the pack's own unit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.authoring.terminology.find import Hit, find
from cds_service.facts.definitions import FactDefinition
from cds_service.rules.model import Pack
from cds_service.terminology.codings import ATC, INGREDIENT, NDC
from cds_service.workbench import entries
from cds_service.workbench.rows import system_name

MOST = 12
LEAST_LETTERS = 2
_KINDS: dict[str, tuple[entries.Kind, ...]] = {
    "problem": ("problem",),
    "drug": ("drug", "draft-drug"),
    "draft-drug": ("draft-drug",),
    "quantity": ("result",),
    "coded": ("result",),
    "procedure": ("procedure",),
    "order": ("order", "draft-test"),
    "draft-order": ("draft-test",),
}
WORDS: dict[entries.Kind, str] = {
    "problem": "problem",
    "drug": "drug in use",
    "result": "result",
    "procedure": "procedure",
    "order": "order on file",
    "draft-drug": "draft order",
    "draft-test": "draft order",
}
_NUMBER = re.compile(r"\s+(?P<value>[<>]=?\s*\d+(?:\.\d+)?|\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class Pick:
    """One entry that can be added."""

    kind: entries.Kind
    system: str
    code: str
    name: str
    value: str = ""  # with its unit
    rules: int = 0

    @property
    def word(self) -> str:
        """The kind as people call it."""
        return WORDS[self.kind]

    @property
    def where(self) -> str:
        """The code with its system's name."""
        return f"{system_name(self.system)} {self.code}" if self.code else "by name"


def picks(pack: Pack, asked: str) -> list[Pick]:
    """What can be added under these letters, tests and problems by their titles first."""
    number = _NUMBER.search(asked)
    words = (asked[: number.start()] if number else asked).strip()
    if len(words) < LEAST_LETTERS:
        return []
    value = number["value"].replace(" ", "") if number else ""
    found: dict[tuple[str, str, str], Pick] = {}
    for one in (*_by_title(pack, words, value), *_by_code(pack, words, value)):
        found.setdefault((one.kind, one.system, one.code or one.name), one)
    return sorted(found.values(), key=lambda one: _rank(one, bool(value)))[:MOST]


def _rank(one: Pick, measured: bool) -> int:
    """Results first where a number was written; draft orders after what is on file."""
    if one.kind == "result":
        return 0 if measured else 1
    return {"problem": 1, "drug": 1}.get(one.kind, 2)


def _by_title(pack: Pack, words: str, value: str) -> Iterator[Pick]:
    wanted = words.casefold()
    for fact in pack.catalogue.facts.values():
        if fact.title.casefold().startswith(wanted) or f" {wanted}" in fact.title.casefold():
            coded = entries.example(pack, fact)
            for kind in _KINDS.get(fact.kind, ()) if coded else ():
                system, code, name = coded or ("", "", "")
                yield Pick(kind, system, code, name, _with_unit(fact, value))


def _by_code(pack: Pack, words: str, value: str) -> Iterator[Pick]:
    for hit in find(pack, words):
        if hit.system in (ATC, NDC):
            continue  # classes and packages: RxNorm has the drug itself
        facts = [pack.catalogue.facts[name] for name in hit.facts]
        kinds = dict.fromkeys(kind for fact in facts for kind in _KINDS.get(fact.kind, ()))
        measured = next((fact for fact in facts if fact.kind == "quantity"), None)
        for kind in kinds:
            shown = _with_unit(measured, value) if kind == "result" and measured else ""
            system, code = ("", "") if hit.system == INGREDIENT else (hit.system, hit.code)
            yield Pick(kind, system, code, _name(hit), shown, len(hit.rules))


def _name(hit: Hit) -> str:
    return hit.name or hit.code


def _with_unit(fact: FactDefinition, value: str) -> str:
    if fact.kind != "quantity":
        return ""
    unit = "" if fact.unit in ("1", "{ratio}") else fact.unit
    return f"{value} {unit}".rstrip()
