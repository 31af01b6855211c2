"""The charts that both engines judge: those of the rules' tests, and generated ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cds_service.packs.load import load_pack
from cds_service.portable.libraries import Libraries, write
from cds_service.rules.model import Pack
from cds_service.rules.ruleset import RuleSet, compile_rules
from cds_service.ruletests.testfile import Case, read_test_file
from cds_service.ruletests.testing import benches
from cds_service.ruletests.trial import Trial, facts_of
from tests.oracle.charts import NOW, Charts

HOOKS = Path(__file__).parents[2] / "hooks"
Named = tuple[str, Trial]


@dataclass(frozen=True)
class Exported:
    """A pack, compiled for this engine and exported for the other."""

    pack: Pack
    rules: RuleSet
    libraries: Libraries


def shipped() -> Exported:
    """The shipped pack."""
    pack = load_pack(HOOKS, thorough=False)
    return Exported(pack, compile_rules(pack), write(pack))


def of_tests(exported: Exported, step: int = 1) -> Iterator[Named]:
    """Every so-many-th test of the rules that is on the pack's own settings."""
    number = 0
    for files, bench in benches(HOOKS, None, ()):
        for file in files:
            for case in read_test_file(file).cases:
                if case.settings or case.profiles not in (None, ("seed-default",)):
                    continue
                number += 1
                if number % step == 0:
                    yield f"{file.stem}: {case.name}", bench.trial(case)


def generated(exported: Exported, count: int, seed: int) -> Iterator[Named]:
    """Generated charts of the pack: so many, and those that every run has."""
    charts = Charts(exported.pack, seed)
    for name, service, chart in (*charts.make(count), *charts.always()):
        case = Case(name, service.id, NOW, {})
        facts = facts_of(exported.pack, chart, case)
        yield name, Trial(case, exported.rules, service, chart, facts)
