"""The fact catalogue: every fact by its name, and which of them may read what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def remembered(self) -> dict[Any, Any]:
        """What was looked up for it, by terminology."""
        return {}

    @cached_property
    def readers(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """By domain and value set, the facts that read entries of it."""
        readers: dict[str, dict[str, set[str]]] = {domain: {} for domain in DOMAINS}
        for definition in self.facts.values():
            for domain in definition.domains:
                for set_id in self._sets_read(definition):
                    readers[domain].setdefault(set_id, set()).add(definition.name)
        for domain in ("observations", "drugs"):
            for set_id, names in list(readers[domain].items()):
                readers[domain][NAMED + set_id] = names
        return MappingProxyType(
            {
                domain: MappingProxyType({key: frozenset(names) for key, names in sets.items()})
                for domain, sets in readers.items()
            }
        )

    @cached_property
    def by_slots(self) -> Mapping[tuple[str, ...], frozenset[str]]:
        """By the prefetch keys that they are read from."""
        by_slots: dict[tuple[str, ...], set[str]] = {}
        for definition in self.facts.values():
            by_slots.setdefault(definition.slots, set()).add(definition.name)
        return {slots: frozenset(names) for slots, names in by_slots.items()}

    @cached_property
    def always(self) -> frozenset[str]:
        """Those that are asked of every chart."""
        return self._of(Number, Code, Flag)

    @cached_property
    def answers(self) -> frozenset[str]:
        """Those that answers to questions give."""
        return self._of(Answer)

    @cached_property
    def by_order_reason(self) -> frozenset[str]:
        """Problems that the reason of an order may give."""
        return frozenset(
            name
            for name, d in self.facts.items()
            if isinstance(d, Problem) and "order-reason" in d.sources
        )

    @cached_property
    def of_patient(self) -> frozenset[str]:
        """Those that are the same for every draft."""
        return frozenset(name for name, d in self.facts.items() if not d.draft_dependent)

    @cached_property
    def absent(self) -> Mapping[str, Fact]:
        """Each as certainly absent."""
        return MappingProxyType({name: Fact(name, State.ABSENT) for name in self.facts})

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
