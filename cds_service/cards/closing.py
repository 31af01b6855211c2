"""The last line of a card, after what was not checked: whose numbers these are, and who signed."""

from collections.abc import Mapping, Sequence

from cds_service.cards.grouping import Plan
from cds_service.rules.model import Pack

MOST_NUMBERS = 2
NOT_SIGNED_OFF = "Not signed off by a clinician."


def sentences(plan: Plan, pack: Pack, numbers: Mapping[str, Sequence[str]]) -> list[str]:
    """What closes a card, as Markdown. `numbers`: by rule, those that the site set itself."""
    return [_unrecognised(plan.unrecognised), *_of_the_site(plan, numbers), sign_off(pack)]


def _of_the_site(plan: Plan, numbers: Mapping[str, Sequence[str]]) -> list[str]:
    rules = dict.fromkeys(part.said.finding.rule.id for part in plan.parts)
    own = list(dict.fromkeys(text for rule in rules for text in numbers.get(rule, ())))
    more = len(own) - MOST_NUMBERS
    rest = [f"{more} further number{'s' if more > 1 else ''} of this site."] if more > 0 else []
    return [*own[:MOST_NUMBERS], *rest]


def _unrecognised(count: int) -> str:
    if not count:
        return ""
    return f"{count} medication{'s were' if count > 1 else ' was'} not recognised."


def sign_off(pack: Pack) -> str:
    """Who answers for the content in force, or that nobody does."""
    if not pack.signed_off:
        return NOT_SIGNED_OFF
    signed = pack.signed_off
    return f"Content signed off by {signed['who']}, {signed['role']}, {signed['date']}."
