"""Conditions in plain words, from the titles of facts and the settings in force.

Used by traces, `cds rules explain`, the source pages and the generated reference: whoever reads a
rule in any of them reads the same sentence.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.definitions import DraftDrug, FactDefinition
from cds_service.rules.durations import days_of
from cds_service.rules.model import Setting
from cds_service.rules.syntax import parts_of

Json = Any

_COMPARED = {"lt": "below", "le": "at or below", "gt": "above", "ge": "at or above"}
_PRESENT = {  # kind: (present, absent); {is}, {has} and {was} follow the number of the title
    "problem": ("{is} recorded", "{is} not recorded"),
    "drug": ("{is} in use", "{is} not in use"),
    "draft-drug": ("{is} being ordered", "{is} not being ordered"),
    "draft-order": ("{is} being ordered", "{is} not being ordered"),
    "order": ("{is} already ordered", "{is} not already ordered"),
    "procedure": ("{was} done", "{was} not done"),
    "quantity": ("{has} a usable value", "{has} no usable value"),
    "named": ("{is} on file", "{is} not on file"),
    "coded": ("{is} recorded as an observation", "{is} not recorded as an observation"),
    "code": ("{is} known", "{is} not known"),
    "number": ("{is} known", "{is} not known"),
}
_SAID = {  # of these kinds the title is a sentence already
    "flag": ("{title}", "not: {title}"),
    "answer": ("the questionnaire says: {title}", "the questionnaire does not say: {title}"),
}
_VERBS = {
    False: {"is": "is", "has": "has", "was": "was"},
    True: {"is": "are", "has": "have", "was": "were"},
}
# What a title says for lists, and the sentence says again.
_TAKEN_OFF = {
    "drug": ("active ", ""),
    "order": ("open order for ", ""),
    "draft-drug": ("", " (this order)"),
    "draft-order": ("", " (this order)"),
}
_HEAD = re.compile(r" (?:as|of|in|after|with|than)\b| \(|:")
_SINGULAR_ENDINGS = ("ss", "us", "is", "diabetes")


class Words:
    """Says conditions of one pack in words."""

    def __init__(
        self,
        catalogue: Catalogue,
        settings: Mapping[str, Setting],
        definitions: Mapping[str, Json],
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._definitions = definitions

    def sentence(self, condition: Json) -> str:
        """A whole condition on one line; definitions by their names."""
        if "title" in condition:
            return str(condition["title"])
        for key, word in (("all", " and "), ("any", " or ")):
            if key in condition:
                return self._joined(condition[key], word)
        if "not" in condition:
            return f"not: {self._bracketed(condition['not'])}"
        if "certainly" in condition:
            return f"certainly: {self._bracketed(condition['certainly'])}"
        return self.leaf(condition)

    def head(self, condition: Json) -> str:
        """A condition without its parts: what stands above them in a trace or a list."""
        if "title" in condition:
            return str(condition["title"])
        for key, word in (("all", "all of"), ("any", "any of"), ("not", "not")):
            if key in condition:
                return word
        return "certainly" if "certainly" in condition else self.leaf(condition)

    def leaf(self, condition: Json) -> str:
        """A condition without parts: "ferritin is below 50 ng/mL (setting ferritin.low)"."""
        if "fact" in condition:
            return self._fact(condition)
        if "setting" in condition:
            state = "on" if condition.get("is", True) else "off"
            return f"the switch {condition['setting']} is {state}"
        return self.definition(condition["is"])

    def definition(self, name: str) -> str:
        """A definition by its title, or by its name in words."""
        title = self._definitions[name].get("title") if name in self._definitions else None
        return str(title or name.replace("-", " "))

    def outline(self, condition: Json, depth: int = 0) -> list[tuple[int, str]]:
        """A condition as lines with their depth, for lists; definitions by their names."""
        lines = [(depth, self.head(condition))]
        for part in parts_of(condition):
            lines += self.outline(part, depth + 1)
        return lines

    def number(self, name: str) -> str:
        """A setting's value with its unit: "50 ng/mL"."""
        setting = self._settings[name]
        return with_unit(setting.value, setting.unit)

    def _joined(self, parts: Sequence[Json], word: str) -> str:
        return word.join(self._bracketed(part) for part in parts)

    def _bracketed(self, part: Json) -> str:
        sentence = self.sentence(part)
        inner = parts_of(part)
        return f"({sentence})" if len(inner) > 1 else sentence

    def _fact(self, leaf: Json) -> str:
        claim = self._claim(leaf)
        within = self._within(leaf)
        if within:
            claim += f", within {within}"
        if leaf.get("undated") == "exclude":
            claim += ", undated entries not counted"
        return claim

    def _claim(self, leaf: Json) -> str:
        fact = self._catalogue.facts.get(leaf["fact"])
        kind, title = (fact.kind, _subject(fact)) if fact else ("", leaf["fact"])
        verbs = _VERBS[is_plural(title)]
        op = leaf["op"]
        if op in ("present", "absent"):
            if isinstance(fact, DraftDrug) and fact.in_use:
                return _SAID["flag"][op == "absent"].format(title=fact.title)
            if kind in _SAID:
                return _SAID[kind][op == "absent"].format(title=title)
            return f"{title} {_PRESENT[kind][op == 'absent'].format(**verbs)}"
        return f"{title} {verbs['is']} {self._compared(leaf)}"

    def _compared(self, leaf: Json) -> str:
        op = leaf["op"]
        if op in _COMPARED:
            return f"{_COMPARED[op]} {self._threshold(leaf)}"
        if op == "in":
            codes = leaf["value"]
            return codes if isinstance(codes, str) else " or ".join(codes)
        flagged = "critically low" if op == "critical-low" else "low"
        means = "by the laboratory's flag"
        if op == "low":
            means += " or reference range"
        if "setting" in leaf:
            means += f", else below {self._threshold(leaf)}"
        return f"{flagged} ({means})"

    def _threshold(self, leaf: Json) -> str:
        if "setting" in leaf:
            return f"{self.number(leaf['setting'])} (setting {leaf['setting']})"
        return with_unit(leaf["value"], leaf.get("unit", ""))

    def _within(self, leaf: Json) -> str:
        name = leaf.get("within")
        if name is None and leaf["fact"] in self._catalogue.facts:
            name = self._catalogue.facts[leaf["fact"]].lookback
        if not name:
            return ""
        if name in self._settings:
            return f"{self.number(name)} (setting {name})"
        days = days_of(name)
        return f"{days} day{'' if days == 1 else 's'}"


def is_plural(title: str) -> bool:
    """Whether a title takes "are": "leg cramps", not "cirrhosis" or "restless legs syndrome"."""
    head = _HEAD.split(title, maxsplit=1)[0].lower()
    return head.endswith("s") and not head.endswith(_SINGULAR_ENDINGS)


def _subject(fact: FactDefinition) -> str:
    before, after = _TAKEN_OFF.get(fact.kind, ("", ""))
    return fact.title.removeprefix(before).removesuffix(after)


UNIT_WORDS = {
    "1": "",
    "{ratio}": "",
    "d": "days",
    "a": "years",
    "10*3/uL": "×10³/µL",
    "m[IU]/L": "mIU/L",
    "ug/L": "mcg/L",  # not "µg": on the list of error-prone abbreviations (ISMP)
    "ug/dL": "mcg/dL",
}


def with_unit(value: Decimal | bool | str | int | float, unit: str) -> str:
    """A value of a setting as a reader expects it: "50 ng/mL", "365 days", "on"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value} {unit_in_words(unit)}".strip()


def unit_in_words(unit: str) -> str:
    """A UCUM unit as clinicians write it: "mIU/L" for "m[IU]/L", nothing for a ratio."""
    return UNIT_WORDS.get(unit, unit)
