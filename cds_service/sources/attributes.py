"""The 13 source attributes of an evidence-based intervention (HTI-1, 45 CFR 170.315(b)(11)(iv)(A)).

The duty to show them falls on certified EHRs; this publishes what they need. An attribute that
nobody provided is shown as that, never hidden.
"""

from collections.abc import Collection, Sequence

from cds_service.rules.model import Pack
from cds_service.sources.library import NOT_PROVIDED, Library

NOT_USED = "Not used."
_UNUSED = (
    (5, "Use of race"),
    (6, "Use of ethnicity"),
    (7, "Use of language"),
    (8, "Use of sexual orientation"),
    (9, "Use of gender identity"),
)
_BY_FACTS = (
    (10, "Use of sex", "sex"),
    (11, "Use of date of birth", "birthDate"),
    (13, "Use of health status assessments", "healthStatus"),
)


def attributes(
    pack: Pack,
    library: Library,
    facts: Collection[str],
    citations: Sequence[str],
    dates: Sequence[str],
) -> list[dict[str, str | int]]:
    """Number, name and value of each attribute for a rule that reads `facts`."""
    told = library.evidence.get("attributes", {})
    values: dict[int, tuple[str, str]] = {
        1: ("Bibliographic citation of the intervention", "; ".join(citations)),
        2: ("Developer of the intervention", str(told.get("developer", ""))),
        3: ("Funding source of the technical implementation", str(told.get("funding", ""))),
        4: ("Release and revision dates of the intervention and its sources", "; ".join(dates)),
        12: ("Use of social determinants of health data", NOT_USED),
    }
    values |= {number: (name, NOT_USED) for number, name in _UNUSED}
    for number, name, key in _BY_FACTS:
        used = [fact for fact in told.get(key, ()) if fact in facts]
        values[number] = (name, _used(pack, used) if told else "")
    return [
        {"number": number, "name": name, "value": value or NOT_PROVIDED}
        for number, (name, value) in sorted(values.items())
    ]


def _used(pack: Pack, facts: Sequence[str]) -> str:
    if not facts:
        return NOT_USED
    titles = dict.fromkeys(pack.catalogue.facts[fact].title for fact in facts)
    return f"Used: {', '.join(titles)}."
