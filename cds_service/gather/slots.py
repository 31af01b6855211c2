"""One slot of the chart, put together from its own prefetch key and from keys under other names."""

from collections.abc import Sequence

from cds_service.facts.chart import Slot, Supply
from cds_service.facts.prefetch_keys import KEYS, SINGLE
from cds_service.gather.prefetch import Reading
from cds_service.protocol.entries import Entry

OF_ANOTHER_PATIENT = "is of another patient"
_NARROW = ("observations",)  # under another name it is probably one laboratory value


class SlotBuilder:
    """Collects what is known of one prefetch key.

    The value under the key's own name decides the state. Resources found elsewhere are added; they
    decide the state only where the key itself said nothing.
    """

    def __init__(self, key: str, parts: Sequence[str] = ()) -> None:
        """`parts` are keys that hold the slot's resources together, in place of its own."""
        self.key = key
        self._parts = {part: Reading(Supply.MISSING) for part in parts}
        self._sent_in_parts = False
        self.resource_type = KEYS[key].resource_type
        self._supply = Supply.MISSING
        self._problem = ""
        self._own: list[Entry] = []
        self._extra: list[Entry] = []
        self._extra_complete = True
        self._extra_problem = ""

    def answer(self, reading: Reading, own: list[Entry], dropped: bool) -> None:
        """Take the value under the key's own name. `dropped`: some of it was another patient's."""
        self._supply, self._own = reading.supply, own
        self._problem = reading.problem
        if own or not reading.resources:
            return
        if dropped and self.key not in SINGLE:
            self._supply, self._problem = Supply.INCOMPLETE, "holds only entries of another patient"
        else:
            self._supply = Supply.MISSING
            self._problem = OF_ANOTHER_PATIENT if dropped else f"holds no {self.resource_type}"

    def part(self, part: str, reading: Reading, own: list[Entry], dropped: bool) -> None:
        """Take the value under one of the keys that hold the slot together."""
        self._sent_in_parts = True
        state = SlotBuilder(self.key)
        state.answer(reading, own, dropped)
        self._parts[part] = Reading(state._supply, problem=state._problem)
        self._extra.extend(own)

    @property
    def parts(self) -> dict[str, Slot]:
        """The keys that hold the slot together, with their states and no resources."""
        return {
            part: Slot(reading.supply, (), reading.problem) for part, reading in self._parts.items()
        }

    def extra(self, resources: list[Entry], complete: bool, problem: str) -> None:
        """Take resources found under another key. `complete`: they answer a search of their own."""
        self._extra.extend(resources)
        if self.key not in SINGLE:
            self._extra_complete &= complete and self.key not in _NARROW
            self._extra_problem = self._extra_problem or problem

    def build(self) -> Slot:
        """The slot, with the name of the key in front of its problem."""
        resources = self._own + self._new_extras() if self._extra else self._own
        supply, problem = self._state()
        return Slot(supply, resources, f"{self.key} {problem}" if problem else "")

    def _state(self) -> tuple[Supply, str]:
        if self._sent_in_parts and not self._supply.complete:
            return self._state_of_parts()
        if not self._extra:
            return self._supply, self._problem
        if self._supply.complete:
            return Supply.SUPPLIED, self._problem
        if self._supply is not Supply.MISSING:
            return Supply.INCOMPLETE, self._problem
        if self._extra_complete:
            return Supply.SUPPLIED, ""
        return Supply.INCOMPLETE, self._extra_problem or "came under another key, perhaps in part"

    def _state_of_parts(self) -> tuple[Supply, str]:
        """What the parts come to: all of them are needed to say that something is not there."""
        lacking = {name: part for name, part in self._parts.items() if not part.supply.complete}
        if not lacking:
            return (Supply.SUPPLIED if self._own or self._extra else Supply.EMPTY), ""
        words = "; ".join(
            f"{name} {part.problem or 'was not sent'}" for name, part in lacking.items()
        )
        failed = {part.supply for part in lacking.values()} == {Supply.FAILED}
        if failed and len(lacking) == len(self._parts) and not self._own and not self._extra:
            return Supply.FAILED, f"of no theme are there: {words}"
        return Supply.INCOMPLETE, f"are not there in full: {words}"

    def _new_extras(self) -> list[Entry]:
        known = {identity for entry in self._own for identity in entry.identities()}
        new: list[Entry] = []
        for entry in self._extra:
            identities = entry.identities()
            if known.isdisjoint(identities):
                new.append(entry)
            known.update(identities)
        return new
