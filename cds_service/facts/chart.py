"""The patient's chart as one call supplied it: resources by kind, and how complete each kind is.

`gather` makes a `Chart` from a request, the rule test runner makes one from a sketch, and only
`facts` reads it. Resources are entries of what was sent, read no further than their heads; the
body of one is a plain dict as it arrived: real EHRs send what FHIR models refuse.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from enum import Enum

from cds_service.facts.prefetch_keys import PREFETCH_KEYS
from cds_service.protocol.entries import Entry, Resource
from cds_service.values import value

__all__ = ["PREFETCH_KEYS", "RESULT_KEYS", "Chart", "Draft", "Entry", "Resource", "Slot", "Supply"]


# The results come by theme, under these keys; `observations` with all of them is as good. They are
# one slot of the chart, `observations`.
RESULT_KEYS = ("ironResults", "electrolyteResults", "vascularResults", "otherResults")


class Supply(Enum):
    """What is known of one prefetch key (spec rows D7 to D16)."""

    SUPPLIED = "supplied"
    EMPTY = "known-empty"
    MISSING = "missing"
    FAILED = "failed"
    INCOMPLETE = "incomplete"

    def __init__(self, written: str) -> None:
        # Whether not finding something under this key shows that it is not on file.
        self.complete = written in ("supplied", "known-empty")

    __hash__ = object.__hash__  # an Enum's own takes ten times as long


@value
class Slot:
    """The resources found for one prefetch key, and why there may be more of them."""

    supply: Supply
    resources: Sequence[Entry] = ()
    problem: str = (
        ""  # for people, without patient data: "Observation could not be read (OperationOutcome)"
    )


@value
class Draft:
    """One order of `context.draftOrders`."""

    resource: Resource
    reference: str  # "MedicationRequest/draft-1", or "" where the draft has no id
    selected: bool


@value
class Chart:
    """All that one call knows of its patient.

    `slots` has every name of PREFETCH_KEYS. `others` holds resources that support the rest
    (Medication, MedicationAdministration, Coverage...) in the order found.
    `dropped` counts resources left out, by reason ("other-patient", "not-an-object").
    """

    slots: Mapping[str, Slot]
    drafts: Sequence[Draft] = ()
    others: Sequence[Entry] = ()
    hook: str = "patient-view"
    dropped: Mapping[str, int] = field(default_factory=dict)

    def without_all_of(self, keys: Collection[str]) -> "Chart":
        """The chart, with slots that may lack entries."""
        slots = {
            key: replace(slot, supply=Supply.INCOMPLETE)
            if key in keys and slot.supply.complete
            else slot
            for key, slot in self.slots.items()
        }
        return replace(self, slots=slots)

    def slot(self, key: str) -> Slot:
        """The slot of a prefetch key; MISSING when nothing was said of it."""
        return self.slots.get(key) or Slot(Supply.MISSING)
