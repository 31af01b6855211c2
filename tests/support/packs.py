"""Small packs made by hand, for tests of what works on a pack and not on its files."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.facts.catalogue import Catalogue
from cds_service.rules.model import Group, Pack, Rule, ServiceDefinition, Setting
from cds_service.terminology.codings import ICD10CM, LOINC, RXNORM
from cds_service.terminology.index import Terminology
from cds_service.terminology.valueset import ParsedSet
from cds_service.units.table import UnitTables

CODES: Mapping[str, tuple[str, str]] = {
    "cramp": (ICD10CM, "G47.62"),
    "rls": (ICD10CM, "G25.81"),
    "dialysis": (ICD10CM, "Z99.2"),
    "diuretic": (RXNORM, "5487"),
    "iron": (RXNORM, "90176"),
    "quinine": (RXNORM, "9071"),
    "order-ferritin": (LOINC, "2276-4"),
    "obs-ferritin": (LOINC, "2276-4"),
    "obs-potassium": (LOINC, "2823-3"),
}
UNITS = {
    "obs-ferritin": {
        "canonical": "ng/mL",
        "units": {"ng/mL": {}, "pmol/L": {"dividedBy": "2.247"}},
    },
    "obs-potassium": {"canonical": "mmol/L", "units": {"mmol/L": {}}},
}
FACTS: Mapping[str, Any] = {
    "problem.cramp": {"kind": "problem", "title": "leg cramps", "valueSet": "cramp"},
    "problem.rls": {"kind": "problem", "title": "restless legs syndrome", "valueSet": "rls"},
    "problem.dialysis": {"kind": "problem", "title": "dialysis", "valueSet": "dialysis"},
    "drug.diuretic": {"kind": "drug", "title": "diuretic", "valueSet": "diuretic"},
    "drug.iron": {"kind": "drug", "title": "iron", "valueSet": "iron"},
    "draft.quinine": {"kind": "draft-drug", "title": "quinine", "valueSet": "quinine"},
    "order.ferritin": {"kind": "order", "title": "ferritin", "valueSet": "order-ferritin"},
    "lab.ferritin": {
        "kind": "quantity",
        "title": "ferritin",
        "valueSet": "obs-ferritin",
        "unit": "ng/mL",
        "lookback": "ferritin.lookback",
    },
    "lab.potassium": {
        "kind": "quantity",
        "title": "potassium",
        "valueSet": "obs-potassium",
        "unit": "mmol/L",
    },
    "patient.age": {"kind": "number", "title": "age"},
    "encounter.class": {"kind": "code", "title": "encounter class", "path": "class"},
    "patient.deceased": {"kind": "flag", "title": "patient is deceased"},
}
SETTINGS: Mapping[str, tuple[Any, str]] = {
    "ferritin.low": (50, "ng/mL"),
    "ferritin.lookback": (365, "d"),
    "potassium.low": ("3.5", "mmol/L"),
    "age.adult": (18, "a"),
    "order.lookback": (30, "d"),
    "demo": (False, ""),
}
DEFINITIONS: Mapping[str, Any] = {
    "complaint": {"fact": "problem.cramp", "op": "present"},
    "rls": {"fact": "problem.rls", "op": "present", "title": "restless legs"},
}
REVIEW = ServiceDefinition(
    id="review",
    hook="patient-view",
    title="Review",
    description="A service for tests.",
    usage_requirements="",
    prefetch={},
    required=frozenset(),
    groups=("one", "two"),
    max_cards=3,
)
ORDERS = ServiceDefinition(
    id="orders",
    hook="order-select",
    title="Orders",
    description="A service for tests.",
    usage_requirements="",
    prefetch={},
    required=frozenset(),
    groups=("one", "two"),
    max_cards=2,
)


def terminology() -> Terminology:
    """One code for each value set, enough for charts sketched with CODES."""
    sets = {name: ParsedSet(name, name, "1", "", {code: name}) for name, code in CODES.items()}
    units, faults = UnitTables.checked(UNITS)
    assert not faults
    return Terminology(sets, units=units)


def present(fact: str, **more: Any) -> dict[str, Any]:
    return {"fact": fact, "op": "present", **more}


def rule(rule_id: str, when: Any, **fields: Any) -> Rule:
    """A rule that fires with an info card; `fields` replaces what matters to the test."""
    values: dict[str, Any] = {
        "id": rule_id,
        "version": "1.0.0",
        "status": "active",
        "hooks": ("patient-view",),
        "group": "one",
        "rank": 10,
        "title": rule_id,
        "when": when,
        "unless": None,
        "when_unknown": "silent",
        "card": {"indicator": "info", "summary": f"summary of {rule_id}"},
    }
    return Rule(**{**values, **fields})


def setting(name: str, value: Any, unit: str = "") -> Setting:
    number = value if isinstance(value, bool) else Decimal(str(value))
    return Setting(name, number, number, unit)


def pack(
    rules: Sequence[Rule],
    *,
    facts: Mapping[str, Any] = FACTS,
    settings: Mapping[str, tuple[Any, str]] = SETTINGS,
    definitions: Mapping[str, Any] = DEFINITIONS,
    exclusions: Sequence[Mapping[str, Any]] = (),
    conditional: str = "complaint",
    services: Sequence[ServiceDefinition] = (REVIEW, ORDERS),
    raw: Mapping[str, Any] | None = None,
) -> Pack:
    """A pack of these rules."""
    return Pack(
        name="test",
        version="1.0.0",
        revision="0" * 64,
        root=Path("nowhere"),
        profiles=("seed-default",),
        settings={name: setting(name, *value) for name, value in settings.items()},
        groups={
            name: Group(name, name, order, "each") for order, name in enumerate(("one", "two"))
        },
        catalogue=Catalogue.from_json({"facts": facts}),
        definitions=definitions,
        terminology=terminology(),
        rules=tuple(rules),
        services=tuple(services),
        exclusions=tuple(exclusions),
        conditional={"definition": conditional} if conditional else {},
        links={},
        override_reasons={},
        orders={},
        raw=raw or {},
    )
