"""The picker of Try: what the pack knows under a few letters, ready to be put into the chart.

"ferr 52" gives ferritin with a value of 52 in the pack's own unit.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cds_service.authoring.rule_list import rows
from cds_service.authoring.terminology.find import Hit, find
from cds_service.facts.definitions import FactDefinition, Quantity
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
    far: int = 0  # how far the name is from the letters: 0 begins with them, 2 has them in a word

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
    by_code: dict[tuple[str, str, str], Pick] = {}
    for pick in (*_by_title(pack, words, value), *_by_code(pack, words, value)):
        key = (pick.kind, pick.system, pick.code or pick.name)
        first = by_code.setdefault(key, pick)
        by_code[key] = replace(first, rules=max(first.rules, pick.rules))
    return sorted(by_code.values(), key=lambda pick: _rank(pick, bool(value)))[:MOST]


def _rank(pick: Pick, measured: bool) -> tuple[bool, int, int]:
    """Names that have the letters inside a word last. Results first where a number was written,
    draft orders after what is on file."""
    if pick.kind == "result":
        return pick.far > 1, (0 if measured else 1), pick.far
    return pick.far > 1, {"problem": 1, "drug": 1}.get(pick.kind, 2), pick.far


def _far(name: str, words: str) -> int:
    name, words = name.casefold(), words.casefold()
    if name.startswith(words):
        return 0
    return 1 if re.search(rf"\b{re.escape(words)}", name) or words not in name else 2


def _by_title(pack: Pack, words: str, value: str) -> Iterator[Pick]:
    uses = Counter(name for row in rows(pack) for name in row.facts)
    for name, fact in pack.catalogue.facts.items():
        if isinstance(fact, Quantity) and fact.computed is not None:
            continue  # no entry of its own: it is worked out of others
        if _called(name, fact, words.casefold()):
            coded = entries.example(pack, fact)
            for kind in _KINDS.get(fact.kind, ()) if coded else ():
                pick = Pick(kind, *(coded or ("", "", "")), _with_unit(fact, value), uses[name])
                yield replace(pick, far=_meant(pick, fact, words.casefold()))


def _called(name: str, fact: FactDefinition, words: str) -> bool:
    """Whether the title has a word that begins so, or the fact's name is the word: "ck", "abi"."""
    title = fact.title.casefold()
    return title.startswith(words) or f" {words}" in title or words in re.split(r"[.-]", name)


def _meant(pick: Pick, fact: FactDefinition, words: str) -> int:
    """A test is meant by its title; a drug "that provokes cramps" is not what "cramp" asks for."""
    if words in pick.name.casefold() or isinstance(fact, Quantity):
        return 0
    return 1 if fact.title.casefold().startswith(words) else 2


def _by_code(pack: Pack, words: str, value: str) -> Iterator[Pick]:
    for hit in find(pack, words):
        if hit.system in (ATC, NDC):
            continue  # classes and packages: RxNorm has the drug itself
        facts = [pack.catalogue.facts[name] for name in hit.facts]
        kinds = dict.fromkeys(kind for fact in facts for kind in _KINDS.get(fact.kind, ()))
        measured = next((fact for fact in facts if isinstance(fact, Quantity)), None)
        fits = measured is None or entries.fits(hit.name, measured.unit)
        if value and not fits:
            continue  # "52" with the pack's unit would be another result than the code's name says
        for kind in kinds:
            shown = _with_unit(measured, value) if kind == "result" and measured and fits else ""
            system, code = ("", "") if hit.system == INGREDIENT else (hit.system, hit.code)
            far = _far(_name(hit), words)
            yield Pick(kind, system, code, _name(hit), shown, len(hit.rules), far)


def _name(hit: Hit) -> str:
    return hit.name or hit.code


def _with_unit(fact: FactDefinition, value: str) -> str:
    if not isinstance(fact, Quantity):
        return ""
    unit = "" if fact.unit in ("1", "{ratio}") else fact.unit
    return f"{value} {unit}".rstrip()
