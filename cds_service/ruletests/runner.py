"""Runs the tests of rules: every case through the whole facts layer, results as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.rules.engine import evaluate
from cds_service.rules.model import Evaluation, Rule
from cds_service.ruletests.expectations import because_problems, card_problems, outcome_problems
from cds_service.ruletests.explain import as_text, explain
from cds_service.ruletests.sketch_values import SketchError
from cds_service.ruletests.testfile import Case, TestFile, TestFileError, read_test_file
from cds_service.ruletests.trial import Bench, Compose, Trial, request_of

SUFFIX = ".test.json"


@dataclass(frozen=True)
class CaseResult:
    """A case and what is wrong with it. `trace` explains the rules that the case is about."""

    name: str
    problems: tuple[str, ...] = ()
    trace: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.problems


@dataclass(frozen=True)
class FileResult:
    """A test file. `problems` are faults of the file as a whole; `warnings` do not fail it."""

    path: Path
    cases: tuple[CaseResult, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the file and all its cases passed."""
        return not self.problems and all(case.passed for case in self.cases)


@dataclass(frozen=True)
class Report:
    """All files of a run. A run of no cases has not passed: it has shown nothing."""

    files: tuple[FileResult, ...]

    @property
    def cases(self) -> int:
        """The number of cases run."""
        return sum(len(file.cases) for file in self.files)

    @property
    def failures(self) -> int:
        """The number of cases that failed, and of faults of whole files."""
        faults = sum(len(file.problems) for file in self.files)
        return faults + sum(not case.passed for file in self.files for case in file.cases)

    @property
    def passed(self) -> bool:
        """Whether there were cases and all passed."""
        return self.cases > 0 and self.failures == 0


def test_files(folder: Path) -> list[Path]:
    """All test files under a folder, in a fixed order."""
    return sorted(folder.rglob(f"*{SUFFIX}"))


test_files.__test__ = False  # type: ignore[attr-defined]


def run(paths: Iterable[Path], bench: Bench, compose: Compose | None = None) -> Report:
    """Run test files. `compose` makes the cards; without it expected cards are not checked."""
    return Report(tuple(run_file(path, bench, compose) for path in paths))


def run_file(path: Path, bench: Bench, compose: Compose | None = None) -> FileResult:
    """Run one test file."""
    try:
        tests = read_test_file(path)
    except TestFileError as error:
        return FileResult(path, problems=(str(error),))
    if not tests.cases:
        return FileResult(path, problems=("no cases: a test file without cases shows nothing",))
    return run_tests(tests, bench, compose)


def run_tests(tests: TestFile, bench: Bench, compose: Compose | None = None) -> FileResult:
    """Run the cases of a test file that is already read."""
    try:
        bench = bench.also(drafts_under_test(tests, bench))
        rule = own_rule(tests, bench)
    except SketchError as error:
        return FileResult(tests.path, problems=(str(error),))
    cases = tuple(_run_case(case, bench, compose) for case in tests.cases)
    problems, warnings = _coverage(tests, rule) if rule else ((), ())
    return FileResult(tests.path, cases, problems, warnings)


def own_rule(tests: TestFile, bench: Bench) -> Rule | None:
    """The rule that the test file stands beside."""
    stem = tests.path.name.removesuffix(SUFFIX)
    beside = tests.path.with_name(f"{stem}.json")
    for rule in bench.ruleset(tests.cases[0]).pack.rules:
        if rule.path is not None and rule.path.resolve() == beside.resolve():
            return rule
    return None


def drafts_under_test(tests: TestFile, bench: Bench) -> tuple[str, ...]:
    """The file's own rule where it is a draft: only its tests run it.

    Not where a profile of some case makes it active: then the others show it switched off.
    """
    rule = own_rule(tests, bench)
    if rule is None:
        return ()
    for case in tests.cases:
        status = {
            candidate.id: candidate.status for candidate in bench.ruleset(case).pack.rules
        }.get(rule.id)
        if status != "draft":
            return ()
    return (rule.id,)


def _run_case(case: Case, bench: Bench, compose: Compose | None) -> CaseResult:
    try:
        trial = bench.trial(case)
    except SketchError as error:
        return CaseResult(case.name, (str(error),))
    evaluation = evaluate(trial.ruleset, trial.service, trial.facts)
    problems = [*outcome_problems(case, evaluation, trial.ruleset)]
    if case.because:
        problems += because_problems(case, evaluation, _trace(trial, tuple(case.expect)))
    if case.cards is not None and compose is not None:
        problems += compare_cards(trial, evaluation, compose)
    if not problems:
        return CaseResult(case.name)
    return CaseResult(case.name, tuple(problems), _trace(trial, _concerned(problems, trial)))


def compare_cards(trial: Trial, evaluation: Evaluation, compose: Compose) -> list[str]:
    """Complaints about the cards. A fault in composing them is one."""
    pack = trial.ruleset.pack
    try:
        cards = compose(pack, trial.service, evaluation, trial.facts, request_of(trial))
    except Exception as error:  # the case fails with the fault; the other cases still run
        return [f"cards: could not be composed ({type(error).__name__}: {error})"]
    return list(card_problems(trial.case.cards or (), cards))


def _concerned(problems: Sequence[str], trial: Trial) -> tuple[str, ...]:
    """The rules that the complaints name, else those that the case expects something of."""
    named = tuple(
        rule for rule in trial.ruleset.rules if any(p.startswith(f"{rule}:") for p in problems)
    )
    return named or tuple(trial.case.expect)


def _trace(trial: Trial, rules: tuple[str, ...]) -> str:
    if not rules:
        return ""
    return as_text(explain(trial.ruleset, trial.service, trial.facts, rules))


def _coverage(tests: TestFile, rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A rule needs a case in which it fires and one in which it does not; better also unknown."""
    outcomes = {case.expect.get(rule.id, "no") for case in tests.cases}
    missing = [name for name in ("fires", "no") if name not in outcomes]
    problems = tuple(f"no case in which {rule.id} says '{name}'" for name in missing)
    if "unknown" in outcomes or rule.status == "retired":
        return problems, ()
    return problems, (f"no case in which {rule.id} says 'unknown'",)
