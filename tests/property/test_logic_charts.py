"""What must be true of rules over whole charts, read by the real facts layer."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.base import FactBase
from cds_service.facts.chart import PREFETCH_KEYS
from cds_service.rules.engine import assumed_context, compile_rules, contexts, evaluate
from cds_service.rules.model import Evaluation, ServiceDefinition
from cds_service.rules.verdict import judge
from cds_service.ruletests.sketch import chart_of
from tests.support.packs import FACTS, ORDERS, REVIEW, pack, present, rule

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
HOOKS = ("patient-view", "order-select")
PRESENCE = [name for name, fact in FACTS.items() if fact["kind"] not in ("code", "number")]
LOW = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}
BOTH = {"any": [present("problem.rls"), present("drug.iron")]}
# One rule for each fact, alone, mirrored, and behind a definition that others share.
RULES = [
    *(rule(f"has.{n}", present(name), hooks=HOOKS) for n, name in enumerate(PRESENCE)),
    *(
        rule(f"with.{n}", {"all": [{"is": "complaint"}, present(name)]}, hooks=HOOKS)
        for n, name in enumerate(PRESENCE)
    ),
    rule("low", {"all": [BOTH, LOW]}, hooks=HOOKS, unless=present("problem.dialysis")),
    rule("missing", {"fact": "lab.ferritin", "op": "absent"}, hooks=HOOKS),
    rule("ordered", present("order.ferritin", within="P30D", undated="exclude"), hooks=HOOKS),
]
PACK = pack(RULES)
RULESET = compile_rules(PACK)
SETTINGS = {name: setting.value for name, setting in PACK.settings.items()}

dates = st.sampled_from(["-1d", "-30d", "-31d", "-365d", "-366d", "2025", None])
conditions = st.builds(
    lambda code, clinical, verification, recorded: {
        "code": code,
        "clinical": clinical,
        "verification": verification,
        "recorded": recorded,
    },
    st.sampled_from(["icd10:G47.62", "icd10:G25.81", "icd10:Z99.2"]),
    st.sampled_from(["active", "resolved", None]),
    st.sampled_from(["confirmed", "provisional", "refuted", None]),
    dates,
)
results = st.builds(
    lambda value, status, date: {
        "code": "loinc:2276-4",
        "value": value,
        "status": status,
        "date": date,
    },
    st.sampled_from(["49.9 ng/mL", "50 ng/mL", "<75 ng/mL", "40", "0 ng/mL", "90 pmol/L"]),
    st.sampled_from(["final", "preliminary", "entered-in-error"]),
    dates,
)
drugs = st.sampled_from(["rxnorm:5487", "rxnorm:90176", "rxnorm:9071"])
orders = st.builds(lambda date: {"code": "loinc:2276-4", "authored": date}, dates)
drafts = st.builds(
    lambda drug, selected: {"drug": drug, "selected": selected}, drugs, st.booleans()
)
keys = st.lists(st.sampled_from(PREFETCH_KEYS), max_size=2, unique=True)
sketches = st.fixed_dictionaries(
    {
        "conditions": st.lists(conditions, max_size=2),
        "observations": st.lists(results, max_size=2),
        "requests": st.lists(drugs, max_size=2),
        "orders": st.lists(orders, max_size=1),
        "drafts": st.lists(drafts, max_size=2),
        "missing": keys,
        "failed": keys,
        "incomplete": keys,
    }
)
services = st.sampled_from([REVIEW, ORDERS])


def facts_of(sketch: Any, service: ServiceDefinition) -> FactBase:
    chart = chart_of(sketch, NOW, service.hook)
    return FactBase(PACK.catalogue, PACK.terminology, chart, NOW, SETTINGS)


def evaluated(sketch: Any, service: ServiceDefinition) -> Evaluation:
    return evaluate(RULESET, service, facts_of(sketch, service))


@given(sketches, services)
def test_gates_never_change_an_outcome(sketch: Any, service: ServiceDefinition) -> None:
    facts = facts_of(sketch, service)
    plan = RULESET.plans[service.id]
    naive: dict[str, set[str]] = {}
    for context in contexts(plan, facts):
        assumed = assumed_context(RULESET, plan, context)
        for one in plan.rules:
            outcome = judge(one, context, RULESET.words, assumed).outcome
            naive.setdefault(one.rule.id, set()).add(outcome)
    gated = evaluate(RULESET, service, facts_of(sketch, service)).outcomes
    for rule_id, said in naive.items():
        strongest = next(word for word in ("fires", "unknown", "no") if word in said)
        assert gated.get(rule_id, "no") == strongest


IRRELEVANT = [
    ("conditions", "icd10:J06.9"),
    ("observations", {"code": "loinc:718-7", "value": "9 g/dL", "interpretation": "LL"}),
    ("requests", "rxnorm:161"),
    ("orders", "loinc:718-7"),
    ("procedures", "cpt:99213"),
]


@given(sketches, services, st.lists(st.sampled_from(IRRELEVANT), min_size=1, max_size=3))
def test_a_resource_that_no_fact_reads_changes_nothing(
    sketch: Any, service: ServiceDefinition, extra: list[tuple[str, Any]]
) -> None:
    more = dict(sketch)
    for key, entry in extra:
        more[key] = [*more.get(key, []), entry]
    before, after = evaluated(sketch, service), evaluated(more, service)
    assert after.outcomes == before.outcomes
    assert after.unknown_because == before.unknown_because
    cited = [(one.rule.id, one.draft, one.basis) for one in before.findings]
    assert [(one.rule.id, one.draft, one.basis) for one in after.findings] == cited


@given(sketches, services)
def test_less_data_never_makes_a_rule_fire(sketch: Any, service: ServiceDefinition) -> None:
    """Absence is claimed of complete lists only. `low` has an exclusion, and one that can no
    longer be seen does not silence (it is said on the card instead)."""
    complete = sketch | {"missing": [], "failed": [], "incomplete": []}
    full = evaluated(complete, service).outcomes
    for rule_id, outcome in evaluated(sketch, service).outcomes.items():
        if outcome == "fires" and rule_id != "low":
            assert full.get(rule_id, "no") == "fires"


@given(sketches, services)
def test_the_same_chart_gives_the_same_evaluation(sketch: Any, service: ServiceDefinition) -> None:
    assert evaluated(sketch, service) == evaluated(sketch, service)
