"""What the package does not say, for each rule and as a whole."""

from collections.abc import Mapping, Sequence

from cds_service.portable.libraries import Libraries
from cds_service.rules.inputs import inputs_of
from cds_service.rules.model import Rule

WHOLE, PARTIAL = "whole", "partial"

# Of the package as a whole: no rule is partial because of these.
GENERAL: Sequence[str] = (
    "Resources are read as FHIR R4 writes them. The service also reads DSTU2, STU3 and R5, "
    "statuses in words, single objects in place of lists, and numbers as strings.",
    "An entry that says of its list that nothing is known to be on it, or that nobody knows, is an "
    "entry without a known code.",
    "How sure an ICD-10-GM code says that a diagnosis is (an extension of its coding).",
    "A code without its code system has no meaning here. The service knows LOINC, SNOMED CT, ATC "
    "and ICD-10-CM codes by their form.",
    "Contained resources are not followed: a Condition in an Encounter, a Medication in a request.",
    "Results that a report or a panel names and that are not among the data are not missed; a "
    "result without a date of its own has none, also where its report has one.",
    "National Drug Codes are known only as far as they stand in the expansions.",
    "Names of drugs have up to five words, in the first thirty of an entry; whether code and name "
    "of an entry disagree is told by drug sets and not by ingredients, and two codes of one entry "
    "(or of one result) are not compared.",
    "A result's moment is told to the second, a number to eight places.",
    "Why a rule is unknown, and what was seen and not used, are no part of ELM: it says null.",
    "Cards: their texts with values filled in, how findings are grouped and cut, and the "
    "conditional card are the service's. The PlanDefinitions carry titles, indicators and "
    "suggestions.",
)


def limits_of(libraries: Libraries, rule: Rule) -> Mapping[str, Sequence[str]]:
    """What of a rule's facts is not said, by fact; empty for a rule that is exported whole."""
    facts = inputs_of(libraries.pack, rule, cards=False).facts
    return {fact: libraries.limits[fact] for fact in facts if fact in libraries.limits}


def verdict_on(libraries: Libraries, rule: Rule) -> str:
    """Whether a rule is exported whole."""
    return PARTIAL if limits_of(libraries, rule) else WHOLE


def share(libraries: Libraries) -> tuple[int, int]:
    """How many active rules are exported whole, and how many there are."""
    whole = sum(verdict_on(libraries, rule) == WHOLE for rule in libraries.rules)
    return whole, len(libraries.rules)
