"""Mutation of a pack and a site: every small change, and which of them no test notices.

Changes that cannot matter are listed with their reasons: those to a rule in its test file
(`equivalent`), those to definitions and facts in `equivalent.json` beside them.
"""

from collections.abc import Sequence
from pathlib import Path

from cds_service.authoring.mutation.run import Accepted, MutationResult, mutate, mutate_definitions
from cds_service.packs.positions import parse
from cds_service.ruletests.testfile import TestFileError
from cds_service.ruletests.testing import benches
from cds_service.ruletests.trial import Compose

ACCEPTED = "equivalent.json"


def run_mutations(
    hooks: Path, site: Path | None, paths: Sequence[Path], compose: Compose | None
) -> list[MutationResult]:
    """Try all changes to the rules beside these test files; of the whole pack without any.

    Definitions and facts are changed only with the whole pack: the cases of one rule are not meant
    to notice them. Raises PackError, TestFileError and SketchError.
    """
    results: list[MutationResult] = []
    for files, bench in benches(hooks, site, paths):
        results += mutate(files, bench, compose)
        shipped = site is None or not files[0].resolve().is_relative_to(site.resolve())
        if shipped and not paths:
            results += mutate_definitions(files, bench, compose, accepted_in(hooks))
    return results


def accepted_in(folder: Path) -> Accepted:
    """The accepted changes to definitions and facts of a folder. Raises TestFileError."""
    path = folder / ACCEPTED
    if not path.is_file():
        return ()
    document, problems = parse(path.name, path, path.read_bytes())
    entries = document.data.get("equivalent") if document and not problems else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TestFileError(f"{path}: an object with a list 'equivalent' of objects is wanted")
    return entries


def share(results: Sequence[MutationResult]) -> float:
    """The percentage of changes that a case notices or a reason explains; 0 where a rule could not
    be changed at all."""
    if any(result.problem for result in results):
        return 0.0
    total = sum(result.total for result in results)
    left = sum(len(result.survivors) for result in results)
    return 100.0 * (total - left) / total if total else 100.0


def report(results: Sequence[MutationResult]) -> str:
    """What was not caught, and a line of totals."""
    lines = [result.as_text() for result in results if not result.clean]
    total, caught = (
        sum(result.total for result in results),
        sum(result.caught for result in results),
    )
    accepted = sum(len(result.accepted) for result in results)
    left = sum(len(result.survivors) for result in results)
    return "\n".join(
        [*lines, f"{total} changes: {caught} caught, {accepted} accepted, {left} not caught"]
    )
