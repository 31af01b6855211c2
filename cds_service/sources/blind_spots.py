"""What a rule cannot see, by the facts it reads, and how it behaves when data are missing.

The general sentences follow from the facts layer (docs/rule-format.md, Facts); what is special to
a rule stands in the pack's evidence.json.
"""

from collections.abc import Iterable, Mapping, Sequence

from cds_service.facts.definitions import FactDefinition
from cds_service.packs.check.safeguards import guards_of_rule
from cds_service.rules.model import Pack, Rule

_BY_KIND: Mapping[str, str] = {
    "problem": "Conditions written only as text, or in a code that no value set has, are not seen.",
    "drug": "Drugs that are on no list sent to the service (bought over the counter, prescribed"
    " elsewhere) are not seen; a product unknown to the drug dictionary is matched by the"
    " ingredients in its name, and the card then says so.",
    "quantity": "Results that are preliminary, undated, without a unit, implausible or given as"
    " text are not used; the card says so where it matters.",
    "coded": "Only coded answers are read, not free text.",
    "procedure": "A study whose result stands only in a document is not seen.",
    "order": "Orders placed in another system are not seen.",
    "draft-drug": "An order that gives its drug only as text is matched by the name.",
    "draft-order": "An order is matched by its code, not by its words.",
    "answer": "Answers count only from a completed QuestionnaireResponse of the service's own"
    " questionnaire; nothing follows from a blank form.",
}
_UNKNOWN = {
    "silent": "When data that the rule needs were not sent, could not be read or cannot be used,"
    " the rule is 'unknown' and shows no card.",
    "conditional": "When the list of conditions is incomplete, so that nobody can tell whether leg"
    " cramps are recorded, the finding may stand in one card that begins with 'If leg cramps are"
    " the concern'. With any other gap the rule is 'unknown' and shows no card.",
}
_EXCLUSION = (
    "An exclusion silences the rule only when it is known to hold; one that could not be checked"
    " is named on the card."
)
_SAFEGUARD = {
    "soften": "Where an exclusion or a milder variant could not be checked, the card is information"
    " at most and offers no removal of the order.",
    "keep": "The card stays as strong as it is where an exclusion could not be checked.",
}


def when_unknown(rule: Rule) -> list[str]:
    """How the rule behaves when it cannot know."""
    if rule.unless is None and not rule.variants:
        return [_UNKNOWN[rule.when_unknown]]
    return [_UNKNOWN[rule.when_unknown], _EXCLUSION, _SAFEGUARD[rule.when_exclusion_unknown]]


def limits(facts: Iterable[FactDefinition], special: Sequence[str]) -> list[str]:
    """What the rule cannot see: what is special to it first."""
    kinds = {fact.kind for fact in facts}
    return [*special, *(text for kind, text in _BY_KIND.items() if kind in kinds)]


def listed_safeguards(pack: Pack, rule: Rule) -> list[str]:
    """Which exclusions of the rule know SNOMED CT by listed codes, without narrower ones."""
    facts = sorted(guards_of_rule(pack.definitions, rule.raw) & pack.catalogue.facts.keys())
    sets = {
        set_id
        for name in facts
        if (fact := pack.catalogue.facts[name]).kind == "problem"
        for set_id in fact.value_sets
        if pack.terminology.has_set(set_id) and pack.terminology.value_set(set_id).explicit
    }
    if not sets:
        return []
    titles = sorted(pack.terminology.value_set(set_id).title or set_id for set_id in sets)
    return [
        "Exclusions and milder variants know SNOMED CT by listed codes, without the narrower ones,"
        f" for: {'; '.join(titles)}."
    ]
