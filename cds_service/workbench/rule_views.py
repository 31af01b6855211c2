"""Why each rule fired, did not, or is unknown: trees, reasons, and the nearest way to fire."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.authoring.nearest import Step, Way, value_for
from cds_service.facts.model import Item, State
from cds_service.protocol.model import Card
from cds_service.rules.context import Context
from cds_service.rules.leaves import Leaf, Measured
from cds_service.rules.model import Rule, Setting, TraceNode
from cds_service.rules.nodes import Switch
from cds_service.rules.ruleset import CompiledRule, RuleSet
from cds_service.rules.words import unit_in_words, with_unit
from cds_service.ruletests.explain import Explanation, item_text
from cds_service.workbench.chart_answers import Judgement
from cds_service.workbench.make_fire import ways
from cds_service.workbench.what_if import settings_of

_ORDER = {"error": 0, "fires": 1, "unknown": 2, "no": 3}
_FAR = 99.0
MOST_SEEN = 8


@dataclass(frozen=True)
class Seen:
    """An entry of the chart that a leaf saw; `references` light up its row."""

    text: str
    references: str


@dataclass(frozen=True)
class TreeNode:
    """One line of a rule's tree."""

    path: str
    text: str
    truth: str
    seen: tuple[Seen, ...]
    reasons: tuple[str, ...]
    children: tuple["TreeNode", ...]


@dataclass(frozen=True)
class Threshold:
    """Another value of a setting by which a rule would fire."""

    name: str
    value: Decimal
    unit: str


@dataclass(frozen=True)
class RuleView:
    """One rule on one chart (and draft)."""

    rule: Rule
    outcome: str
    remark: str
    draft: str
    draft_number: int | None
    trees: tuple[TreeNode, ...]
    price: float
    steps: tuple[str, ...]
    threshold: Threshold | None
    error: str = ""
    touched: int = 0  # entries of the chart that its tree saw
    settings: tuple[str, ...] = ()  # that can be turned

    @property
    def distance(self) -> tuple[float, int]:
        """How far the rule is from firing; of two as far, that which reads more of the chart is
        nearer to what somebody looks at."""
        return self.price, -self.touched


def views(ruleset: RuleSet, judged: Judgement) -> list[RuleView]:
    """The rules: failed, fired, unknown, then those that did not fire, the nearest first."""
    if judged.facts is None:
        return []
    ways_of_rules = ways(ruleset, judged.service.id, judged.facts)
    names = list(dict.fromkeys(number for _, number in ways_of_rules))
    drafts = list(dict.fromkeys(explanation.draft for explanation in judged.explanations))
    numbers = dict(zip(drafts, names, strict=False))
    shown = [
        _view(
            explanation,
            judged,
            ruleset,
            *ways_of_rules[explanation.rule.id, numbers[explanation.draft]],
            numbers[explanation.draft],
        )
        for explanation in judged.explanations
    ]
    return sorted(shown, key=lambda view: (_ORDER[view.outcome], view.distance))


def _view(
    explanation: Explanation,
    judged: Judgement,
    ruleset: RuleSet,
    compiled: CompiledRule,
    context: Context,
    way: Way,
    number: int | None,
) -> RuleView:
    fired = explanation.outcome == "fires"
    return RuleView(
        explanation.rule,
        explanation.outcome,
        _remark(explanation, judged),
        explanation.draft,
        number,
        tuple(_tree(node) for node in explanation.nodes),
        0.0 if fired else way.price,
        () if fired else tuple(_step_text(step, context, ruleset) for step in way.steps),
        None if fired else _threshold(way, context, ruleset),
        explanation.error,
        len(
            {
                item.reference
                for node in explanation.nodes
                for item in _entries(node)
                if item.reference
            }
        ),
        settings_of(ruleset, explanation.rule.id),
    )


def _entries(node: TraceNode) -> Iterator[Item]:
    yield from node.seen
    for child in node.children:
        yield from _entries(child)


def _tree(node: TraceNode) -> TreeNode:
    return TreeNode(
        node.path,
        node.text,
        node.truth.name.lower(),
        () if node.children else tuple(_seen(item) for item in node.seen[:MOST_SEEN]),
        () if node.children else node.reasons,
        tuple(_tree(child) for child in node.children),
    )


def _seen(item: Item) -> Seen:
    also = item.details.get("also", "")
    return Seen(item_text(item), " ".join(filter(None, [item.reference, also])))


def _remark(explanation: Explanation, judged: Judgement) -> str:
    """What became of the outcome."""
    if explanation.outcome == "unknown":
        return "part of the conditional card" if explanation.conditional else "unknown: no card"
    if explanation.outcome != "fires":
        return ""
    if explanation.rule.status == "shadow":
        return "in shadow: counted, no card"
    card = card_of(explanation.rule.id, judged.cards)
    if card is not None:
        return f"card {judged.cards.index(card) + 1}"
    taken = _superseded_by(explanation.rule.id, judged.explanations)
    return f"no card: {taken} takes its place" if taken else "no card of its own"


def card_of(rule_id: str, cards: Iterable[Card]) -> Card | None:
    """The card that a rule is a reason for."""
    return next((card for card in cards if rule_id in [rule for rule, _ in card.rules]), None)


def _superseded_by(rule_id: str, explanations: Iterable[Explanation]) -> str:
    for other in explanations:
        if other.outcome == "fires" and rule_id in other.rule.supersedes:
            return other.rule.id
    return ""


def _step_text(step: Step, context: Context, ruleset: RuleSet) -> str:
    """What must be, in words: the leaf's own sentence, or that it is not so."""
    words = ruleset.words.head(step.node.source)
    wanted = step.want in ("yes", "not-no")
    sentence = words if wanted else f"it is not so that {words}"
    leaf = step.node
    if isinstance(leaf, Measured):
        fact = leaf.read(context)
        if fact.state is State.KNOWN:
            return f"{sentence} (now {_value_text(fact.items[0])})"
    return sentence


def _value_text(item: Item) -> str:
    """ "52 ng/mL on 2026-11-06", as its leaf compares it."""
    quantity = item.quantity
    value = f"{quantity.comparator}{with_unit(quantity.value, quantity.unit)}" if quantity else ""
    return f"{value or item.text} on {item.date_text}" if item.date_text else value or item.text


def _threshold(way: Way, context: Context, ruleset: RuleSet) -> Threshold | None:
    """The setting whose other value alone would do, where one step is all that is needed."""
    if len(way.steps) != 1:
        return None
    step = way.steps[0]
    leaf = step.node
    if isinstance(leaf, Switch) or not isinstance(leaf, Leaf) or not isinstance(leaf, Measured):
        return None
    setting = ruleset.pack.settings.get(str(leaf.source.get("setting", "")))
    fact = leaf.read(context)
    if setting is None or setting.step is None or fact.state is not State.KNOWN:
        return None
    if ruleset.pack.catalogue.facts[leaf.fact].unit != setting.unit:
        return None
    return _moved(leaf, step, setting.step, fact.items[0], setting)


def _moved(
    leaf: Measured,
    step: Step,
    small: Decimal,
    item: Item,
    setting: Setting,
) -> Threshold | None:
    quantity = item.quantity
    limit = leaf.threshold
    here = value_for(leaf, step.want, small)
    if quantity is None or limit is None or here is None or quantity.comparator:
        return None
    value = quantity.value + (limit - here)  # as far beyond the value as that was before it
    low, high = setting.minimum, setting.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return Threshold(setting.name, value, unit_in_words(setting.unit))
