"""What an administrator, integrator or operator can use is written down where they look."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from cds_service import config
from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.web.openapi import document as openapi_document

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCS = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join([README, *DOCS.values()])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def commands(command: click.Command, name: str) -> list[str]:
    """The full names of all commands below one."""
    if not isinstance(command, click.Group):
        return [name]
    context = click.Context(command)
    found = []
    for child in command.list_commands(context):
        inner = command.get_command(context, child)
        assert inner is not None
        found += commands(inner, f"{name} {child}")
    return found


@pytest.mark.parametrize("command", commands(main, "cds"))
def test_each_command_is_documented(command: str) -> None:
    assert f"`{command}`" in DOCS["command-line.md"], "add it to docs/command-line.md"


def test_each_documented_command_exists() -> None:
    told = set(re.findall(r"^\| `(cds [^`]+)` \|", DOCS["command-line.md"], re.MULTILINE))
    assert told == set(commands(main, "cds"))


@pytest.mark.parametrize("path", list(openapi_document()["paths"]))
def test_each_route_is_documented(path: str) -> None:
    shown = path.replace("{service_id}", "{id}")
    assert f"`GET {shown}`" in DOCS["integrators-guide.md"] or (
        f"`POST {shown}`" in DOCS["integrators-guide.md"]
    )


def test_each_documented_route_exists() -> None:
    files = (ROOT / "cds_service" / "schemas").glob("*.json")
    texts = [EVERYTHING, *(path.read_text("utf-8") for path in files)]
    told = {path for text in texts for path in re.findall(r"\b(?:GET|POST) (/[\w.-]*)", text)}
    routes = {path.split("{")[0].rstrip("/") or "/" for path in openapi_document()["paths"]}
    assert {path.rstrip("/") or "/" for path in told} - routes == set()


def test_each_variable_is_documented() -> None:
    read = set(re.findall(r'"(CDS_[A-Z_]+)"', Path(config.__file__).read_text("utf-8")))
    assert sorted(name for name in read if f"`{name}`" not in EVERYTHING) == []


def test_each_setting_is_in_the_clinical_reference() -> None:
    settings = load_pack(ROOT / "hooks", thorough=False).settings
    reference = DOCS["clinical-reference.md"]
    assert sorted(name for name in settings if f"`{name}`" not in reference) == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md"]
    + [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))],
)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    path = ROOT / name
    links = [link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_what_the_readme_names_is_there() -> None:
    paths = re.findall(r"`((?:hooks|frontend|\w+)/[\w./*-]*|config\.py)`", README)
    roots = (ROOT, ROOT / "cds_service")
    assert [path for path in paths if not any(list(root.glob(path)) for root in roots)] == []
    rooms = {path.name for path in (ROOT / "cds_service").iterdir() if path.is_dir()}
    unnamed = {room for room in rooms if not room.startswith("_") and f"`{room}/" not in README}
    assert unnamed <= {"authoring", "cli", "population", "protocol", "schemas", "service"}


def test_each_row_of_where_it_is_decided_names_a_file() -> None:
    """A folder alone would leave the reader to guess."""
    rows = re.findall(r"^\| (.+) \| (.+) \|$", README.partition("## Where is it decided?")[2], re.M)
    decided = [row for row in rows if row[1] not in ("decided in", "---")]
    assert len(decided) > 100
    assert [
        what for what, where in decided if not re.search(r"`\S+/\S*[^/]`|\w\.\w+`", where)
    ] == []


def test_the_readme_lists_the_rules() -> None:
    lists = re.findall(r"`(hooks/[\w-]+/[\w-]+)/`: ((?:`[\w-]+`(?:, )?)+)", README)
    rules = [
        f"{folder}/{name}.json" for folder, text in lists for name in re.findall(r"[\w-]+", text)
    ]
    files = (ROOT / "hooks").glob("*/*/*.json")
    shipped = [path for path in files if path.with_suffix(".test.json").is_file()]
    told = [*rules, *re.findall(r"`(hooks/[\w-]+/[\w-]+/[\w-]+\.json)`", README)]
    assert set(told) == {str(path.relative_to(ROOT)) for path in shipped}


def test_each_folder_of_tests_is_in_their_readme() -> None:
    rows = re.findall(
        r"^\| (`[^|]+) \|", (ROOT / "tests/README.md").read_text("utf-8"), re.MULTILINE
    )
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*.py")}
    named = {name for row in rows for name in re.findall(r"`(\w+)/`", row)}
    assert {folder.parts[0] for folder in folders if folder.parts} == named


def test_each_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests/README.md"]
        for target in re.findall(r"`make ([a-z-]+)", path.read_text("utf-8"))
    }
    assert named - targets == set()


def test_each_make_target_is_in_its_help() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) - {"help"}
    assert targets == set(re.findall(r'^\t@echo "make ([a-z-]+) ', text, re.MULTILINE))


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert openapi_document()["info"]["version"] == project["version"]


def test_nobody_is_told_that_the_content_is_signed_off() -> None:
    for text in (README, DOCS["clinical-reference.md"]):
        assert "Not signed off" in text and "No clinician has" in text
