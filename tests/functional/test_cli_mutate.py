"""`cds rules test --mutate`: 1 where a small change goes unnoticed and nobody says why."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main

HOOKS = Path(__file__).parents[2] / "hooks"
RULE = "patient-view/assoc/venous.test.json"


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    return shutil.copytree(HOOKS, tmp_path / "hooks")


def run(hooks: Path) -> Result:
    command = ["rules", "test", "--mutate", str(hooks / RULE)]
    return CliRunner().invoke(main, command, env={"CDS_HOOKS_DIR": str(hooks)})


def test_the_shipped_tests_notice_every_change(hooks: Path) -> None:
    result = run(hooks)
    assert result.exit_code == 0, result.output
    assert "0 not caught" in result.output


def test_without_the_refuted_finding_its_filter_may_go(hooks: Path) -> None:
    path = hooks / RULE
    tests = json.loads(path.read_text())
    kept = [case for case in tests["cases"] if "refuted" not in json.dumps(case)]
    assert len(kept) < len(tests["cases"])
    path.write_text(json.dumps(tests | {"cases": kept}))
    result = run(hooks)
    assert result.exit_code == 1
    assert "NOT CAUGHT  assoc.venous" in result.output
