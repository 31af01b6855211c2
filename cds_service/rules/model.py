"""The pack as data, and what an evaluation says. Loaded by `packs`, evaluated by `rules.engine`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from cds_service.facts.catalogue import Catalogue
from cds_service.facts.model import Item, Truth
from cds_service.terminology.index import Terminology
from cds_service.values import value

Json = Any
Indicator = Literal["info", "warning", "critical"]
OutcomeName = Literal["fires", "no", "unknown", "error"]
Status = Literal["draft", "shadow", "active", "retired"]
INDICATORS: tuple[Indicator, ...] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Setting:
    """A named number or switch. `value` is the effective one, `default` the shipped one."""

    name: str
    value: Decimal | bool | str
    default: Decimal | bool | str
    unit: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None  # a clinically small change
    description: str = ""
    source: str = ""
    by_site: bool = False  # whether the site gave it another value than pack and profiles
    origin: str = "pack.json"  # the file (and line) or profile that the effective value came from


@dataclass(frozen=True, slots=True)
class Group:
    """How the findings of one theme become cards (docs/rule-format.md, Groups)."""

    id: str
    title: str
    order: int
    compose: Literal["first", "list", "each"]
    many: str = ""  # summary template for two subjects and more: {count}, {names}
    merge: bool = False  # may join the merged card when all are info


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """One `*.service.json`: a discovery entry and what stands behind it."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]
    required: frozenset[str]  # prefetch keys whose absence is 412
    groups: tuple[str, ...]
    max_cards: int  # in all
    enabled: bool = True


@dataclass(frozen=True)
class Rule:
    """One rule file. `when`, `unless` and variant conditions are JSON, compiled by `rules`."""

    id: str
    version: str
    status: Status
    hooks: tuple[str, ...]
    group: str
    rank: int
    title: str
    when: Json
    unless: Json | None
    when_unknown: Literal["silent", "conditional"]
    card: Mapping[str, Json]
    variants: tuple[Mapping[str, Json], ...] = ()
    about: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    sources: tuple[Mapping[str, str], ...] = ()
    supersedes: tuple[str, ...] = ()
    when_exclusion_unknown: Literal["soften", "keep"] = "soften"
    alone: bool = True
    joins: Literal["group", "any"] = "group"  # what it joins where it has no card of its own
    tier: str = ""
    review_by: date | None = None
    path: Path | None = None
    raw: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Translation:
    """The words of cards in another language, by the English that the pack and the program have."""

    tag: str  # of BCP 47: "de"
    title: str  # "Deutsch"
    texts: Mapping[str, str]  # of the pack and of the program
    names: Mapping[str, str]  # of tests, drugs and diagnoses
    decimal: str = "."
    day: str = ""  # a date's form: "{day}.{month}.{year}"; "" as sent
    month: str = ""
    reviewed: bool = False  # whether a native clinician answers for every part of it


@dataclass(frozen=True)
class Pack:
    """The effective clinical content, checked. Immutable: a change is a new pack."""

    name: str
    version: str
    revision: str  # SHA-256 over the canonical JSON of all files, profile and site included
    root: Path
    profiles: tuple[str, ...]
    settings: Mapping[str, Setting]
    groups: Mapping[str, Group]
    catalogue: Catalogue
    definitions: Mapping[str, Json]
    terminology: Terminology
    rules: tuple[Rule, ...]
    services: tuple[ServiceDefinition, ...]
    exclusions: tuple[
        Mapping[str, Json], ...
    ]  # pack-wide `unless`: {"when", "except": [...], "note"}
    conditional: Mapping[str, Json]  # {"definition": ..., "summary": ..., "detail": [...]}
    links: Mapping[str, Mapping[str, str]]
    override_reasons: Mapping[str, str]
    orders: Mapping[str, Json]  # order templates by name
    signed_off: Mapping[str, str] = field(default_factory=dict)  # who, role, date of this revision
    translations: Mapping[str, Translation] = field(default_factory=dict)  # by tag
    raw: Mapping[str, Json] = field(default_factory=dict)


@value
class TraceNode:
    """One node of an evaluated condition.

    `path`: where it stands in the rule file ("when.all[0]"). `text`: the node in plain words.
    `seen`: the items that decided it. `reasons`: why unknown.
    """

    path: str
    text: str
    truth: Truth
    seen: tuple[Item, ...] = ()
    reasons: tuple[str, ...] = ()
    children: tuple["TraceNode", ...] = ()


@value
class Finding:
    """A rule that fired for the patient or for one draft.

    `card` is the rule's card with the matching variant laid over it. `conditional` findings rest on
    the unknown complaint. `unknown_exclusions` are parts of `unless` and milder variants that could
    not be judged. `softened`: for one of them nothing may be taken away and nothing warned of.
    """

    rule: Rule
    card: Mapping[str, Json]
    draft: int | None = None  # index into Chart.drafts
    conditional: bool = False
    basis: tuple[Item, ...] = ()  # items of the YES leaves of `when` and of the variant's `when`
    about: tuple[Item, ...] = ()  # items of the rule's `about` facts
    unknown_exclusions: tuple[str, ...] = ()
    softened: bool = False
    notes: tuple[str, ...] = ()  # data-quality notes of the facts that the rule read


@value
class Evaluation:
    """What all rules of one service said of one chart.

    `outcomes` has every rule that did not say "no"; a rule id missing here said "no". With several
    drafts the strongest outcome counts (error, fires, unknown, no). `errors` maps a rule to the
    exception's class name only. `reads` are the prefetch keys that the service's rules rest on.
    """

    outcomes: Mapping[str, OutcomeName]
    findings: Sequence[Finding]
    unknown_because: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    rules_evaluated: int = 0
    reads: frozenset[str] = frozenset()
