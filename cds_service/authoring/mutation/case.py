"""Whether a test case notices a change to the pack: the cases of a mutation run, made ready."""

import dataclasses
from dataclasses import dataclass

from cds_service.authoring.mutation.changes import Mutant
from cds_service.facts.base import FactBase
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Evaluation
from cds_service.rules.ruleset import RuleSet, compile_rules
from cds_service.ruletests.expectations import outcome_problems
from cds_service.ruletests.runner import compare_cards, drafts_under_test
from cds_service.ruletests.testfile import TestFile
from cds_service.ruletests.trial import Bench, Compose, Trial, facts_of


class Changed:
    """A mutant with the rule sets it makes: one for each rule set of the cases.

    Only `rules` are compiled: the others say what they said before.
    """

    def __init__(self, mutant: Mutant, rules: frozenset[str]) -> None:
        self.mutant = mutant
        self.rules = rules
        self._rulesets: dict[int, RuleSet | None] = {}

    def ruleset(self, base: RuleSet) -> RuleSet | None:
        """The changed rule set; None for one that could not be loaded."""
        if id(base) not in self._rulesets:
            self._rulesets[id(base)] = self._compiled(base)
        return self._rulesets[id(base)]

    def _compiled(self, base: RuleSet) -> RuleSet | None:
        pack = self.mutant.apply(base.pack)
        rules = tuple(rule for rule in pack.rules if rule.id in self.rules)
        try:
            return compile_rules(dataclasses.replace(pack, rules=rules), base.rules)
        except ValueError:
            return None


@dataclass(frozen=True)
class PreparedCase:
    """A case that passes, and what the unchanged rules say of it."""

    trial: Trial
    base: Evaluation
    compose: Compose | None

    def notices(self, changed: Changed) -> bool:
        """Whether the case fails with the change."""
        ruleset = changed.ruleset(self.trial.ruleset)
        if ruleset is None:
            return True
        facts = self._facts(ruleset)
        changed_only = evaluate(ruleset, self.trial.service, facts)
        evaluation = self._together(changed_only, changed.rules)
        if _fails(self.trial, evaluation):
            return True
        if self.compose is None or self.trial.case.cards is None:
            return False
        # A sentence or suggestion may rest on what changed: the cards are written anew.
        pack = dataclasses.replace(ruleset.pack, rules=self.trial.ruleset.pack.rules)
        trial = dataclasses.replace(
            self.trial, facts=facts, ruleset=dataclasses.replace(ruleset, pack=pack)
        )
        return bool(compare_cards(trial, evaluation, self.compose))

    def _facts(self, ruleset: RuleSet) -> FactBase:
        if ruleset.pack.catalogue is self.trial.ruleset.pack.catalogue:
            return self.trial.facts
        return facts_of(ruleset.pack, self.trial.chart, self.trial.case)

    def _together(self, changed: Evaluation, rules: frozenset[str]) -> Evaluation:
        """What all rules say: the changed rules anew, the others as before."""
        outcomes = {
            rule: outcome for rule, outcome in self.base.outcomes.items() if rule not in rules
        }
        findings = [finding for finding in self.base.findings if finding.rule.id not in rules]
        order = {rule: number for number, rule in enumerate(self.trial.ruleset.rules)}
        return dataclasses.replace(
            self.base,
            outcomes=outcomes | dict(changed.outcomes),
            findings=sorted(
                [*findings, *changed.findings],
                key=lambda finding: (
                    -1 if finding.draft is None else finding.draft,
                    order[finding.rule.id],
                ),
            ),
        )


def prepared_cases(tests: TestFile, bench: Bench, compose: Compose | None) -> list[PreparedCase]:
    """The cases of a file that pass."""
    bench = bench.also(drafts_under_test(tests, bench))
    trials = (bench.trial(case) for case in tests.cases)
    cases = (
        PreparedCase(trial, evaluate(trial.ruleset, trial.service, trial.facts), compose)
        for trial in trials
    )
    return [case for case in cases if not _fails(case.trial, case.base)]


def _fails(trial: Trial, evaluation: Evaluation) -> bool:
    return any(outcome_problems(trial.case, evaluation, trial.ruleset))
