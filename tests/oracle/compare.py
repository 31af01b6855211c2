"""Both engines on the same charts, rule by rule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cds_service.portable.libraries import Libraries
from cds_service.rules.engine import contexts
from cds_service.rules.ruleset import RuleSet
from cds_service.rules.verdict import judge
from cds_service.ruletests.trial import Trial, facts_of
from tests.oracle.job import Asked, asked_of, run


@dataclass(frozen=True)
class Question:
    """One chart with one draft order under evaluation, or none."""

    trial: Trial
    draft: int | None
    asked: Asked


@dataclass(frozen=True)
class Difference:
    """A rule that the engines judge otherwise on one chart."""

    chart: str
    rule: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Comparison:
    """What was compared. `theirs`: the other engine's outcomes, chart by chart."""

    charts: int
    outcomes: tuple[str, ...]
    differences: tuple[Difference, ...]
    theirs: Sequence[Mapping[str, str]]

    @property
    def judgements(self) -> int:
        """How many outcomes were compared."""
        return len(self.outcomes)


def questions(trials: Iterable[tuple[str, Trial]]) -> Iterator[Question]:
    """Each chart, once for each draft order under evaluation."""
    for name, trial in trials:
        plan = trial.ruleset.plans[trial.service.id]
        rules = [compiled.rule.id for compiled in plan.rules if compiled.rule.status == "active"]
        for context in contexts(plan, trial.facts):
            label = name if context.draft is None else f"{name} [draft {context.draft + 1}]"
            asked = asked_of(label, trial.chart, trial.case.now, rules, context.draft)
            yield Question(trial, context.draft, asked)


def answered(question: Question, ruleset: RuleSet | None = None) -> dict[str, str]:
    """What this engine says, from facts read anew. `ruleset`: in place of the trial's."""
    trial = question.trial
    rules = ruleset or trial.ruleset
    facts = facts_of(rules.pack, trial.chart, trial.case)
    plan = rules.plans[trial.service.id]
    context = next(context for context in contexts(plan, facts) if context.draft == question.draft)
    wanted = set(question.asked.ask)
    return {
        compiled.rule.id: judge(compiled, context, rules.words, None).outcome
        for compiled in plan.rules
        if compiled.rule.id in wanted
    }


def compared(libraries: Libraries, asked: Sequence[Question]) -> Comparison:
    """Judge each chart by both engines."""
    theirs = run(libraries, [question.asked for question in asked])
    ours = [answered(question) for question in asked]
    differences = [
        Difference(question.asked.name, rule, outcome, other[rule])
        for question, mine, other in zip(asked, ours, theirs, strict=True)
        for rule, outcome in mine.items()
        if outcome != other[rule]
    ]
    outcomes = tuple(outcome for mine in ours for outcome in mine.values())
    return Comparison(len(asked), outcomes, tuple(differences), theirs)
