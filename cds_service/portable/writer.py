"""What the writers of facts share: the pack, its settings as numbers, dates, site and words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.facts.definitions import FactDefinition
from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    UNKNOWN,
    Node,
    call,
    given,
    number,
    ref,
    when,
)
from cds_service.portable.sets import Sets
from cds_service.portable.supply import READING
from cds_service.rules.durations import days_of
from cds_service.rules.model import Pack


@dataclass
class Asked:
    """A fact as a rule asks for it. `days` is the look-back, None without one."""

    definition: Any  # of the kind that the module writes (`facts._SIMPLE`)
    name: str
    days: int | None
    include: bool  # an undated entry counts
    exclude: bool  # an undated entry does not count
    within: str = ""  # as the rule gives them
    undated: str = ""


@dataclass
class Writer:
    """One export: the pack, the value sets asked for so far, and what could not be said."""

    pack: Pack
    sets: Sets
    limits: dict[str, list[str]] = field(default_factory=dict)  # by fact

    def cannot(self, asked: Asked, what: str) -> None:
        """Note what of a fact ELM does not say."""
        known = self.limits.setdefault(asked.definition.name, [])
        if what not in known:
            known.append(what)

    def days(self, setting: str) -> int | None:
        """A look-back in days; None where none is named."""
        return int(self.pack.settings[setting].value) if setting else None

    def ask(self, leaf: Mapping[str, str]) -> Asked:
        """The fact as a leaf of a condition asks for it."""
        definition = self.pack.catalogue[leaf["fact"]]
        within, undated = leaf.get("within", ""), leaf.get("undated", "")
        return self.asked(definition, within, undated)

    def asked(self, definition: FactDefinition, within: str = "", undated: str = "") -> Asked:
        """A fact with a look-back of its own, or that of the catalogue."""
        if within.startswith("P"):
            days: int | None = days_of(within)
        else:
            days = self.days(within or definition.lookback)
        include = undated == "include" or (not undated and definition.undated == "include")
        tail = "".join(f" {word} {value}" for word, value in
                       (("within", within), ("undated", undated)) if value)  # fmt: skip
        name, exclude = f"{definition.name}{tail}", undated == "exclude"
        return Asked(definition, name, days, include, exclude, within, undated)


def limit(days: int | None) -> Node:
    """A look-back as a number, or null."""
    return NULL if days is None else number(days)


def dated(asked: Asked, age: Node, days: Node | None = None) -> Node:
    """Whether an entry's age counts; null where it has none that tells. `days` may be computed."""
    inside = call("Inside", age, limit(asked.days) if days is None else days, library=READING)
    return when(given(age), inside, _undated(asked, days))


def _undated(asked: Asked, days: Node | None) -> Node:
    if asked.exclude:
        return FALSE
    if asked.include or (days is None and asked.days is None):
        return TRUE
    return UNKNOWN if days is None else when(given(days), UNKNOWN, TRUE)


def weighed(verdicts: Node, gap: Node) -> Node:
    """The fact's truth by the verdicts on its entries."""
    return call("Weighed", verdicts, gap, library=READING)


def verdict(truth: Node) -> Node:
    """A truth as a word, so that a list can hold an unknown one."""
    return call("Verdict", truth, library=READING)


def entries(name: str) -> Node:
    """One of the lists of the library that reads the chart."""
    return ref(name, READING)
