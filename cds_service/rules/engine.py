"""Evaluates the rules of a service over the facts of one chart.

patient-view: each rule once. Order hooks: each rule once for every selected draft order. A rule
that raises gets the outcome `error` and the others still answer (invariant 6). A rule in shadow is
judged and counted; its finding is left out here.
"""

from collections.abc import Mapping

from cds_service.rules.context import Context, Facts
from cds_service.rules.logic import UNKNOWN, YES
from cds_service.rules.model import Evaluation, Finding, OutcomeName, ServiceDefinition
from cds_service.rules.ruleset import CompiledRule, Plan, RuleSet, compile_rules
from cds_service.rules.verdict import NOTHING, Verdict, judge

__all__ = ["compile_rules", "contexts", "evaluate"]

_STRENGTH: Mapping[OutcomeName, int] = {"no": 0, "unknown": 1, "fires": 2, "error": 3}


def evaluate(ruleset: RuleSet, service: ServiceDefinition, facts: Facts) -> Evaluation:
    """What the service's rules say of the chart behind `facts`.

    `Evaluation.rules_evaluated` counts the rules that could be other than "no", once each; the
    rest were not touched. Findings are in pack order, and by draft for order hooks.
    """
    tally = _Tally()
    plan = ruleset.plans[service.id]
    for context in contexts(plan, facts):
        assumed = assumed_context(ruleset, plan, context)
        for position in plan.index.positions(context):
            compiled = plan.rules[position]
            tally.add(compiled, _attempt(compiled, context, ruleset, assumed))
    return tally.evaluation(plan.reads)


def contexts(plan: Plan, facts: Facts) -> list[Context]:
    """What a service evaluates its rules on: the patient, or each selected draft in turn."""
    if not plan.per_draft:
        return [Context(facts)]
    drafts = enumerate(facts.chart.drafts)
    return [Context(facts, draft=index) for index, draft in drafts if draft.selected]


def assumed_context(ruleset: RuleSet, plan: Plan, context: Context) -> Context | None:
    """The context with the conditional definition taken as YES, where that question arises."""
    conditional = ruleset.conditional
    if conditional is None or plan.per_draft:
        return None
    try:
        if conditional.truth(context) is not UNKNOWN:
            return None
    except Exception:  # the rules that use the definition meet the same fault and report it
        return None
    return Context(context.facts, context.draft, {conditional.name: YES})


def _attempt(
    compiled: CompiledRule, context: Context, ruleset: RuleSet, assumed: Context | None
) -> Verdict | Exception:
    try:
        return judge(compiled, context, ruleset.words, assumed)
    except Exception as error:  # invariant 6: it becomes the rule's outcome and is counted
        return error


class _Tally:
    """Gathers verdicts; with several drafts the strongest outcome of a rule counts."""

    def __init__(self) -> None:
        self._outcomes: dict[str, OutcomeName] = {}
        self._findings: list[Finding] = []
        self._reasons: dict[str, tuple[str, ...]] = {}
        self._errors: dict[str, str] = {}
        self._seen: set[str] = set()

    def add(self, compiled: CompiledRule, verdict: Verdict | Exception) -> None:
        rule = compiled.rule
        self._seen.add(rule.id)
        if verdict is NOTHING:
            return
        if isinstance(verdict, Exception):
            self._errors.setdefault(rule.id, type(verdict).__name__)
            self._note(rule.id, "error")
            return
        self._note(rule.id, verdict.outcome)
        if verdict.finding is not None and rule.status != "shadow":
            self._findings.append(verdict.finding)
        if verdict.reasons:
            known = self._reasons.get(rule.id, ())
            self._reasons[rule.id] = tuple(dict.fromkeys(known + verdict.reasons))

    def _note(self, rule_id: str, outcome: OutcomeName) -> None:
        if _STRENGTH[outcome] > _STRENGTH[self._outcomes.get(rule_id, "no")]:
            self._outcomes[rule_id] = outcome

    def evaluation(self, reads: frozenset[str]) -> Evaluation:
        reasons = {
            rule_id: why
            for rule_id, why in self._reasons.items()
            if self._outcomes[rule_id] == "unknown"
        }
        count = len(self._seen)
        return Evaluation(self._outcomes, self._findings, reasons, self._errors, count, reads)
