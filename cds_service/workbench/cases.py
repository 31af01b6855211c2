"""The cases of a rule's tests, and one of them as a chart to be tried."""

from collections.abc import Iterator

from cds_service.errors import ServiceError
from cds_service.rules.model import Pack, Rule
from cds_service.ruletests.testfile import Case, TestFile, TestFileError, read_test_file
from cds_service.workbench import what_if
from cds_service.workbench.chart import ChartState
from cds_service.workbench.imports import at, of_sketch


def files(rule: Rule) -> Iterator[TestFile]:
    """The test file beside a rule, where there is one that can be read."""
    path = rule.path.with_name(f"{rule.path.stem}.test.json") if rule.path else None
    if path is None or not path.is_file():
        return
    try:
        yield read_test_file(path)
    except TestFileError:
        return  # `rules check` says what is wrong with it


def of_rule(rule: Rule) -> list[Case]:
    """The cases of a rule."""
    return [case for file in files(rule) for case in file.cases]


def find(pack: Pack, rule_id: str, number: str) -> Case:
    """One case by its place, from 1. Raises ServiceError 404."""
    rule = next((candidate for candidate in pack.rules if candidate.id == rule_id), None)
    cases = of_rule(rule) if rule else []
    if not (number.isascii() and number.isdecimal() and 0 < int(number) <= len(cases)):
        raise ServiceError(404, "not-found", "No rule has this test case.", "not-found")
    return cases[int(number) - 1]


def chart_of(case: Case, pack: Pack) -> ChartState:
    """The chart of a case, opened at its moment."""
    moment = case.now.isoformat().replace("+00:00", "Z")
    return at(of_sketch(case.sketch, pack, case.now), moment)


def change_of(case: Case, pack: Pack) -> what_if.Change:
    """The profile and the settings that the case asks for, as a change of those in force."""
    profiles = pack.profiles if case.profiles is None else case.profiles
    chosen = what_if.read({"profile.here": "1"}, pack, profiles).profiles
    shown = ",".join(pack.profiles if chosen is None else chosen)
    fields = {f"set.{name}": _text(value) for name, value in case.settings.items()}
    return what_if.read({**fields, "profile.here": "1", "profile.was": shown}, pack, profiles)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def words(case: Case) -> str:
    """What the case is about and what it expects."""
    wanted = ", ".join(f"{rule} {outcome}" for rule, outcome in case.expect.items()) or "no rule"
    return f"Test case “{case.name}”: {wanted} is expected."
