"""docs/administrators-guide.md as somebody follows it: its files are written, its commands run.

A block under a line that is only a file name is that file of the site's folder. In `console` blocks
lines that begin with `$` are run, "exit code N" is what the command must end with (0 where it is
not said), and every other line must be found in its output, blanks apart.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "administrators-guide.md").read_text("utf-8")
BLOCK = re.compile(r"(?:^`([^`\n]+)`\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """(file name or "", language, content), in order, up to the list of messages."""
    told = GUIDE.partition("\n## Messages of cds rules check\n")[0]
    return [match.groups(default="") for match in BLOCK.finditer(told)]  # type: ignore[misc]


def commands(content: str) -> Iterator[tuple[str, list[str], int]]:
    """Each command with what its output must hold and its exit code."""
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        codes = [int(line.split()[-1]) for line in lines if line.startswith("exit code ")]
        wanted = [line for line in lines if line and not line.startswith("exit code ")]
        yield command, wanted, codes[0] if codes else 0


def tight(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", "2026-11-21T09:00:00Z")
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/cds.sqlite3")
    return tmp_path


def run(command: str) -> Result:
    program, *arguments = shlex.split(command)
    assert program == "cds", command
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_the_guide_from_top_to_bottom(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = 0
    for file, language, content in blocks():
        if file:
            path = place / "site" / file
            assert path.parent.is_dir(), file
            path.write_text(content, "utf-8")
            continue
        if language == "json":
            json.loads(content)  # a part of a file, shown
            continue
        assert language == "console", "a block that nobody checks"
        for command, wanted, code in commands(content):
            result = run(command)
            assert result.exit_code == code, (command, result.output)
            for line in wanted:
                assert tight(line) in tight(result.output), (command, line, result.output)
            ran += 1
        monkeypatch.setenv("CDS_SITE_DIR", "site")
    assert ran > 20


def test_the_headings_are_listed() -> None:
    listed = re.findall(r"^- \[(.+)\]\(#(.+)\)$", GUIDE, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    assert [title for title, _ in listed] == headings
    for title, anchor in listed:
        assert anchor == re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
