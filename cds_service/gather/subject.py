"""Whose resource it is. A chart that mixes two patients is worse than one with a gap."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from cds_service.protocol.entries import Entry
from cds_service.protocol.raw import NOTHING, decoded


class Subject:
    """The patient of the call. `people` gives the Patients by fullUrl, once a URN is met."""

    def __init__(self, patient_id: str, people: Callable[[], Mapping[str, Entry]]) -> None:
        self.patient_id = patient_id
        self._find_people = people
        self._known: dict[tuple[bytes, bytes], bool] = {}  # by subject and patient as sent

    def owned(self, entries: list[Entry], dropped: Counter[str]) -> list[Entry]:
        """The resources that are not another patient's; the others are counted in `dropped`.

        Nearly all of a chart says whose it is in the same words: a verdict holds until they change.
        """
        others: set[int] = set()
        subject, patient, mine = NOTHING, NOTHING, True
        for entry in entries:
            head = entry.head
            if entry.kind == "Patient":
                owned = self._is_patient(entry)
            elif head.subject == subject and head.patient == patient:
                owned = mine
            else:
                subject, patient = head.subject, head.patient
                owned = mine = self.owns(entry)
            if not owned:
                others.add(id(entry))
        if not others:
            return entries
        kept = [entry for entry in entries if id(entry) not in others]
        dropped["other-patient"] += len(entries) - len(kept)
        return kept

    def owns(self, entry: Entry) -> bool:
        """False only where the resource says that it is about somebody else.

        A resource without a patient, with a logical reference, a contained patient or a URN that
        nothing in the chart resolves is taken as this patient's: it came under this patient's call.
        """
        if entry.kind == "Patient":
            return self._is_patient(entry)
        head = entry.head
        about = (bytes(head.subject), bytes(head.patient))
        known = self._known.get(about)
        if known is None:
            known = self._known[about] = self._owns(*map(_reference, about))
        return known

    def _owns(self, subject: str | None, patient: str | None) -> bool:
        reference = patient if subject is None else subject
        if not reference or reference.startswith("#"):
            return True
        if reference.startswith("urn:"):
            return self._owns_urn(reference)
        return self._owns_literal(reference)

    def _owns_literal(self, reference: str) -> bool:
        parts = reference.partition("/_history/")[0].rstrip("/").split("/")
        return parts[-1] == self.patient_id and (len(parts) == 1 or parts[-2] == "Patient")

    def _owns_urn(self, urn: str) -> bool:
        target = self._people.get(urn)
        if target is None or urn.rpartition(":")[2] == self.patient_id:
            return True
        return self._is_patient(target)

    @cached_property
    def _people(self) -> Mapping[str, Entry]:
        return self._find_people()

    def _is_patient(self, patient: Entry) -> bool:
        return patient.id in ("", self.patient_id)


def _reference(written: bytes) -> str | None:
    """The reference in an element; "" without one, None without the element."""
    value: Any = decoded(written) if written else None
    if not value:
        return None
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference.strip() if isinstance(reference, str) else ""
