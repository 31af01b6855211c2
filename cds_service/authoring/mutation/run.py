"""Checks the tests of rules: which small changes to rules, definitions and facts go unnoticed?

A change to a rule is evaluated on the charts of the rule's own cases, one to a definition or a fact
on the cases of all rules that use it. It is caught when some case fails with it. One that cannot
matter may be accepted, with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.authoring.mutation.case import Changed, PreparedCase, prepared_cases
from cds_service.authoring.mutation.changes import (
    Mutant,
    definition_mutants,
    fact_mutants,
    rule_mutants,
)
from cds_service.rules.model import Pack, Rule
from cds_service.rules.ruleset import serves
from cds_service.ruletests.runner import own_rule
from cds_service.ruletests.sketch_values import Json, SketchError
from cds_service.ruletests.testfile import TestFile, TestFileError, read_test_file
from cds_service.ruletests.trial import Bench, Compose

Accepted = Sequence[Mapping[str, Json]]


@dataclass(frozen=True)
class MutationResult:
    """One rule, definition or fact. `accepted` survived with a reason; `stale` are accepted changes
    that are caught or do not exist any more."""

    subject: str
    total: int
    survivors: tuple[Mutant, ...] = ()
    accepted: tuple[Mutant, ...] = ()
    stale: tuple[str, ...] = ()
    problem: str = ""  # why nothing could be tried

    @property
    def caught(self) -> int:
        """Changes that a case notices."""
        return self.total - len(self.survivors) - len(self.accepted)

    @property
    def clean(self) -> bool:
        """Nothing is left unexplained, and no explanation is out of date."""
        return not (self.survivors or self.stale or self.problem)

    def as_text(self) -> str:
        """A line of totals, then a line for each change that was not caught."""
        if self.problem:
            return f"{self.subject}: {self.problem}"
        lines = [f"{self.subject}: {self.caught}/{self.total} changes are caught by the tests"]
        if self.accepted:
            lines[0] += f", {len(self.accepted)} accepted"
        lines += [f"NOT CAUGHT  {mutant}" for mutant in self.survivors]
        lines += [f"STALE       {entry}" for entry in self.stale]
        return "\n".join(lines)


def mutate(
    paths: Iterable[Path], bench: Bench, compose: Compose | None = None, accepted: Accepted = ()
) -> list[MutationResult]:
    """Try all changes to the rules beside these test files.

    `accepted` entries are `{"rule", "path", "change", "reason"}`, beside the `equivalent` of a
    test file, where `rule` may be left out. An entry without a reason accepts nothing. The tests
    should pass before: a case that fails already notices nothing.
    """
    return [_mutate_file(path, bench, compose, accepted) for path in paths]


def _mutate_file(
    path: Path, bench: Bench, compose: Compose | None, accepted: Accepted
) -> MutationResult:
    try:
        tests = read_test_file(path)
        if not tests.cases:
            return MutationResult(path.name, 0, problem="no cases")
        return _mutate_rule(tests, bench, compose, accepted)
    except (TestFileError, SketchError) as error:
        return MutationResult(path.name, 0, problem=str(error))


def _mutate_rule(
    tests: TestFile, bench: Bench, compose: Compose | None, accepted: Accepted
) -> MutationResult:
    rule = own_rule(tests, bench)
    if rule is None:
        return MutationResult(tests.path.name, 0, problem="no rule stands beside these tests")
    prepared = [
        case for case in prepared_cases(tests, bench, compose) if serves(case.trial.service, rule)
    ]
    mutants = list(rule_mutants(rule, bench.ruleset(tests.cases[0]).pack))
    survivors = _survivors(mutants, frozenset({rule.id}), prepared)
    return _sorted_out(rule.id, mutants, survivors, [*tests.equivalent, *accepted])


def mutate_definitions(
    paths: Iterable[Path], bench: Bench, compose: Compose | None = None, accepted: Accepted = ()
) -> list[MutationResult]:
    """Try all changes to the definitions and to the facts, on the cases of rules that use them.

    `accepted` names a definition or fact under `rule`, or several under `rules`; without a `path`
    the fact itself is meant. Raises TestFileError and SketchError.
    """
    cases = _cases_by_rule(paths, bench, compose)
    base = next((case.trial.ruleset for of_rule in cases.values() for case in of_rule), None)
    if base is None:
        return []
    used = {rule.id: reach(rule, base.pack) for rule in base.pack.rules}
    tried = [(name, list(definition_mutants(name, base.pack))) for name in base.pack.definitions]
    tried += [(name, list(fact_mutants(name, base.pack))) for name in base.pack.catalogue.facts]
    results = []
    for name, mutants in tried:
        users = frozenset(rule for rule, names in used.items() if name in names)
        prepared = [case for rule in users for case in cases.get(rule, ())]
        results.append(_sorted_out(name, mutants, _survivors(mutants, users, prepared), accepted))
    return results


def _cases_by_rule(
    paths: Iterable[Path], bench: Bench, compose: Compose | None
) -> dict[str, list[PreparedCase]]:
    cases: dict[str, list[PreparedCase]] = {}
    for path in paths:
        tests = read_test_file(path)
        rule = own_rule(tests, bench) if tests.cases else None
        if rule is not None:
            cases[rule.id] = prepared_cases(tests, bench, compose)
    return cases


def reach(rule: Rule, pack: Pack) -> frozenset[str]:
    """The definitions and facts that a rule's conditions lead to, those of its card included."""
    reached: set[str] = set(rule.about)
    waiting: list[Json] = [rule.when, rule.unless, rule.card, rule.variants]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str | bytes) or node is None:
            continue
        if isinstance(node, Mapping):
            reached |= {node["fact"]} if isinstance(node.get("fact"), str) else set()
            name = node.get("is")
            if isinstance(name, str) and name in pack.definitions and name not in reached:
                reached.add(name)
                waiting.append(pack.definitions[name])
            waiting += node.values()
        elif isinstance(node, Sequence):
            waiting += node
    return frozenset(reached)


def _survivors(
    mutants: Iterable[Mutant], rules: frozenset[str], prepared: Sequence[PreparedCase]
) -> list[Mutant]:
    """The changes that none of the cases notices. `rules` are all that may say something new."""
    changes = [Changed(mutant, rules) for mutant in mutants]
    return [
        changed.mutant for changed in changes if not any(case.notices(changed) for case in prepared)
    ]


def _sorted_out(
    subject: str, tried: Sequence[Mutant], survivors: Sequence[Mutant], accepted: Accepted
) -> MutationResult:
    allowed = {
        (entry.get("path") or f"facts.json {subject}", entry.get("change", ""))
        for entry in accepted
        if subject in entry.get("rules", [entry.get("rule", subject)]) and entry.get("reason")
    }
    kept = tuple(mutant for mutant in survivors if (mutant.path, mutant.change) not in allowed)
    excused = tuple(mutant for mutant in survivors if (mutant.path, mutant.change) in allowed)
    used = {(mutant.path, mutant.change) for mutant in excused}
    stale = tuple(f"{subject} {path}: {change}" for path, change in sorted(allowed - used))
    return MutationResult(subject, len(tried), kept, excused, stale)
