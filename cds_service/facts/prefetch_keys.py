"""The prefetch keys of every service: what they hold, what traces and cards call them."""

from collections.abc import Mapping
from typing import NamedTuple


class PrefetchKey(NamedTuple):
    """`name` is what traces say, `on_cards` what cards say; "were" follows a plural.

    `asked`: worth a search of the EHR's FHIR server where it was not sent.
    """

    resource_type: str
    name: str
    on_cards: str
    plural: bool = True
    expected: bool = True  # False: many calls or EHRs have none, so a missing one is no gap
    asked: bool = True


KEYS: Mapping[str, PrefetchKey] = {
    "patient": PrefetchKey("Patient", "the patient", "patient data", plural=False),
    "encounter": PrefetchKey(
        "Encounter", "the encounter", "data of the encounter", plural=False, expected=False
    ),
    "conditions": PrefetchKey("Condition", "conditions", "conditions"),
    "medicationRequests": PrefetchKey(
        "MedicationRequest", "medication requests", "medication requests"
    ),
    "medicationStatements": PrefetchKey(
        "MedicationStatement", "medication statements", "medication statements", expected=False
    ),
    "observations": PrefetchKey("Observation", "observations", "laboratory results"),
    "procedures": PrefetchKey("Procedure", "procedures", "procedures"),
    "serviceRequests": PrefetchKey("ServiceRequest", "service requests", "orders on file"),
    "questionnaireResponses": PrefetchKey(
        "QuestionnaireResponse",
        "questionnaire responses",
        "questionnaire answers",
        expected=False,
        asked=False,  # nearly no chart has any, and a search costs each call its time
    ),
}
PREFETCH_KEYS = tuple(KEYS)
KEY_OF_TYPE = {key.resource_type: name for name, key in KEYS.items()}
MEDICATIONS = ("medicationRequests", "medicationStatements")
SINGLE = ("patient", "encounter")  # read, not searched: one resource is the whole answer


def described(key: str) -> PrefetchKey:
    """A key of ours; any other is called as it is spelt."""
    return KEYS.get(key) or PrefetchKey("", key, key)
