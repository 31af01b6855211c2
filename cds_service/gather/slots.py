"""One slot of the chart, put together from its own prefetch key and from keys under other names."""

from cds_service.facts.chart import Resource, Slot, Supply
from cds_service.gather.prefetch import Reading
from cds_service.protocol.results import Results

TYPE_OF_KEY = {
    "patient": "Patient",
    "encounter": "Encounter",
    "conditions": "Condition",
    "medicationRequests": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "observations": "Observation",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
}
KEY_OF_TYPE = {resource_type: key for key, resource_type in TYPE_OF_KEY.items()}

_SINGLE = ("patient", "encounter")  # read, not searched: one resource is the whole answer
_NARROW = ("observations",)  # under another name it is probably one laboratory value


class SlotBuilder:
    """Collects what is known of one prefetch key.

    The value under the key's own name decides the state. Resources found elsewhere are added; they
    decide the state only where the key itself said nothing.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.resource_type = TYPE_OF_KEY[key]
        self._supply = Supply.MISSING
        self._problem = ""
        self._own: list[Resource] = []
        self._results: Results | None = None
        self._extra: list[Resource] = []
        self._extra_complete = True
        self._extra_problem = ""

    def answer(self, reading: Reading, own: list[Resource], dropped: bool) -> None:
        """Take the value under the key's own name. `dropped`: some of it was another patient's."""
        self._supply, self._own, self._results = reading.supply, own, reading.results
        self._problem = reading.problem
        if own or not reading.resources:
            return
        if dropped and self.key not in _SINGLE:
            self._supply, self._problem = Supply.INCOMPLETE, "holds only entries of another patient"
        else:
            self._supply = Supply.MISSING
            self._problem = "is of another patient" if dropped else f"holds no {self.resource_type}"

    def extra(self, resources: list[Resource], complete: bool, problem: str) -> None:
        """Take resources found under another key. `complete`: they answer a search of their own."""
        self._extra.extend(resources)
        if self.key not in _SINGLE:
            self._extra_complete &= complete and self.key not in _NARROW
            self._extra_problem = self._extra_problem or problem

    def build(self) -> Slot:
        """The slot, with the name of the key in front of its problem."""
        resources = self._own + self._new_extras() if self._extra else self._own
        supply, problem = self._state()
        return Slot(supply, resources, f"{self.key} {problem}" if problem else "", self._results)

    def _state(self) -> tuple[Supply, str]:
        if not self._extra:
            return self._supply, self._problem
        if self._supply.complete:
            return Supply.SUPPLIED, self._problem
        if self._supply is not Supply.MISSING:
            return Supply.INCOMPLETE, self._problem
        if self._extra_complete:
            return Supply.SUPPLIED, ""
        return Supply.INCOMPLETE, self._extra_problem or "came under another key, perhaps in part"

    def _new_extras(self) -> list[Resource]:
        known = {identifier for resource in self._own if (identifier := _id(resource))}
        if self._results is not None:
            known.update(entry.resource.id for entry in self._results.entries)
        new: list[Resource] = []
        for resource in self._extra:
            identifier = _id(resource)
            if identifier and identifier in known:
                continue
            known.add(identifier)
            new.append(resource)
        return new


def _id(resource: Resource) -> str:
    identifier = resource.get("id")
    return identifier if isinstance(identifier, str) else ""
