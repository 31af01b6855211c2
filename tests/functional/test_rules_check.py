"""`cds rules check` over example packs.

Each folder of `fixtures/rules/good` and `fixtures/rules/bad` is laid over the pack of
`good/tiny`: `hooks/` over the pack, `site/` as the site's folder, and the files named in
`remove.txt` are taken away. A good one gives no message; a bad one gives exactly the lines of its
`expected.txt`. To add a case, add a folder.
"""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import PackError
from cds_service.packs.load import check_pack, load_pack
from cds_service.packs.problem_text import format_problem

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cds_service"
FIXTURES = ROOT / "fixtures" / "rules"
TINY = FIXTURES / "good" / "tiny"
TODAY = date(2026, 11, 21)
CODE = re.compile(r'"([PSRFCTVLW][0-9]{3})"')
CODE_SHOWN = re.compile(r"  ([PSRFCTVLW][0-9]{3})  ")

GOOD = sorted(path for path in (FIXTURES / "good").iterdir() if path.is_dir())
BAD = sorted(path for path in (FIXTURES / "bad").iterdir() if path.is_dir())


def lay_out(case: Path, place: Path) -> tuple[Path, Path | None]:
    """The case's pack and site folder, put together in `place`."""
    shutil.copytree(TINY, place)
    shutil.copytree(case, place, dirs_exist_ok=True)
    removed = place / "remove.txt"
    for line in removed.read_text().split() if removed.exists() else ():
        (place / line).unlink()
    site = place / "site"
    return place / "hooks", site if site.is_dir() else None


def messages(case: Path, place: Path) -> list[str]:
    """What check says of a case, with paths as seen from the case."""
    hooks, site = lay_out(case, place)
    lines = [format_problem(p, with_source=False) for p in check_pack(hooks, site, today=TODAY)]
    return [line.replace(f"{place.as_posix()}/", "") for line in lines]


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.name)
def test_good_packs_give_no_message_and_load(case: Path, tmp_path: Path) -> None:
    assert messages(case, tmp_path / "case") == []
    hooks, site = tmp_path / "case" / "hooks", tmp_path / "case" / "site"
    pack = load_pack(hooks, site if site.is_dir() else None, today=TODAY)
    assert "rls.low-ferritin" in {rule.id for rule in pack.rules}


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_bad_packs_give_exactly_the_expected_messages(case: Path, tmp_path: Path) -> None:
    expected = (case / "expected.txt").read_text("utf-8").splitlines()
    assert expected, "a bad case without a message shows nothing"
    assert messages(case, tmp_path / "case") == expected


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_a_pack_is_loaded_only_if_it_has_no_error(case: Path, tmp_path: Path) -> None:
    hooks, site = lay_out(case, tmp_path / "case")
    errors = [p for p in check_pack(hooks, site, today=TODAY) if p.severity == "error"]
    if not errors:
        assert load_pack(hooks, site, today=TODAY).name == "tiny"
        return
    with pytest.raises(PackError) as refusal:
        load_pack(hooks, site, today=TODAY)
    assert refusal.value.problems == errors


def test_ten_mistakes_in_one_rule_are_ten_messages_each_at_its_place(tmp_path: Path) -> None:
    lines = messages(FIXTURES / "bad" / "ten-mistakes", tmp_path / "case")
    assert len(lines) == 10
    places = {line.split("  ")[0] for line in lines}
    assert len(places) == 10
    assert all(place.startswith("hooks/patient-view/rls/low-ferritin.json:") for place in places)


def codes_of_the_checks() -> set[str]:
    """Every code that the checks and the value set loader can give, read from their sources."""
    sources = [*PACKAGE.glob("packs/**/*.py"), *PACKAGE.glob("terminology/*.py")]
    return {code for path in sources for code in CODE.findall(path.read_text("utf-8"))}


def test_every_code_of_a_check_has_an_example() -> None:
    """But for huge files, and for what only the schema library or the engine knows."""
    shown = {
        part for case in BAD for part in CODE_SHOWN.findall((case / "expected.txt").read_text())
    }
    mine = {code for code in codes_of_the_checks() if not code.startswith("V0")}
    assert mine - shown == {"P008", "R216", "S108"}


def test_every_code_has_a_paragraph_in_the_guide() -> None:
    guide = (ROOT / "docs" / "administrators-guide.md").read_text("utf-8")
    explained = re.findall(r"^\*\*([A-Z][0-9]{3})\*\* .{20,}", guide, re.MULTILINE)
    assert len(explained) == len(set(explained)), "a code is explained twice"
    clients = (ROOT / "cds_service" / "callers" / "file.py").read_text("utf-8")
    assert set(explained) == codes_of_the_checks() | set(re.findall(r'"(K[0-9]{3})"', clients))
