"""The last line of a card, after what was not checked: whose responsibility its content is."""

from cds_service.cards.grouping import Plan
from cds_service.rules.model import Pack

NOT_SIGNED_OFF = "Not signed off by a clinician."


def sentences(plan: Plan, pack: Pack) -> list[str]:
    """What closes a card, as Markdown."""
    return [_unrecognised(plan.unrecognised), sign_off(pack)]


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
