"""docs/clinical-reference.md is what the pack says today."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack
from cds_service.sources.reference import anchor, reference, table

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "clinical-reference.md"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT / "hooks", thorough=False)


def test_it_is_not_stale(pack: Pack) -> None:
    fresh = DOCUMENT.read_text("utf-8") == reference(pack)
    assert fresh, "run: cds rules reference --to docs/clinical-reference.md"


def test_it_has_every_rule_setting_profile_and_claim(pack: Pack) -> None:
    text = reference(pack)
    for rule in pack.rules:
        assert f"\n### {rule.id}\n" in text and f"(#{anchor(rule.id)})" in text
    for name in [*pack.settings, *pack.definitions, *pack.raw["pack"].data["profiles"]]:
        assert f"\n| `{name}` |" in text, name
    for number in range(1, 312):
        assert f"\n| C{number} |" in text


def test_every_row_has_the_columns_of_its_head(pack: Pack) -> None:
    columns = 0
    for line in reference(pack).splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        found = line.replace("\\|", "").count("|")
        columns = columns or found
        assert found == columns, line


def test_a_cell_cannot_break_its_table() -> None:
    assert list(table(("a", "b"), [("x|y", "two\nlines")]))[-1] == "| x\\|y | two lines |"


def test_the_command_writes_it(tmp_path: Path, pack: Pack) -> None:
    target = tmp_path / "reference.md"
    result = CliRunner().invoke(main, ["rules", "reference", "--to", str(target)])
    assert result.exit_code == 0, result.output
    assert target.read_text("utf-8") == reference(pack)
    assert CliRunner().invoke(main, ["rules", "reference"]).stdout == reference(pack)
