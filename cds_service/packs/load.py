"""Loading a pack: read, check everything, build. One call, one immutable `Pack` or all problems."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cds_service.cards.per_pack import compile_texts
from cds_service.errors import PackError, Problem
from cds_service.packs import check
from cds_service.packs.build import build
from cds_service.packs.check import terminology as terminology_check
from cds_service.packs.check import untranslated
from cds_service.packs.check.consequences import without_consequences
from cds_service.packs.effective import chosen_profiles
from cds_service.packs.problem_text import in_order
from cds_service.packs.source import PackSource, read_source
from cds_service.rules.model import Pack
from cds_service.rules.ruleset import compile_rules
from cds_service.terminology.index import Terminology


def load_pack(
    hooks_dir: Path,
    site_dir: Path | None = None,
    profiles: Sequence[str] | None = None,
    *,
    today: date | None = None,
    thorough: bool = True,
    wheel: bool = True,
) -> Pack:
    """The effective pack of a folder and a site's folder. Raises `PackError` with all problems.

    `profiles` replace those of site.json. `today` lets overdue reviews be found. A service that
    starts with a pack that `cds rules check` has passed leaves out what is slow and cannot change
    an answer (`thorough=False`): tests, order templates as FHIR, a second reading of value sets.
    Without `wheel` the shipped value sets and drug dictionary count, whatever is installed.
    """
    source, terminology, chosen, problems = _examine(
        hooks_dir, site_dir, profiles, today, thorough=thorough, wheel=wheel
    )
    if any(problem.severity == "error" for problem in problems):
        raise PackError([problem for problem in problems if problem.severity == "error"])
    pack = build(source, terminology, chosen)
    if thorough:
        _compile(pack)
    return pack


def load_as_shipped(
    hooks_dir: Path, site_dir: Path | None, profiles: Sequence[str] | None = None
) -> Pack:
    """The shipped rules as they were shipped, over the site's facts, definitions, sets and orders.

    The tests of shipped rules are about this pack: a site that lowers a threshold does not make
    them wrong, and one that replaces a value set by an empty one does. Raises `PackError`.
    """
    source, terminology, chosen, problems = _examine(
        hooks_dir, site_dir, profiles, None, thorough=False
    )
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise PackError(errors)
    source.site = None
    source.rules = [rule for rule in source.rules if rule.hook]
    return build(source, terminology, chosen_profiles(source, profiles))


def _compile(pack: Pack) -> None:
    """Compile all that a call compiles: what the checks let pass is a problem, no traceback."""
    try:
        compile_rules(pack)
        compile_texts(pack)
    except ValueError as error:
        name = str(pack.root / "pack.json")
        raise PackError(
            [Problem(name, 1, 1, "$", "R216", f"The engine refuses: {error}.")]
        ) from error


def check_pack(
    hooks_dir: Path,
    site_dir: Path | None = None,
    profiles: Sequence[str] | None = None,
    *,
    today: date | None = None,
) -> list[Problem]:
    """Every error and warning, sorted by place; empty for a pack without fault."""
    source, terminology, chosen, problems = _examine(
        hooks_dir, site_dir, profiles, today, thorough=True
    )
    if not any(problem.severity == "error" for problem in problems):
        pack = build(source, terminology, chosen)
        try:
            _compile(pack)
        except PackError as refusal:
            return [*problems, *refusal.problems]
        problems = in_order([*problems, *untranslated.check(source, pack)])
    return problems


def read_whole(hooks_dir: Path, site_dir: Path | None) -> PackSource:
    """The files of a pack with their terminology, for those who look at files and not at rules."""
    source = read_source(hooks_dir, site_dir, tests=False)
    source.terminology, _ = terminology_check.load(source)
    return source


def _examine(
    hooks_dir: Path,
    site_dir: Path | None,
    profiles: Sequence[str] | None,
    today: date | None,
    *,
    thorough: bool,
    wheel: bool = True,
) -> tuple[PackSource, Terminology, tuple[str, ...], list[Problem]]:
    source = read_source(hooks_dir, site_dir, tests=thorough, wheel=wheel)
    terminology, faults = terminology_check.load(source)
    source.terminology = terminology
    chosen = chosen_profiles(source, profiles)
    problems = [
        *check.run(source, tuple(profiles or ()), today, thorough=thorough),
        *faults,
    ]
    return source, terminology, chosen, in_order(without_consequences(problems))
