"""Why each rule of a service fired, did not, or is unknown: as text for a person, or as JSON.

The text has for each node its truth, its sentence, what was seen or why it is unknown, and its
place in the rule file. It holds patient data: for the screen of its reader, never for a log.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.facts.model import Item, Truth
from cds_service.rules.context import Context, Facts
from cds_service.rules.engine import assumed_context, contexts
from cds_service.rules.logic import NO
from cds_service.rules.model import OutcomeName, Rule, ServiceDefinition, TraceNode
from cds_service.rules.ruleset import CompiledRule, RuleSet
from cds_service.rules.trace import trace
from cds_service.rules.verdict import Verdict, judge
from cds_service.rules.words import with_unit
from cds_service.units.table import fold

Json = Any
_SHOWN_ITEMS = 5


@dataclass(frozen=True)
class Explanation:
    """One rule on one context. `nodes` has `when`, `unless`, then pack-wide exclusions that
    hold or are unknown."""

    rule: Rule
    outcome: OutcomeName
    nodes: tuple[TraceNode, ...] = ()
    draft: str = ""  # reference of the draft order
    conditional: bool = False
    error: str = ""


def explain(
    ruleset: RuleSet, service: ServiceDefinition, facts: Facts, only: Collection[str] = ()
) -> list[Explanation]:
    """An explanation of every rule of the service (or of those in `only`), for each draft."""
    plan = ruleset.plans[service.id]
    explanations: list[Explanation] = []
    for context in contexts(plan, facts):
        assumed = assumed_context(ruleset, plan, context)
        for compiled in plan.rules:
            if not only or compiled.rule.id in only:
                explanations.append(_explain(compiled, context, assumed, ruleset))
    return explanations


def _explain(
    compiled: CompiledRule, context: Context, assumed: Context | None, ruleset: RuleSet
) -> Explanation:
    rule, draft = compiled.rule, _draft_name(context)
    try:
        verdict = judge(compiled, context, ruleset.words, assumed)
        nodes = tuple(_nodes(compiled, context, ruleset))
    except Exception as error:  # the same fault is the rule's outcome `error` in an evaluation
        return Explanation(rule, "error", draft=draft, error=type(error).__name__)
    return Explanation(rule, verdict.outcome, nodes, draft, _is_conditional(verdict))


def _nodes(compiled: CompiledRule, context: Context, ruleset: RuleSet) -> Iterator[TraceNode]:
    yield trace(compiled.when, context, "when", ruleset.words)
    if compiled.unless is not None:
        yield trace(compiled.unless, context, "unless", ruleset.words)
    for exclusion in compiled.exclusions:
        if exclusion.when.truth(context) is not NO:
            yield trace(exclusion.when, context, f"exclusions[{exclusion.number}]", ruleset.words)


def _draft_name(context: Context) -> str:
    if context.draft is None:
        return ""
    return context.facts.chart.drafts[context.draft].reference or f"draft {context.draft + 1}"


def _is_conditional(verdict: Verdict) -> bool:
    return verdict.finding is not None and verdict.finding.conditional


def as_text(explanations: Iterable[Explanation]) -> str:
    """The explanations as indented lines."""
    return "\n".join(line for explanation in explanations for line in _lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    about = f" for {explanation.draft}" if explanation.draft else ""
    remark = f"  ({words})" if (words := _remark(explanation)) else ""
    rule, outcome = explanation.rule, explanation.outcome.upper()
    yield f"{rule.id} {rule.version}{about}  ->  {outcome}{remark}"
    for node in explanation.nodes:
        yield from _node_lines(node, 1)


def _remark(explanation: Explanation) -> str:
    if explanation.outcome == "error":
        return explanation.error
    if explanation.rule.status != "active":
        return f"status {explanation.rule.status}, no card"
    if explanation.outcome != "unknown":
        return ""
    card = "part of the conditional card" if explanation.conditional else "no card"
    return f"whenUnknown: {explanation.rule.when_unknown}, {card}"


def _node_lines(node: TraceNode, depth: int) -> Iterator[str]:
    seen = _seen(node)
    shown = f"    [{seen}]" if seen else ""
    yield f"{'  ' * depth}{node.truth.name.lower():<8}{node.text}{shown}    {node.path}"
    for child in node.children:
        yield from _node_lines(child, depth + 1)


def _seen(node: TraceNode) -> str:
    """What a leaf saw and why it is unknown. Of a group its leaves say it."""
    if node.children:
        return ""
    shown = [item_text(item) for item in node.seen[:_SHOWN_ITEMS]]
    more = len(node.seen) - len(shown)
    return "; ".join([*shown, *([f"+{more} more"] if more > 0 else []), *node.reasons])


def item_text(item: Item) -> str:
    """ "Observation/o1 49.9 ng/mL 2026-08-21"."""
    quantity = item.quantity
    value = f"{quantity.comparator}{with_unit(quantity.value, quantity.unit)}" if quantity else ""
    if quantity and quantity.shown and fold(quantity.shown) != fold(value):
        value += f" (sent as {quantity.shown})"
    details = [item.details[key] for key in ("side", "flag") if key in item.details]
    return " ".join(filter(None, [item.reference, value or item.text, item.date_text, *details]))


def as_json(explanations: Iterable[Explanation]) -> list[Json]:
    """The explanations as JSON: an object a rule, its traces as trees."""
    return [
        {
            "rule": explanation.rule.id,
            "version": explanation.rule.version,
            "status": explanation.rule.status,
            "outcome": explanation.outcome,
            **({"draft": explanation.draft} if explanation.draft else {}),
            **({"conditional": True} if explanation.conditional else {}),
            **({"error": explanation.error} if explanation.error else {}),
            **(
                {"trace": [_node_json(node) for node in explanation.nodes]}
                if explanation.nodes
                else {}
            ),
        }
        for explanation in explanations
    ]


def _node_json(node: TraceNode) -> Mapping[str, Json]:
    written: dict[str, Json] = {
        "path": node.path,
        "text": node.text,
        "truth": _TRUTH_WORDS[node.truth],
    }
    if node.seen:
        written["seen"] = [item_text(item) for item in node.seen]
    if node.reasons:
        written["because"] = list(node.reasons)
    if node.children:
        written["parts"] = [_node_json(child) for child in node.children]
    return written


_TRUTH_WORDS = {truth: truth.name.lower() for truth in Truth}
