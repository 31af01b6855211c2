"""The same rows from Spark: local, one of its processes killed on the way, and local-cluster with
workers of its own.

Needs PySpark and Java (`make spark`).
"""

import os
from pathlib import Path
from typing import Any

import pytest

from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from tests.support.killed_run import killed_run
from tests.support.population import chart, left_out, medication, rows, write_export

pytestmark = pytest.mark.spark

ROOT = Path(__file__).parent.parent.parent
PLAN = RunPlan(hooks=str(ROOT / "hooks"), salt="a salt for tests", sweeps=(("ferritin.low", "75"),))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Damaged lines, a patient twice, an orphan, and 40 good charts."""
    resources = [r for number in range(40) for r in chart(number)]
    resources += [
        {"resourceType": "Patient", "id": "p3", "birthDate": "1901-01-01"},
        {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/nobody"}},
        {"resourceType": "Condition", "id": "c-2", "subject": {"display": "somebody"}},
        {"resourceType": "Condition", "id": "c-3", "subject": {"reference": "urn:uuid:nobody-2"}},
        chart(4)[1],
    ]
    folder = tmp_path_factory.mktemp("export") / "a"
    return write_export(folder, [*resources, medication()], damaged=3)


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of the local engine."""
    from cds_service.population import local
    from cds_service.population.source import source_files

    folder = RunFolder(tmp_path_factory.mktemp("local") / "run")
    folder.open({}, again=False)
    local.run(source_files([str(source)]), PLAN, folder, 1, lambda stage, done, total: None)
    return folder.root


def spark_rows(master: str, source: Path, out: Path) -> Path:
    from cds_service.population import spark

    folder = RunFolder(out)
    folder.open({}, again=False)
    running: Any = spark.session(master)
    try:
        spark.run(running, [str(source)], PLAN, folder)
    finally:
        running.stop()
    return out


@pytest.mark.parametrize("master", ["local[1]", "local[2]"])
def test_spark_gives_the_rows_of_the_local_engine(
    source: Path, expected: Path, tmp_path: Path, master: str
) -> None:
    out = spark_rows(master, source, tmp_path / "run")
    assert rows(out) == rows(expected)
    assert left_out(out) == left_out(expected)


def test_a_cluster_of_worker_processes_gives_them_too(
    source: Path, expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    out = spark_rows("local-cluster[2,1,1024]", source, tmp_path / "run")
    assert rows(out) == rows(expected)


def test_a_process_that_is_killed_on_the_way_is_replaced(
    source: Path, expected: Path, tmp_path: Path
) -> None:
    out, salt = tmp_path / "run", tmp_path / "salt"
    salt.write_text(PLAN.salt)
    options = ("--engine", "spark", "--salt-file", str(salt), "--sweep", "ferritin.low=75")
    said = killed_run(tmp_path / "x", source, out, *options)
    assert said.count("what it had under way is done again.") == 1 and "java." not in said
    assert rows(out) == rows(expected)
    assert left_out(out) == left_out(expected)
