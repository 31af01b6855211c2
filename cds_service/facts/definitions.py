"""One entry of `facts.json`, a shape for each kind (docs/rule-format.md, Facts).

Attributes are the properties of the JSON in Python's spelling; `FactDefinition` answers for every
kind what not every kind has. The schema says the same to people (a test lays them side by side).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, field

from cds_service.facts.definition_parts import (
    ByWords,
    Computed,
    MaxStrength,
    Part,
    Range,
    Text,
)

Status = Literal["confirmed", "suspected", "refuted"]
ProblemSource = Literal["condition", "encounter", "order-reason", "observation"]
ProcedureSource = Literal["procedure", "report", "observation"]
PROCEDURE_SOURCES: tuple[ProcedureSource, ...] = ("procedure", "report", "observation")
_DRUG_SLOTS = ("medicationRequests", "medicationStatements")
_OF_SOURCE = {
    "condition": ("conditions",),
    "encounter": ("reasons",),
    "order-reason": ("reasons",),
    "observation": ("observations", "findings"),
    "procedure": ("procedures",),
    "report": ("procedures",),
}
_FLAGS_OF_SETS = ("pregnancy.due-ahead",)
_NAMING_SETTINGS = ("lookback", "encounter_lookback", "given_within")
_FOR_PEOPLE = frozenset({"note", "description", "offered"})


class FactDefinition(Part, frozen=True, tag_field="kind"):
    """What facts of all kinds have. Look-backs and the like name settings, never numbers."""

    name: str
    title: str
    reads: ClassVar[tuple[str, ...]] = ()
    rests_on: ClassVar[tuple[str, ...]] = ()
    of_draft: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """As facts.json has it."""
        return str(self.__struct_config__.tag)

    @property
    def value_sets(self) -> tuple[str, ...]:
        """Ids of the value sets that it looks for, any of which counts."""
        return ()

    @property
    def lookback(self) -> str:
        """The setting in days that says how old entries may be; "" for any age."""
        return ""

    @property
    def undated(self) -> str:
        """ "include" where an entry without a date counts inside a look-back, else "unknown"."""
        return "unknown"

    @property
    def unit(self) -> str:
        """The UCUM unit of its values; "" where it has none."""
        return ""

    @property
    def unit_table(self) -> str:
        """The analyte by whose table values and thresholds are converted."""
        return next(iter(self.value_sets), "")

    @property
    def cleared_by(self) -> str:
        """The value set whose later entries cancel earlier ones, or ""."""
        return ""

    @property
    def computed_from(self) -> tuple[str, ...]:
        """Other facts that it is made of."""
        return ()

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that it names."""
        named = [getattr(self, own, "") for own in _NAMING_SETTINGS]
        strength = getattr(self, "max_strength", None)
        return tuple(filter(None, [*named, strength.setting if strength else ""]))

    @property
    def domains(self) -> tuple[str, ...]:
        """The parts of the chart's index that it reads."""
        return self.reads

    @property
    def slots(self) -> tuple[str, ...]:
        """The prefetch keys that must be complete before it may be absent."""
        return self.rests_on

    @property
    def draft_dependent(self) -> bool:
        """Whether the answer may differ from draft to draft."""
        return self.of_draft


class _OfSets(FactDefinition, frozen=True):
    value_sets: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not self.value_sets:
            raise ValueError("no value set")


class _Dated(_OfSets, frozen=True):
    lookback: str = ""
    undated: Literal["include", "unknown"] = "unknown"


class Problem(_Dated, frozen=True, tag="problem"):
    """A diagnosis, a complaint or a reason.

    `unread`: what in another code system makes it unknown: one Condition ("entry"), a chart that
    has no Condition of a system its sets have ("chart"), or nothing ("never").
    """

    verification: Annotated[frozenset[Status], Meta(min_length=1)] = frozenset(
        {"confirmed", "suspected"}
    )
    clinical: Literal["active", "any"] = "active"
    sources: tuple[ProblemSource, ...] = field(name="from", default=("condition",))
    encounter_lookback: str = ""
    body_site: str = ""
    not_body_site: str = ""
    not_body_site_words: tuple[Text, ...] = ()
    by_words: ByWords | None = None
    cleared_by: str = ""
    unread: Literal["entry", "chart", "never"] = "entry"

    @property
    def domains(self) -> tuple[str, ...]:
        return _domains(self.sources, self.cleared_by)

    @property
    def slots(self) -> tuple[str, ...]:
        """Those of its first source: an encounter that could not be had does not make a recorded
        complaint unknown where the conditions are there (clinical section 2.1)."""
        if "condition" in self.sources:
            return ("conditions",)
        if "encounter" in self.sources:
            return ("encounter",)
        return ("observations",) if "observation" in self.sources else ()

    @property
    def draft_dependent(self) -> bool:
        return "order-reason" in self.sources


class _OfDrugs(_OfSets, frozen=True):
    """`disputed`: an entry whose code and name are different drugs: unknown, or it counts."""

    routes: Literal["systemic", "injected", "any"] = "systemic"
    max_strength: MaxStrength | None = None
    disputed: Literal["unknown", "counts"] = "unknown"
    reads: ClassVar[tuple[str, ...]] = ("drugs",)


class Drug(_OfDrugs, frozen=True, tag="drug"):
    """A medication in use. `given_within`: how long administered doses count.

    `uncounted`: instead the entries that may be the drug and are not counted as it.
    """

    lookback: str = ""
    undated: Literal["include", "unknown"] = "unknown"
    given_within: str = ""
    uncounted: bool = False
    rests_on: ClassVar[tuple[str, ...]] = _DRUG_SLOTS


class DraftDrug(_OfDrugs, frozen=True, tag="draft-drug"):
    """The medication order under evaluation.

    `in_use`: all that the draft has of the sets is in use already.
    """

    in_use: bool = False
    of_draft: ClassVar[bool] = True

    @property
    def slots(self) -> tuple[str, ...]:
        return _DRUG_SLOTS if self.in_use else ()


class DraftOrder(_OfSets, frozen=True, tag="draft-order"):
    """The order under evaluation, of a test or a service."""

    reads: ClassVar[tuple[str, ...]] = ("orders",)
    of_draft: ClassVar[bool] = True


class Order(_Dated, frozen=True, tag="order"):
    """What is ordered already, on file or as another draft."""

    reads: ClassVar[tuple[str, ...]] = ("drugs", "orders")
    rests_on: ClassVar[tuple[str, ...]] = ("serviceRequests",)
    of_draft: ClassVar[bool] = True


class Procedure(_Dated, frozen=True, tag="procedure"):
    """Something that was done."""

    sources: tuple[ProcedureSource, ...] = field(name="from", default=PROCEDURE_SOURCES)

    @property
    def domains(self) -> tuple[str, ...]:
        return _domains(self.sources)

    @property
    def slots(self) -> tuple[str, ...]:
        """A test such as an ABI is recorded as an Observation more often than as a Procedure."""
        tests = any(set_id.startswith("obs-") for set_id in self.value_sets)
        recorded = "observation" in self.sources and tests
        return ("procedures", "observations") if recorded else ("procedures",)


class _OfResults(_OfSets, frozen=True):
    reads: ClassVar[tuple[str, ...]] = ("observations",)
    rests_on: ClassVar[tuple[str, ...]] = ("observations",)


class Quantity(_OfResults, frozen=True, kw_only=True, tag="quantity"):
    """A measured or computed value.

    `taken`: of a ratio of pressures, the state of the patient. `unitless`: the highest value that
    is accepted without a unit.
    """

    unit: Text
    lookback: str = ""
    pick: Literal["newest", "lowest", "highest"] = "newest"
    of_one_moment: Literal["lowest", "highest"] = "lowest"
    decimals: Annotated[int, Meta(ge=0)] | None = None
    plausible: Range = Range()
    unitless: Decimal | None = None
    analyte: str = ""
    taken: Literal["at-rest", "after-exercise"] = "at-rest"
    computed: Computed | None = None

    @property
    def unit_table(self) -> str:
        return self.analyte or self.value_sets[0]

    @property
    def computed_from(self) -> tuple[str, ...]:
        return self.computed.parts if self.computed else ()


class Named(_OfResults, frozen=True, kw_only=True, tag="named"):
    """The results because of which the quantity `of` is unknown."""

    of: Text
    lookback: str = ""


class Coded(_OfResults, frozen=True, tag="coded"):
    """An Observation with a coded answer. `answers`: value set ids or literals."""

    lookback: str = ""
    undated: Literal["include", "unknown"] = "unknown"
    answers: tuple[Text, ...] = ()
    cleared_by: str = ""

    @property
    def domains(self) -> tuple[str, ...]:
        return _domains(("observations",), self.cleared_by)


class Answer(FactDefinition, frozen=True, tag="answer"):
    """An answer to a question of the project's questionnaire."""

    lookback: str = ""
    questionnaire: str = ""
    link_id: str = ""
    answers: tuple[Text, ...] = ()


class Code(FactDefinition, frozen=True, tag="code"):
    """A code of the patient or the encounter."""

    path: str = ""


class Number(FactDefinition, frozen=True, tag="number"):
    """A number about the patient."""

    path: str = ""
    unit: str = ""


class Flag(FactDefinition, frozen=True, tag="flag"):
    """What a reader of its own judges (`kinds.flag`)."""

    value_sets: tuple[Text, ...] = ()
    cleared_by: str = ""

    def __post_init__(self) -> None:
        if self.name in _FLAGS_OF_SETS and not self.value_sets:
            raise ValueError("needs valueSet")

    @property
    def domains(self) -> tuple[str, ...]:
        return () if self.draft_dependent else _domains(("observations",), self.cleared_by)

    @property
    def draft_dependent(self) -> bool:
        return self.name.startswith("draft.")


OfPerson = Answer | Code | Number | Flag
OfDraft = DraftDrug | DraftOrder | Order
AnyFact = Problem | Drug | Procedure | Quantity | Named | Coded | OfDraft | OfPerson


def read(name: str, entry: Any) -> FactDefinition:
    """A fact from its JSON, or ValueError with its name. The schema says it more kindly."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"fact {name}: not an object")
    try:
        shaped: FactDefinition = msgspec.convert(_plain(name, entry), AnyFact)
    except msgspec.ValidationError as error:
        raise ValueError(f"fact {name}: {error}") from error
    return shaped


def _plain(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry as the shapes have it: one spelling for one set and for several answers."""
    plain = {key: value for key, value in entry.items() if key not in _FOR_PEOPLE}
    plain |= {"name": name, "title": str(entry.get("title") or name)}
    if "valueSet" in plain:
        plain["valueSets"] = [plain.pop("valueSet")]
    if "computed" in plain:
        plain["computed"] = _computed(plain["computed"])
    if "answers" in plain:
        answers = plain["answers"]
        listed = answers if isinstance(answers, list | tuple) else [answers]
        plain["answers"] = [str(a).lower() if isinstance(a, bool) else a for a in listed]
    return plain


def _computed(ways: Any) -> Mapping[str, Any]:
    if not isinstance(ways, Mapping) or len(ways) != 1:
        return {}
    [(how, named)] = ways.items()
    of, *against = [named] if isinstance(named, str) else named
    return {"how": how, "of": of, "against": "".join(against)}


def _domains(sources: tuple[str, ...], cleared_by: str = "") -> tuple[str, ...]:
    read = {domain for source in sources for domain in _OF_SOURCE.get(source, (source,))}
    return tuple(sorted(read | ({"conditions", "procedures"} if cleared_by else set())))
