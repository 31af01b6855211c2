"""The fact catalogue: every fact by its name, and which of them may read what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cds_service.facts.definitions import (
    Answer,
    Code,
    FactDefinition,
    Flag,
    Number,
    Problem,
    Quantity,
    read,
)
from cds_service.facts.model import Fact, State

# Before the id of a value set: results that are of it by name, or by code or name where the two
# disagree. They are filed apart, and make the facts of the set unknown.
NAMED = "named:"
DOMAINS = ("conditions", "reasons", "findings", "drugs", "orders", "procedures", "observations")


@dataclass(frozen=True)
class Catalogue:
    """All facts by name, and which of them may read what."""

    facts: Mapping[str, FactDefinition]
    readers: Mapping[str, Mapping[str, frozenset[str]]] = field(init=False, repr=False)
    by_slots: Mapping[tuple[str, ...], frozenset[str]] = field(init=False, repr=False)
    always: frozenset[str] = field(init=False, repr=False)
    answers: frozenset[str] = field(init=False, repr=False)
    by_order_reason: frozenset[str] = field(init=False, repr=False)
    of_patient: frozenset[str] = field(init=False, repr=False)  # the same for every draft
    absent: Mapping[str, Fact] = field(init=False, repr=False)  # each as certainly absent
    # What `facts.wanted` looked up for it, by terminology.
    remembered: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        readers: dict[str, dict[str, set[str]]] = {domain: {} for domain in DOMAINS}
        by_slots: dict[tuple[str, ...], set[str]] = {}
        for definition in self.facts.values():
            for domain in definition.domains:
                for set_id in self._sets_read(definition):
                    readers[domain].setdefault(set_id, set()).add(definition.name)
            by_slots.setdefault(definition.slots, set()).add(definition.name)
        for domain in ("observations", "drugs"):
            for set_id, names in list(readers[domain].items()):
                readers[domain][NAMED + set_id] = names
        frozen = {
            domain: MappingProxyType({key: frozenset(names) for key, names in sets.items()})
            for domain, sets in readers.items()
        }
        object.__setattr__(self, "readers", MappingProxyType(frozen))
        object.__setattr__(self, "by_slots", {key: frozenset(n) for key, n in by_slots.items()})
        object.__setattr__(self, "always", self._of(Number, Code, Flag))
        object.__setattr__(self, "answers", self._of(Answer))
        reasons = (
            name
            for name, d in self.facts.items()
            if isinstance(d, Problem) and "order-reason" in d.sources
        )
        object.__setattr__(self, "by_order_reason", frozenset(reasons))
        of_patient = (name for name, d in self.facts.items() if not d.draft_dependent)
        object.__setattr__(self, "of_patient", frozenset(of_patient))
        absent = {name: Fact(name, State.ABSENT) for name in self.facts}
        object.__setattr__(self, "absent", MappingProxyType(absent))

    def _sets_read(self, definition: FactDefinition) -> Iterator[str]:
        """The value sets of a fact, and of the facts that it is computed from."""
        yield from definition.value_sets
        if definition.cleared_by:
            yield definition.cleared_by
        for name in definition.computed_from:
            if name in self.facts:
                yield from self.facts[name].value_sets

    @property
    def results(self) -> frozenset[str]:
        """The value sets of measured values."""
        measured = (d.value_sets for d in self.facts.values() if isinstance(d, Quantity))
        return frozenset(set_id for sets in measured for set_id in sets)

    def _of(self, *shapes: type[FactDefinition]) -> frozenset[str]:
        return frozenset(name for name, d in self.facts.items() if isinstance(d, shapes))

    def __getitem__(self, name: str) -> FactDefinition:
        return self.facts[name]

    def __contains__(self, name: object) -> bool:
        return name in self.facts

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Catalogue":
        """Read `{"facts": {name: {...}}}`; raises ValueError with the fact's name."""
        facts = raw.get("facts")
        if not isinstance(facts, Mapping):
            raise ValueError("the fact catalogue has no object 'facts'")
        return cls(MappingProxyType({name: read(name, entry) for name, entry in facts.items()}))
