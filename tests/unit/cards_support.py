"""A small pack and hand-made findings for the tests of cards."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cds_service.cards.compose import compose
from cds_service.facts.chart import Chart, Draft
from cds_service.facts.model import Fact, Item, Quantity, State
from cds_service.protocol.model import Card, HookRequest
from cds_service.rules.model import (
    Evaluation,
    Finding,
    Group,
    Pack,
    Rule,
    ServiceDefinition,
    Setting,
)
from cds_service.terminology.index import Terminology

REQUEST = HookRequest(
    hook="patient-view",
    hook_instance="b4f1f3a0-7a5d-4a59-9c7f-1df5b0b4b6a1",
    patient_id="p1",
    user_id="Practitioner/x",
    encounter_id="e1",
)

GROUPS = {
    group.id: group
    for group in (
        Group("quinine", "Quinine", 20, "first"),
        Group("rls", "Restless legs", 30, "first"),
        Group(
            "drug-review",
            "Drugs that may provoke cramps",
            50,
            "list",
            many="Leg cramps: {count} active drugs may provoke cramps ({names}); review",
            merge=True,
        ),
        Group(
            "assoc",
            "Associated conditions",
            60,
            "list",
            many="Leg cramps with {count} findings on record ({names})",
            merge=True,
        ),
        Group("cramp", "First-line care", 80, "first", merge=True),
        Group("redflag", "Red flags", 10, "each"),
        Group("orders", "Orders", 90, "each"),
    )
}


class StubFacts:
    """Facts that were decided beforehand; everything else is absent."""

    def __init__(self, *facts: Fact, drafts: Sequence[Draft] = ()) -> None:
        self._facts = {fact.name: fact for fact in facts}
        self.chart = Chart({}, drafts=tuple(drafts))
        self.unrecognised_medications = 0

    def get(
        self,
        name: str,
        within: int | str | None = None,
        draft: int | None = None,
        undated: str | None = None,
    ) -> Fact:
        return self._facts.get(name) or Fact(name, State.ABSENT)

    unrecognised: Mapping[str, Mapping[str, int]] = {}

    def possible(self, draft: int | None = None) -> Collection[str]:
        return self._facts


def pack(**changes: Any) -> Pack:
    settings = {
        "ferritin.low": Setting("ferritin.low", Decimal("50"), Decimal("50"), "ng/mL"),
        "ferritin.lookback": Setting("ferritin.lookback", Decimal("365"), Decimal("365"), "d"),
        "abi.low": Setting("abi.low", Decimal("0.90"), Decimal("0.90"), "1"),
        "on": Setting("on", True, True),
        "off": Setting("off", False, False),
    }
    made = Pack(
        name="test",
        version="1",
        revision="0123abcd",
        root=Path("hooks"),
        profiles=("seed-default",),
        settings=settings,
        groups=GROUPS,
        catalogue=cast(Any, SimpleNamespace(facts={})),
        definitions={},
        terminology=Terminology({}),
        rules=(),
        services=(),
        exclusions=(),
        conditional={
            "definition": "cramp-complaint",
            "summary": "If leg cramps are the concern: {count} finding(s) on file may be "
            "relevant ({names})",
            "detail": ["The list of conditions was not complete."],
        },
        links={"aasm": {"label": "AASM 2025", "url": "https://example.org/aasm"}},
        override_reasons={"not-rls": "Not restless legs", "data-wrong": "Data wrong"},
        orders={
            "iron-studies": {
                "resourceType": "ServiceRequest",
                "status": "draft",
                "intent": "proposal",
                "code": {"text": "Iron studies"},
            }
        },
    )
    return replace(made, **changes)


def service(hook: str = "patient-view", max_cards: int = 3) -> ServiceDefinition:
    return ServiceDefinition(
        id=f"leg-cramps-{hook}",
        hook=hook,
        title="",
        description="",
        usage_requirements="",
        prefetch={},
        required=frozenset(),
        groups=tuple(GROUPS),
        max_cards=max_cards,
    )


def rule(id: str, group: str = "drug-review", **changes: Any) -> Rule:
    card = {"indicator": "info", "summary": f"Summary of {id}", "detail": [f"Detail of {id}."]}
    made = Rule(
        id=id,
        version="1.0.0",
        status="active",
        hooks=("patient-view",),
        group=group,
        rank=10,
        title=f"Title of {id}",
        when={},
        unless=None,
        when_unknown="silent",
        card={**card, **changes.pop("card", {})},
        sources=({"label": f"Source of {id}", "url": "https://example.org/source"},),
    )
    return replace(made, **changes)


def finding(rule: Rule, *about: Item, **changes: Any) -> Finding:
    changes.setdefault("basis", about)
    return Finding(rule=rule, card=rule.card, about=about, **changes)


def drug(name: str, reference: str = "", **changes: Any) -> Item:
    changes.setdefault("ingredients", (name.lower(),))
    changes.setdefault("date_text", "2026-10-01")
    return Item(reference or f"MedicationStatement/{name.lower()}", name, **changes)


def problem(name: str, reference: str = "Condition/c1", **changes: Any) -> Item:
    return Item(reference, name, date_text="2026-09-01", **changes)


def ferritin(value: str = "49.9", **changes: Any) -> Item:
    quantity = Quantity(Decimal(value), "ng/mL", **changes)
    return Item("Observation/f1", "Ferritin", date(2026, 8, 21), "2026-08-21", quantity)


def known(name: str, *items: Item) -> Fact:
    return Fact(name, State.KNOWN, items)


def cards_of(
    *findings: Finding,
    facts: StubFacts | None = None,
    hook: str = "patient-view",
    max_cards: int = 3,
    public_url: str = "https://cds.example.org",
    **changes: Any,
) -> list[Card]:
    rules = tuple({one.rule.id: one.rule for one in findings}.values())
    return compose(
        pack(**{"rules": rules, **changes}),
        service(hook, max_cards),
        Evaluation(outcomes={}, findings=list(findings)),
        facts or StubFacts(),
        replace(REQUEST, hook=hook),
        public_url=public_url,
    )


def trace(card: Card) -> Mapping[str, Any]:
    extension: Mapping[str, Any] = card.extension["com.legcramps.cds"]
    return extension
