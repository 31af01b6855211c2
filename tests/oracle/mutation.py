"""Mutation through the oracle: a changed rule changes both engines' answers, or neither's.

The mutants are those of `cds rules test --mutate`. Each is compiled for this engine and exported
for the other, and judged on the charts of its rule's tests.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from cds_service.authoring.mutation.changes import Mutant, rule_mutants
from cds_service.portable.libraries import write
from cds_service.rules.ruleset import compile_rules
from tests.oracle.compare import Question, answered, questions
from tests.oracle.job import Asked, run
from tests.oracle.trials import Exported, of_tests


def mutated(exported: Exported, count: int, seed: int) -> list[Mutant]:
    """The mutants that the engines judge apart, of a sample; tells what was tried."""
    chosen = _sample(exported, count, seed)
    by_rule: dict[str, list[Question]] = {}
    for question in questions(of_tests(exported)):
        stem = question.asked.name.split(".test: ")[0]
        by_rule.setdefault(stem, []).append(question)
    apart, changed = [], 0
    for mutant in chosen:
        own = by_rule.get(mutant.subject.rsplit(".", 1)[-1], [])
        ours, theirs, differ = _judged(exported, mutant, own)
        changed += bool(ours)
        if differ:
            apart.append(mutant)
            print(f"  {mutant}: {ours} changes here, {theirs} there")
    print(
        f"oracle: {len(chosen)} changed rules, {changed} with other answers; "
        f"{len(apart)} judged apart by the engines"
    )
    return apart


def _sample(exported: Exported, count: int, seed: int) -> list[Mutant]:
    rules = [rule for rule in exported.pack.rules if rule.status == "active"]
    every = [mutant for rule in rules for mutant in rule_mutants(rule, exported.pack)]
    return random.Random(seed).sample(every, min(count, len(every)))


def _judged(exported: Exported, mutant: Mutant, own: Sequence[Question]) -> tuple[int, int, bool]:
    """How many answers of the rule change in each engine, and whether they come to differ."""
    pack = mutant.apply(exported.pack)
    rules, rule = compile_rules(pack), mutant.subject
    kept = [question for question in own if rule in question.asked.ask]
    before = [answered(question)[rule] for question in kept]
    ours = [answered(question, rules)[rule] for question in kept]
    asked = [_only(question, rule) for question in kept]
    theirs = [outcomes[rule] for outcomes in run(write(pack), asked)]
    changed = sum(new != old for new, old in zip(ours, before, strict=True))
    there = sum(new != old for new, old in zip(theirs, before, strict=True))
    return changed, there, ours != theirs


def _only(question: Question, rule: str) -> Asked:
    return replace(question.asked, ask=[rule])
