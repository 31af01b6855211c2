"""Runs over charts made of independent ones, with all that is wrong in a real export: exact counts,
the same rows from Spark, and memory that does not grow with the charts.

CDS_POPULATION_CHARTS says how many charts (10000 takes minutes); by default few.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.population import local
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.rows import CHART
from cds_service.population.source import source_files
from tests.support.large_export import HUGE, Expected, write_large
from tests.support.population import chart, left_out, medication, rows, write_export

ROOT = Path(__file__).parent.parent.parent
FEW = 120
CHARTS = int(os.environ.get("CDS_POPULATION_CHARTS", FEW))
JOBS = 2 if CHARTS > 1000 else 1
PLAN = RunPlan(hooks=str(ROOT / "hooks"), salt="a salt for tests", sweeps=(("ferritin.low", "75"),))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    folder = tmp_path_factory.mktemp("large") / "export"
    huge = HUGE if CHARTS > 1000 else 20_001
    return folder, write_large(folder, CHARTS, huge=huge)


@pytest.fixture(scope="module")
def judged(made: tuple[Path, Expected], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = RunFolder(tmp_path_factory.mktemp("judged") / "run")
    folder.open({}, again=False)
    local.run(source_files([str(made[0])]), PLAN, folder, JOBS, lambda stage, done, total: None)
    return folder.root


def test_every_chart_and_every_line_is_accounted_for(
    made: tuple[Path, Expected], judged: Path
) -> None:
    counted = left_out(judged)
    without_visit = counted.pop("patients left out: no encounter with a date", 0)
    charts = sum(table.num_rows for table in RunFolder(judged).tables(CHART))
    assert charts + without_visit == made[1].charts
    assert counted == made[1].left_out
    assert sum("rls.low-ferritin" in row for row in rows(judged)) > 0


@pytest.mark.spark
@pytest.mark.skipif(CHARTS <= FEW, reason="by hand: CDS_POPULATION_CHARTS names more")
def test_spark_accounts_for_the_same_and_gives_the_same_rows(
    made: tuple[Path, Expected], judged: Path, tmp_path: Path
) -> None:
    from cds_service.population.spark import run_local

    folder = RunFolder(tmp_path / "run")
    folder.open({}, again=False)
    run_local(source_files([str(made[0])]), PLAN, folder, 2)
    assert left_out(folder.root) == left_out(judged)
    assert rows(folder.root) == rows(judged)


PEAK = """
import sys
from pathlib import Path
from cds_service.population import local, packets
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.source import source_files
packets.BUCKET = int(sys.argv[3])
folder = RunFolder(Path(sys.argv[2]))
folder.open({}, again=False)
plan = RunPlan(hooks="hooks", salt="s")


def progress(stage, done, total):
    if (stage, done) == ("judging", 1):  # the pack is loaded: what it took does not count
        Path("/proc/self/clear_refs").write_text("5")


local.run(source_files([sys.argv[1]]), plan, folder, 1, progress)
(line,) = [one for one in open("/proc/self/status") if one.startswith("VmHWM")]
print(int(line.split()[1]))
"""


def peak(source: Path, out: Path) -> int:
    """The most memory that a run in one process held after its first part, in kB."""
    command = [sys.executable, "-c", PEAK, str(source), str(out), str(2**19)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads Linux's /proc")
def test_twice_the_charts_need_no_more_memory(tmp_path: Path) -> None:
    """A chart has 100 kB: the second run reads 10 MB more, in parts of half a MB."""
    few, many = (padded(tmp_path / name, number) for name, number in (("a", 100), ("b", 200)))
    before, after = peak(few, tmp_path / "few"), peak(many, tmp_path / "many")
    assert after - before < 6_000, f"{before} kB, then {after} kB"


def padded(folder: Path, charts: int) -> Path:
    resources = [medication()]
    for number in range(charts):
        own = chart(number)
        note = {**own[2], "id": f"{number}-note", "note": [{"text": "x" * 100_000}]}
        resources += [*own, note]
    return write_export(folder, resources)
