"""What must be true of any conditions over any facts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.model import Fact, Truth
from cds_service.rules import logic
from cds_service.rules.context import Context
from cds_service.rules.engine import assumed_context, contexts, evaluate
from cds_service.rules.model import OutcomeName, ServiceDefinition, TraceNode
from cds_service.rules.ruleset import RuleSet, compile_rules
from cds_service.rules.trace import trace
from cds_service.rules.verdict import judge
from tests.support.fake_facts import FakeFacts, absent, known, measured, unknown
from tests.support.packs import ORDERS, REVIEW, pack, present, rule

PRESENCE = ("problem.cramp", "problem.rls", "drug.iron", "draft.quinine", "patient.deceased")
VALUES = ("49.9", "50", "51", "<5", "<50", "<=50", "<75", ">30", ">=50", ">1500")

truths = st.sampled_from(Truth)


def leaf_conditions() -> st.SearchStrategy[Any]:
    presence = st.builds(
        lambda fact, op: {"fact": fact, "op": op},
        st.sampled_from(PRESENCE),
        st.sampled_from(["present", "absent"]),
    )
    comparison = st.builds(
        lambda op: {"fact": "lab.ferritin", "op": op, "setting": "ferritin.low"},
        st.sampled_from(logic.COMPARISONS),
    )
    definition = st.sampled_from([{"is": "complaint"}, {"is": "rls"}])
    switch = st.builds(lambda is_on: {"setting": "demo", "is": is_on}, st.booleans())
    return presence | comparison | definition | switch


def combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(parts, min_size=1, max_size=4)
    return (
        st.builds(lambda inner: {"all": inner}, some)
        | st.builds(lambda inner: {"any": inner}, some)
        | st.builds(lambda inner: {"not": inner}, parts)
        | st.builds(lambda inner: {"certainly": inner}, parts)
    )


conditions = st.recursive(leaf_conditions(), combined, max_leaves=8)
presence_facts = st.builds(
    lambda fact, make: make(fact),
    st.sampled_from(PRESENCE),
    st.sampled_from([known, unknown, absent]),
)
ferritin_facts = (
    st.builds(lambda value: measured("lab.ferritin", value), st.sampled_from(VALUES))
    | st.just(unknown("lab.ferritin"))
    | st.just(absent("lab.ferritin", reasons=("only a preliminary result",)))
)
told = st.lists(presence_facts | ferritin_facts, max_size=6)


def compiled(*whens: Any, **fields: Any) -> RuleSet:
    hooks = ("patient-view", "order-select")
    rules = [rule(f"r{n}", when, hooks=hooks, **fields) for n, when in enumerate(whens)]
    return compile_rules(pack(rules))


def truth_of(when: Any, facts: FakeFacts) -> Truth:
    return compiled(when).rules["r0"].when.truth(Context(facts))


@given(st.lists(truths, max_size=5))
def test_de_morgan_holds_with_unknown(parts: list[Truth]) -> None:
    mirrored = [logic.negate(part) for part in parts]
    assert logic.negate(logic.all_of(parts)) is logic.any_of(mirrored)
    assert logic.negate(logic.any_of(parts)) is logic.all_of(mirrored)


@given(st.lists(conditions, min_size=1, max_size=3), told)
def test_de_morgan_holds_for_conditions(parts: list[Any], facts: list[Fact]) -> None:
    outside = truth_of({"not": {"all": parts}}, FakeFacts(*facts))
    inside = truth_of({"any": [{"not": part} for part in parts]}, FakeFacts(*facts))
    assert outside is inside


@given(conditions, told)
def test_nodes_agree_with_the_tables(when: Any, facts: list[Fact]) -> None:
    def by_tables(condition: Any) -> Truth:
        if "all" in condition:
            return logic.all_of(by_tables(part) for part in condition["all"])
        if "any" in condition:
            return logic.any_of(by_tables(part) for part in condition["any"])
        if "not" in condition:
            return logic.negate(by_tables(condition["not"]))
        if "certainly" in condition:
            return logic.certainly(by_tables(condition["certainly"]))
        return truth_of(condition, FakeFacts(*facts))

    assert truth_of(when, FakeFacts(*facts)) is by_tables(when)


@given(conditions, told)
def test_a_traced_condition_has_the_truth_of_the_untraced_one(when: Any, facts: list[Fact]) -> None:
    ruleset = compiled(when)
    node = ruleset.rules["r0"].when
    untraced = node.truth(Context(FakeFacts(*facts)))
    traced = trace(node, Context(FakeFacts(*facts)), "when", ruleset.words)
    assert traced.truth is untraced
    _check_inside(traced)


def _check_inside(node: TraceNode) -> None:
    """Every node of a trace follows from the nodes below it."""
    below = [child.truth for child in node.children]
    if node.text == "all of":
        assert node.truth is logic.all_of(below)
    elif node.text == "any of":
        assert node.truth is logic.any_of(below)
    elif node.text == "not":
        assert node.truth is logic.negate(below[0])
    assert bool(node.reasons) == (node.truth is Truth.UNKNOWN)
    for child in node.children:
        _check_inside(child)


@given(conditions, told, st.sampled_from([known, unknown, absent]))
def test_a_fact_that_no_condition_names_changes_nothing(
    when: Any, facts: list[Fact], make: Any
) -> None:
    without = evaluate(compiled(when), REVIEW, FakeFacts(*facts))
    beside = make("problem.dialysis")
    assert evaluate(compiled(when), REVIEW, FakeFacts(*facts, beside)) == without


def naive(ruleset: RuleSet, service: ServiceDefinition, facts: FakeFacts) -> dict[str, OutcomeName]:
    """The outcomes without any gate: every rule of the service is judged."""
    strength = {"no": 0, "unknown": 1, "fires": 2}
    found: dict[str, OutcomeName] = {}
    plan = ruleset.plans[service.id]
    for context in contexts(plan, facts):
        assumed = assumed_context(ruleset, plan, context)
        for one in plan.rules:
            outcome = judge(one, context, ruleset.words, assumed).outcome
            if strength[outcome] > strength[found.get(one.rule.id, "no")]:
                found[one.rule.id] = outcome
    return found


@given(
    st.lists(conditions, min_size=1, max_size=6),
    st.none() | conditions,
    told,
    st.dictionaries(st.integers(0, 1), st.lists(presence_facts, max_size=3)),
    st.sampled_from([REVIEW, ORDERS]),
)
def test_gates_never_change_an_outcome(
    whens: list[Any],
    unless: Any,
    facts: list[Fact],
    by_draft: dict[int, list[Fact]],
    service: ServiceDefinition,
) -> None:
    shared = {"all": [present("problem.cramp"), whens[0]]}
    ruleset = compiled(*whens, shared, unless=unless, when_unknown="conditional")
    fake = FakeFacts(*facts, by_draft=by_draft, selected=[True, True])
    assert evaluate(ruleset, service, fake).outcomes == naive(ruleset, service, fake)


@given(conditions, told)
def test_nothing_missing_makes_a_rule_fire_that_says_no_once_it_is_known(
    when: Any, facts: list[Fact]
) -> None:
    """Taking knowledge away turns an answer into unknown at most, never into its opposite.

    `certainly` is left out: it is there to turn unknown into no.
    """
    if "certainly" in repr(when):
        return
    named = {fact.name: fact for fact in facts}
    less = [unknown(name) for name in named]
    before = truth_of(when, FakeFacts(*named.values()))
    after = truth_of(when, FakeFacts(*less))
    assert after in (before, Truth.UNKNOWN)
