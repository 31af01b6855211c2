"""Documents name packages, modules and signatures as they are: docs/architecture.md above all."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests" / "README.md"]
    if path.name != "CHANGELOG.md"  # what it tells was so then
]
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGES = {path.name.removesuffix(".py") for path in (ROOT / "cds_service").iterdir()}
SPAN = re.compile(r"`([^`\n]+)`")
SPANS = sorted(set(SPAN.findall(TEXT)))
FILE = re.compile(r"(?:\w[\w.*-]*/)+[\w.*-]*")
NO_MODULES = (".py", ".yaml", ".json")
OURS = ("tests/", "cds_service/", "deploy/", "docs/", "fixtures/", "hooks/", "frontend/")
DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
SIGNATURE = re.compile(r"(?P<name>[a-z_]+(\.\w+)+)\((?P<parameters>[^)]*)\)( -> (?P<returns>.+))?")


def is_ours(name: str) -> bool:
    """Whether a dotted name begins with one of the program's packages."""
    return name.split(".", maxsplit=1)[0] in PACKAGES


def resolve(name: str) -> Any:
    """A module of cds_service, or what a module holds, by its dotted name."""
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        module_name = ".".join(["cds_service", *parts[:split]])
        try:
            thing: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name and module_name.startswith(error.name):
                continue
            raise
        for part in parts[split:]:
            thing = getattr(thing, part)
        return thing
    raise LookupError(name)


def signature(name: str) -> str:
    """A function or class as the document writes it: parameters by name, the type it returns."""
    thing = resolve(name)
    parameters = [part for part in inspect.signature(thing).parameters if part != "self"]
    written = f"{name}({', '.join(parameters)})"
    if inspect.isclass(thing):
        return written
    returns = inspect.formatannotation(inspect.signature(thing).return_annotation)
    return f"{written} -> {re.sub(r'[a-z_]+[.]', '', returns)}"


@pytest.mark.parametrize("span", [span for span in SPANS if SIGNATURE.fullmatch(span)])
def test_signatures_are_those_of_the_program(span: str) -> None:
    written = SIGNATURE.fullmatch(span)
    assert written and span == signature(written["name"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_dotted_names_and_files_exist(document: Path) -> None:
    spans = sorted(set(SPAN.findall(document.read_text("utf-8"))))
    for name in spans:
        if DOTTED.fullmatch(name) and is_ours(name) and not name.endswith(NO_MODULES):
            assert resolve(name) is not None
    homes = (ROOT, ROOT / "cds_service", ROOT / "tests")
    files = [s for s in spans if FILE.fullmatch(s) and (s.endswith(".py") or s.startswith(OURS))]
    named = [file for file in files if "..." not in file]
    assert [file for file in named if not any(any(home.glob(file)) for home in homes)] == []


def test_the_table_has_the_layers_that_imports_keep_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in rows] == [
        re.findall(r"cds_service\.(\w+)", layer) for layer in contract["layers"]
    ]


def test_every_package_has_a_layer() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    layered = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    data = {"__init__", "__pycache__", "schemas", "py.typed"}
    assert {name for name in PACKAGES if not name.startswith("_")} - layered - data == set()
