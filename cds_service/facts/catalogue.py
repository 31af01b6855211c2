"""The fact catalogue: what each fact reads, as data (docs/rule-format.md, Facts).

The JSON Schemas report to people; here a wrong entry only raises, with the fact's name.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from cds_service.facts.model import Fact, State

PROBLEM_SOURCES = ("condition", "encounter", "order-reason", "observation")
PROCEDURE_SOURCES = ("procedure", "report", "observation")
_SETS = {"valueSet", "valueSets", "lookback", "undated"}
KINDS: Mapping[str, frozenset[str]] = {
    "problem": frozenset(
        _SETS
        | {"verification", "clinical", "from", "encounterLookback", "notBodySite", "bodySite"}
        | {"notBodySiteWords", "byWords", "clearedBy", "unread"}
    ),
    "drug": frozenset(_SETS | {"routes", "givenWithin", "maxStrength", "disputed", "uncounted"}),
    "draft-drug": frozenset(
        {"valueSet", "valueSets", "routes", "maxStrength", "inUse", "disputed"}
    ),
    "draft-order": frozenset({"valueSet", "valueSets"}),
    "order": frozenset(_SETS),
    "procedure": frozenset(_SETS | {"from"}),
    "quantity": frozenset(
        {"valueSet", "valueSets", "lookback", "unit", "pick", "decimals", "plausible"}
        | {"unitless", "analyte", "taken", "computed"}
    ),
    "named": frozenset({"valueSet", "valueSets", "lookback", "of"}),
    "coded": frozenset(_SETS | {"answers", "clearedBy"}),
    "answer": frozenset({"lookback", "questionnaire", "linkId", "answers"}),
    "code": frozenset({"path"}),
    "number": frozenset({"path", "unit"}),
    "flag": frozenset({"valueSet", "clearedBy"}),
}
# Before the id of a value set: results that are of it by name, or by code or name where the two
# disagree. They are filed apart, and make the facts of the set unknown.
NAMED = "named:"
DRAFT_KINDS = frozenset({"draft-drug", "draft-order", "order"})


@dataclass(frozen=True, slots=True)
class Range:
    """The plausible values of a quantity, in its unit. None is unbounded."""

    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    at_most: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        """Whether a value can be real."""
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )


@dataclass(frozen=True, slots=True)
class MaxStrength:
    """Products of one ingredient count only above a strength in mg (aspirin against platelets)."""

    ingredient: str
    milligrams: Decimal | None
    setting: str = ""


@dataclass(frozen=True, slots=True)
class ByWords:
    """Codes that an entry's words decide on (`facts.entry_words`); `wide`, `narrow`: value sets."""

    wide: str
    narrow: str
    here: tuple[str, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """How a quantity follows from other quantities of the catalogue (`facts.computed`).

    `how`: "percent": the first in per cent of the second, both of one day, where nothing was
    reported. "drop": how many per cent the first lies below the second, of one side. "multiple":
    the first as a multiple of the upper reference limit that came with it. "same-day": the first
    as measured on the day of the second's value that counts. "named": results that only their name
    says to be of the first and that keep it from being known; they have no value here.
    """

    how: str
    of: str
    against: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The facts that it follows from."""
        return (self.of, self.against) if self.against else (self.of,)


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One entry of the catalogue. Look-backs and the like name settings, never numbers."""

    name: str
    kind: str
    title: str
    value_sets: tuple[str, ...] = ()
    lookback: str = ""
    undated: str = ""  # "include", "unknown", or "" for the default
    # problem
    verification: frozenset[str] = frozenset({"confirmed", "suspected"})
    clinical: str = "active"
    sources: tuple[str, ...] = ()  # "from"
    encounter_lookback: str = ""
    body_site: str = ""
    not_body_site: str = ""
    not_body_site_words: tuple[str, ...] = ()
    by_words: ByWords | None = None
    cleared_by: str = ""
    # drug
    routes: str = "systemic"
    given_within: str = ""
    max_strength: MaxStrength | None = None
    disputed: str = "unknown"  # an entry whose code and name are different drugs: or it "counts"
    uncounted: bool = False  # drug: the entries that may be the drug and are not counted as it
    in_use: bool = False  # draft-drug: all that the draft has of the sets is in use already
    # quantity
    unit: str = ""
    pick: str = "newest"
    decimals: int | None = None
    plausible: Range = Range()
    unitless: Decimal | None = None
    analyte: str = ""
    taken: str = "at-rest"  # of a ratio of pressures: "at-rest" or "after-exercise"
    computed: Computed | None = None
    of: str = ""  # named: the quantity whose results these are
    # problem: what in another code system makes it unknown: one Condition ("entry"), a chart that
    # has no Condition of a system its sets have ("chart"), or nothing ("never")
    unread: str = "entry"
    # coded, answer, code
    answers: tuple[str, ...] = ()
    questionnaire: str = ""
    link_id: str = ""
    path: str = ""

    @property
    def unit_table(self) -> str:
        """The analyte by whose table values and thresholds are converted."""
        return self.analyte or next(iter(self.value_sets), "")

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that the fact names."""
        strength = self.max_strength.setting if self.max_strength else ""
        named = (self.lookback, self.encounter_lookback, self.given_within, strength)
        return tuple(name for name in named if name)

    @property
    def draft_dependent(self) -> bool:
        """Whether the answer may differ from draft to draft."""
        return (
            self.kind in DRAFT_KINDS
            or "order-reason" in self.sources
            or (self.kind == "flag" and self.name.startswith("draft."))
        )


@dataclass(frozen=True)
class Catalogue:
    """All facts by name, and which of them may read what."""

    facts: Mapping[str, FactDefinition]
    readers: Mapping[str, Mapping[str, frozenset[str]]] = field(init=False, repr=False)
    by_slots: Mapping[tuple[str, ...], frozenset[str]] = field(init=False, repr=False)
    always: frozenset[str] = field(init=False, repr=False)
    answers: frozenset[str] = field(init=False, repr=False)
    by_order_reason: frozenset[str] = field(init=False, repr=False)
    of_patient: frozenset[str] = field(init=False, repr=False)  # the same for every draft
    absent: Mapping[str, Fact] = field(init=False, repr=False)  # each as certainly absent
    # What `facts.wanted` looked up for it, by terminology.
    remembered: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        readers: dict[str, dict[str, set[str]]] = {domain: {} for domain in DOMAINS}
        by_slots: dict[tuple[str, ...], set[str]] = {}
        for definition in self.facts.values():
            for domain in domains_of(definition):
                for set_id in self._sets_read(definition):
                    readers[domain].setdefault(set_id, set()).add(definition.name)
            by_slots.setdefault(slots_of(definition), set()).add(definition.name)
        for domain in ("observations", "drugs"):
            for set_id, names in list(readers[domain].items()):
                readers[domain][NAMED + set_id] = names
        frozen = {
            domain: MappingProxyType({key: frozenset(names) for key, names in sets.items()})
            for domain, sets in readers.items()
        }
        object.__setattr__(self, "readers", MappingProxyType(frozen))
        object.__setattr__(self, "by_slots", {key: frozenset(n) for key, n in by_slots.items()})
        object.__setattr__(self, "always", self._of_kinds("number", "code", "flag"))
        object.__setattr__(self, "answers", self._of_kinds("answer"))
        reasons = (name for name, d in self.facts.items() if "order-reason" in d.sources)
        object.__setattr__(self, "by_order_reason", frozenset(reasons))
        of_patient = (name for name, d in self.facts.items() if not d.draft_dependent)
        object.__setattr__(self, "of_patient", frozenset(of_patient))
        absent = {name: Fact(name, State.ABSENT) for name in self.facts}
        object.__setattr__(self, "absent", MappingProxyType(absent))

    def _sets_read(self, definition: FactDefinition) -> Iterator[str]:
        """The value sets of a fact, and of the facts that it is computed from."""
        yield from definition.value_sets
        if definition.cleared_by:
            yield definition.cleared_by
        for name in definition.computed.parts if definition.computed else ():
            if name in self.facts:
                yield from self.facts[name].value_sets

    @property
    def results(self) -> frozenset[str]:
        """The value sets of measured values."""
        measured = (d.value_sets for d in self.facts.values() if d.kind == "quantity")
        return frozenset(set_id for sets in measured for set_id in sets)

    def _of_kinds(self, *kinds: str) -> frozenset[str]:
        return frozenset(name for name, d in self.facts.items() if d.kind in kinds)

    def __getitem__(self, name: str) -> FactDefinition:
        return self.facts[name]

    def __contains__(self, name: object) -> bool:
        return name in self.facts

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Catalogue":
        """Read `{"facts": {name: {...}}}`; raises ValueError with the fact's name."""
        facts = raw.get("facts")
        if not isinstance(facts, Mapping):
            raise ValueError("the fact catalogue has no object 'facts'")
        return cls(
            MappingProxyType({name: _definition(name, entry) for name, entry in facts.items()})
        )


DOMAINS = ("conditions", "reasons", "findings", "drugs", "orders", "procedures", "observations")
_KIND_DOMAINS = {
    "drug": ("drugs",),
    "draft-drug": ("drugs",),
    "draft-order": ("orders",),
    "order": ("orders", "drugs"),
    "quantity": ("observations",),
    "named": ("observations",),
    "coded": ("observations",),
    "flag": ("observations",),
}
_SOURCE_DOMAINS = {
    "condition": ("conditions",),
    "encounter": ("reasons",),
    "order-reason": ("reasons",),
    "observation": ("observations", "findings"),
    "procedure": ("procedures",),
    "report": ("procedures",),
}
_KIND_SLOTS = {
    "drug": ("medicationRequests", "medicationStatements"),
    "order": ("serviceRequests",),
    "quantity": ("observations",),
    "named": ("observations",),
    "coded": ("observations",),
}


def domains_of(definition: FactDefinition) -> tuple[str, ...]:
    """The parts of the index that a fact reads."""
    found = {d for source in definition.sources for d in _SOURCE_DOMAINS[source]}
    found = found or set(_KIND_DOMAINS.get(definition.kind, ()))
    if definition.cleared_by:
        found |= {"conditions", "procedures"}
    return tuple(sorted(found))


def slots_of(definition: FactDefinition) -> tuple[str, ...]:
    """The prefetch keys that must be complete before the fact may be absent.

    A problem rests on its first source: an encounter that could not be had does not make a
    recorded complaint unknown where the conditions are there (clinical section 2.1). A test such
    as an ABI is recorded as an Observation more often than as a Procedure.
    """
    if definition.kind == "problem":
        if "condition" in definition.sources:
            return ("conditions",)
        if "encounter" in definition.sources:
            return ("encounter",)
        return ("observations",) if "observation" in definition.sources else ()
    if definition.in_use:
        return _KIND_SLOTS["drug"]
    if definition.kind == "procedure":
        tests = any(set_id.startswith("obs-") for set_id in definition.value_sets)
        recorded = "observation" in definition.sources and tests
        return ("procedures", "observations") if recorded else ("procedures",)
    return _KIND_SLOTS.get(definition.kind, ())


def _definition(name: str, entry: Any) -> FactDefinition:
    if not isinstance(entry, Mapping):
        raise ValueError(f"fact {name}: not an object")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"fact {name}: unknown kind {kind!r}")
    values: dict[str, Any] = {"name": name, "kind": kind, "title": str(entry.get("title") or name)}
    for key, value in entry.items():
        if key in ("kind", "title", "note", "description", "offered"):
            continue
        if key not in KINDS[kind]:
            raise ValueError(f"fact {name}: unknown property {key!r} for kind {kind}")
        target, reader = _PROPERTIES[key]
        try:
            values[target] = reader(value)
        except (ValueError, TypeError, AttributeError, InvalidOperation) as error:
            raise ValueError(f"fact {name}: property {key!r} cannot be {value!r}") from error
    values.setdefault("sources", _DEFAULT_SOURCES.get(kind, ()))
    if kind == "flag":
        values.setdefault("value_sets", _FLAG_SETS.get(name, ()))
    return _checked(FactDefinition(**values))


_FLAG_SETS = {"pregnancy.due-ahead": ("obs-edd",)}  # what a flag reads unless it says otherwise
_DEFAULT_SOURCES = {"problem": ("condition",), "procedure": PROCEDURE_SOURCES}


def _checked(definition: FactDefinition) -> FactDefinition:
    allowed = {"problem": PROBLEM_SOURCES, "procedure": PROCEDURE_SOURCES}.get(definition.kind, ())
    strange = [source for source in definition.sources if source not in allowed]
    if strange:
        raise ValueError(f"fact {definition.name}: unknown source {strange[0]!r}")
    takes_sets = "valueSet" in KINDS[definition.kind] and definition.kind != "flag"
    if takes_sets and not definition.value_sets:
        raise ValueError(f"fact {definition.name}: no value set")
    if definition.kind == "quantity" and not definition.unit:
        raise ValueError(f"fact {definition.name}: no unit")
    return definition


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_text(value),)
    return tuple(_text(element) for element in value)


def _answers(value: Any) -> tuple[str, ...]:
    """Value set ids or literals; booleans are written as FHIR does."""
    elements = value if isinstance(value, list | tuple) else [value]
    return tuple(
        str(element).lower() if isinstance(element, bool) else _text(element)
        for element in elements
    )


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(value)
        return str(value)

    return read


def _verification(value: Any) -> frozenset[str]:
    return frozenset(map(_one_of("confirmed", "suspected", "refuted"), _texts(value)))


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(value)
    return Decimal(str(value))


def _count(value: Any) -> int:
    if isinstance(value, bool) or int(value) < 0:
        raise ValueError(value)
    return int(value)


def _range(value: Any) -> Range:
    names = {"above": "above", "atLeast": "at_least", "below": "below", "atMost": "at_most"}
    return Range(**{names[key]: _number(bound) for key, bound in _known(value, names).items()})


def _known(value: Any, names: Mapping[str, str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) - set(names):
        raise ValueError(value)
    return value


def _strength(value: Any) -> MaxStrength:
    """`{"ingredient": "aspirin", "mg": 325}` or with `"setting"` in place of `"mg"`."""
    entry = _known(value, dict.fromkeys(("ingredient", "mg", "setting"), ""))
    if ("mg" in entry) == ("setting" in entry):
        raise ValueError(value)
    milligrams = _number(entry["mg"]) if "mg" in entry else None
    return MaxStrength(_text(entry.get("ingredient")).lower(), milligrams, entry.get("setting", ""))


def _by_words(value: Any) -> ByWords:
    entry = _known(value, dict.fromkeys(("wide", "narrow", "here", "elsewhere"), ""))
    return ByWords(
        _text(entry.get("wide")),
        _text(entry.get("narrow")),
        _texts(entry.get("here")),
        _texts(entry.get("elsewhere")),
    )


def _computed(value: Any) -> Computed:
    """`{"percent": ["lab.iron", "lab.tibc"]}`, `{"drop": [...]}`, `{"same-day": [...]}`,
    `{"multiple": "lab.ck"}` or `{"named": "lab.ferritin"}`."""
    known = dict.fromkeys(("percent", "drop", "same-day", "multiple", "named"), "")
    (how, names), *more = _known(value, known).items()
    parts = _texts(names)
    if more or len(parts) != (1 if how in ("multiple", "named") else 2):
        raise ValueError(value)
    return Computed(how, *parts)


_PROPERTIES: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "valueSet": ("value_sets", _texts),
    "valueSets": ("value_sets", _texts),
    "lookback": ("lookback", _text),
    "undated": ("undated", _one_of("include", "unknown")),
    "verification": ("verification", _verification),
    "clinical": ("clinical", _one_of("active", "any")),
    "from": ("sources", _texts),
    "encounterLookback": ("encounter_lookback", _text),
    "bodySite": ("body_site", _text),
    "notBodySite": ("not_body_site", _text),
    "notBodySiteWords": ("not_body_site_words", _texts),
    "byWords": ("by_words", _by_words),
    "clearedBy": ("cleared_by", _text),
    "routes": ("routes", _one_of("systemic", "injected", "any")),
    "givenWithin": ("given_within", _text),
    "maxStrength": ("max_strength", _strength),
    "inUse": ("in_use", bool),
    "uncounted": ("uncounted", bool),
    "unit": ("unit", _text),
    "pick": ("pick", _one_of("newest", "lowest", "highest")),
    "decimals": ("decimals", _count),
    "plausible": ("plausible", _range),
    "unitless": ("unitless", _number),
    "analyte": ("analyte", _text),
    "taken": ("taken", _one_of("at-rest", "after-exercise")),
    "computed": ("computed", _computed),
    "of": ("of", _text),
    "disputed": ("disputed", _one_of("unknown", "counts")),
    "unread": ("unread", _one_of("entry", "chart", "never")),
    "answers": ("answers", _answers),
    "questionnaire": ("questionnaire", _text),
    "linkId": ("link_id", _text),
    "path": ("path", _text),
}
