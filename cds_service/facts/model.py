"""What the rules may know of a patient: facts that are known, known to be absent, or unknown.

Items and facts are Structs, as a call makes some fifty: making one takes a third of the time of a
dataclass. `msgspec.structs.replace` gives a changed one.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

from msgspec import Struct, field


class Truth(Enum):
    """The three values of the rules' logic. Missing data is never NO."""

    NO = 0
    UNKNOWN = 1
    YES = 2


class State(Enum):
    """KNOWN: `Fact.items` has usable items. ABSENT: looked for, not on file. UNKNOWN: reasons."""

    KNOWN = "known"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Quantity(Struct, frozen=True, gc=False):
    """A measured value in the fact's canonical unit.

    `comparator` is "", "<", "<=", ">" or ">=". `shown` is the value as the sender wrote it, with
    its unit ("90 pmol/L"); it differs from value and unit when the value was converted.
    """

    value: Decimal
    unit: str
    comparator: str = ""
    shown: str = ""


class Item(Struct, frozen=True, gc=False):
    """One entry of the chart that a fact rests on.

    `reference` is provenance ("Condition/c1"): for cards and traces, never for logs.
    `text` names it for a clinician: the pack's own display where a code matched, else the chart's
    words. `via` is "code" or "name" (a drug matched by its name in free text).
    `details` holds short named extras: "side", "status", "source" (problem-list, encounter, order
    reason...), "flag" (interpretation code), "low" (reference range low, canonical unit),
    "product" (a drug as the chart words it), "also" (a second reference merged into this item).
    `ingredients` is filled for drugs.
    """

    reference: str
    text: str
    on: date | None = None
    date_text: str = ""  # the FHIR date as sent, cut to the day; "" when undated
    quantity: Quantity | None = None
    code: str = ""
    via: str = "code"
    ingredients: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


class Fact(Struct, frozen=True, gc=False):
    """The answer to one question about the patient.

    `items`: usable items, the deciding one first (for a quantity: the value that counts).
    `reasons`: why the fact is unknown, for people, without values ("observations were not
    supplied").
    An ABSENT fact may have reasons too: entries are on file and none can be used (preliminary,
    undated, no unit, implausible). Then `present` is NO, and a comparison is UNKNOWN with these
    reasons; ABSENT without reasons (nothing on file, or only stale values) makes both NO.
    `notes`: what was seen and not used, in words for the card's footer:
    "A preliminary result (30 ng/mL, 2026-11-19) was not used."
    `unused`: the newest item that exists but does not count (stale, preliminary), for "last: ...".
    """

    name: str
    state: State
    items: tuple[Item, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unused: Item | None = None
