"""Changes a chart so that a rule fires: the steps of `authoring.nearest` done to its entries."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from cds_service.authoring.nearest import Step, Way, value_for, way_to_fire
from cds_service.facts.base import FactBase
from cds_service.facts.definitions import Answer, Code, FactDefinition, Number
from cds_service.facts.model import Fact, State
from cds_service.rules.context import Context
from cds_service.rules.engine import contexts
from cds_service.rules.leaves import CodeIn, Leaf, Measured
from cds_service.rules.model import Pack, Setting
from cds_service.rules.ruleset import CompiledRule, RuleSet
from cds_service.ruletests.trial import questionnaire_of
from cds_service.workbench import entries
from cds_service.workbench.chart import ChartState, Resource, reference_of

Json = Any
_KINDS: Mapping[str, entries.Kind] = {
    "problem": "problem",
    "drug": "drug",
    "quantity": "result",
    "coded": "result",
    "procedure": "procedure",
    "order": "order",
    "draft-drug": "draft-drug",
    "draft-order": "draft-test",
}
_UCUM = "http://unitsofmeasure.org"


def ways(
    ruleset: RuleSet, service_id: str, facts: FactBase
) -> dict[tuple[str, int | None], tuple[CompiledRule, Context, Way]]:
    """For each rule of a service, and each draft, the way by which it would fire."""
    plan = ruleset.plans[service_id]
    return {
        (compiled.rule.id, context.draft): (compiled, context, way_to_fire(compiled, context))
        for context in contexts(plan, facts)
        for compiled in plan.rules
    }


class Changer:
    """Does steps to a chart. A step that no entry can bring about is None."""

    def __init__(self, pack: Pack, context: Context, now: datetime) -> None:
        self._pack = pack
        self._context = context
        self._now = now

    def apply(self, state: ChartState, way: Way) -> ChartState | None:
        """The chart after all steps of a way; None where one of them cannot be done."""
        for step in way.steps:
            changed = self.step(state, step)
            if changed is None:
                return None
            state = changed
        return state

    def step(self, state: ChartState, step: Step) -> ChartState | None:
        """The chart after one step."""
        leaf = step.node
        if not isinstance(leaf, Leaf):
            return None
        definition = self._pack.catalogue.facts[leaf.fact]
        fact = leaf.read(self._context)
        wanted = step.want in ("yes", "not-no")
        if isinstance(leaf, Measured):
            return self._measured(state, leaf, step, definition, fact)
        if isinstance(leaf, CodeIn):
            return _coded(state, leaf, definition) if wanted else None
        present = wanted == (leaf.source.get("op") == "present")
        if present:
            return self._added(state, definition)
        gone = [ref for item in fact.items for ref in _references(item.reference, item.details)]
        return state.without(gone) if gone else None

    def _measured(
        self,
        state: ChartState,
        leaf: Measured,
        step: Step,
        definition: FactDefinition,
        fact: Fact,
    ) -> ChartState | None:
        value = value_for(leaf, step.want, self._small(leaf))
        if value is None:
            return None
        if isinstance(definition, Number):
            return _of_age(state, int(value), self._now)
        if fact.state is State.KNOWN:
            changed = _with_value(state, fact.items[0].reference, value, definition.unit)
            if changed is not None:
                return changed
        return self._added(state, definition, f"{value} {_unit(definition)}".strip())

    def _small(self, leaf: Measured) -> Decimal:
        """The setting's own small step, or one for a threshold without."""
        setting: Setting | None = self._pack.settings.get(leaf.source.get("setting", ""))
        if setting is not None and setting.step:
            return setting.step
        return Decimal("0.1") if leaf.threshold and leaf.threshold < 10 else Decimal(1)

    def _added(
        self, state: ChartState, definition: FactDefinition, value: str = ""
    ) -> ChartState | None:
        if isinstance(definition, Answer):
            return self._answered(state, definition)
        kind = _KINDS.get(definition.kind)
        coded = entries.example(self._pack, definition) if kind else None
        if kind is None or coded is None:
            return None
        return entries.add(state, kind, coded, self._now, value)

    def _answered(self, state: ChartState, definition: Answer) -> ChartState:
        """The questionnaire's newest response with one more answer of yes."""
        old = state.of_type("QuestionnaireResponse")
        item = {"linkId": definition.link_id, "answer": [{"valueBoolean": True}]}
        items = old[-1].get("item", []) if old else []
        kept = [answered for answered in items if answered.get("linkId") != definition.link_id]
        response = {
            "resourceType": "QuestionnaireResponse",
            "id": state.new_id("QuestionnaireResponse"),
            "status": "completed",
            "questionnaire": definition.questionnaire or questionnaire_of(self._pack),
            "subject": {"reference": f"Patient/{state.patient_id}"},
            "authored": self._now.date().isoformat(),
            "item": [*kept, item],
        }
        return state.without(map(reference_of, old[-1:])).with_resource(response)


def _references(reference: str, details: Mapping[str, str]) -> list[str]:
    return [target for target in (reference, details.get("also", "")) if target]


def _unit(definition: FactDefinition) -> str:
    return "" if definition.unit in ("1", "{ratio}") else definition.unit


def _coded(state: ChartState, leaf: CodeIn, definition: FactDefinition) -> ChartState | None:
    code = min(leaf.codes)
    if isinstance(definition, Code) and definition.path == "Patient.gender":
        return _of_patient(state, lambda patient: {**patient, "gender": code})
    return None


def _of_age(state: ChartState, years: int, now: datetime) -> ChartState | None:
    born = f"{now.year - years - 1:04d}-12-31" if (now.month, now.day) < (12, 31) else str(now.year)
    return _of_patient(state, lambda patient: {**patient, "birthDate": born})


def _of_patient(state: ChartState, change: Callable[[Resource], Resource]) -> ChartState | None:
    if not state.of_type("Patient"):
        return None
    changed = tuple(
        change(resource) if resource.get("resourceType") == "Patient" else resource
        for resource in state.resources
    )
    return replace(state, resources=changed)


def _with_value(state: ChartState, reference: str, value: Decimal, unit: str) -> ChartState | None:
    """The chart with another value of one result; None where it has no plain value."""
    target = next(
        (resource for resource in state.resources if reference_of(resource) == reference), None
    )
    if target is None or "valueQuantity" not in target or not unit:
        return None
    quantity = {"value": number(value), "unit": unit, "system": _UCUM, "code": unit}
    changed = {**target, "valueQuantity": quantity}
    kept = tuple(changed if resource is target else resource for resource in state.resources)
    return replace(state, resources=kept)


def number(value: Decimal) -> int | float:
    """As JSON writes it."""
    return int(value) if value == value.to_integral_value() else float(value)
