"""Whose resource it is. A chart that mixes two patients is worse than one with a gap."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.facts.chart import Resource
from cds_service.protocol.results import Results
from cds_service.values import value


@value
class Subject:
    """The patient of the call. `urls` maps URNs of Bundle entries to the resources they name."""

    patient_id: str
    urls: Mapping[str, Resource]

    def owned(self, resources: Iterable[Resource], dropped: Counter[str]) -> list[Resource]:
        """The resources that are not another patient's; the others are counted in `dropped`."""
        plain = f"Patient/{self.patient_id}"
        kept: list[Resource] = []
        for resource in resources:
            try:
                known = resource["subject"]["reference"] == plain  # nearly all of a chart
            except (KeyError, TypeError, IndexError):
                known = False
            if known or self.owns(resource):
                kept.append(resource)
            else:
                dropped["other-patient"] += 1
        return kept

    def owns_all(self, results: Results) -> bool:
        """Whether all results are this patient's."""
        about = {entry.resource.subject.reference for entry in results.entries}
        return all(self.owns({"subject": {"reference": one}}) for one in about)

    def owns(self, resource: Resource) -> bool:
        """False only where the resource says that it is about somebody else.

        A resource without a patient, with a logical reference, a contained patient or a URN that
        nothing in the chart resolves is taken as this patient's: it came under this patient's call.
        """
        if resource.get("resourceType") == "Patient":
            return self._is_patient(resource)
        reference = _reference(resource.get("subject") or resource.get("patient"))
        if not reference or reference.startswith("#"):
            return True
        if reference.startswith("urn:"):
            return self._owns_urn(reference)
        return self._owns_literal(reference)

    def _owns_literal(self, reference: str) -> bool:
        parts = reference.partition("/_history/")[0].rstrip("/").split("/")
        return parts[-1] == self.patient_id and (len(parts) == 1 or parts[-2] == "Patient")

    def _owns_urn(self, urn: str) -> bool:
        target = self.urls.get(urn)
        if target is None or urn.rpartition(":")[2] == self.patient_id:
            return True
        return target.get("resourceType") == "Patient" and self._is_patient(target)

    def _is_patient(self, patient: Resource) -> bool:
        identifier = patient.get("id")
        return not isinstance(identifier, str) or not identifier or identifier == self.patient_id


def _reference(value: Any) -> str:
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else ""
