"""The decision record: what a call came to. No values, no patient, no chart entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A card that was given. `rules` are (id, version), the rule that heads the card first."""

    uuid: str
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One call. `outcomes` leaves out rules that said "no"; `day` is ISO, in UTC."""

    service: str
    day: str
    pack_revision: str
    cards: tuple[CardRecord, ...] = ()
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleFeedback:
    """What became of one rule's cards. `rule` is "unknown" for cards that are not on record.

    `reasons` counts override reason codes; "" stands for an override without a coded reason.
    """

    rule: str
    version: str
    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
