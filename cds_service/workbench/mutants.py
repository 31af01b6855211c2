"""Small changes to a rule that no test notices: counted when somebody asks, and kept for the pack
in force."""

from flask import Blueprint, Response

from cds_service.authoring.mutation.run import MutationResult
from cds_service.cards.compose import compose
from cds_service.errors import PackError, ServiceError
from cds_service.rules.model import Rule
from cds_service.ruletests.sketch_values import SketchError
from cds_service.ruletests.testfile import TestFileError
from cds_service.workbench import bench, views


def add(blueprint: Blueprint) -> None:
    """Add what the lists of rules ask for."""
    blueprint.add_url_rule("/rules/<rule_id>/mutants", "mutants", mutants, methods=["POST"])


def known() -> dict[str, MutationResult]:
    """What was counted already for the pack in force."""
    current = bench.current()
    return current.counted.of(current.runtime().pack.revision)


def mutants(rule_id: str) -> Response:
    """Count them for one rule."""
    pack = bench.current().runtime().pack
    rule = next((candidate for candidate in pack.rules if candidate.id == rule_id), None)
    if rule is None:
        raise ServiceError(404, "not-found", "No rule has this id.", "not-found")
    results = known()
    if rule_id not in results:
        results[rule_id] = _counted(rule)
    return views.part("mutants_part.html", mutants=results, rule_id=rule_id, listed=True)


def _counted(rule: Rule) -> MutationResult:
    from cds_service.authoring.mutation.pack import run_mutations

    current = bench.current()
    path = rule.path.with_name(f"{rule.path.stem}.test.json") if rule.path else None
    if path is None or not path.is_file():
        return MutationResult(rule.id, 0, problem="no tests")
    try:
        (result,) = run_mutations(current.hooks, current.site, [path], compose)
    except (PackError, TestFileError, SketchError):
        return MutationResult(rule.id, 0, problem="its files cannot be read: see rules check")
    return result
