"""`cds rules check --format sarif|github`, and the workflow that runs it for pull requests."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from cds_service.cli import main
from tests.support.sites import Site

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "deploy" / "github" / "rules.yml"
Json = Any


def closed(required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


WORDS = {"type": "string", "minLength": 1}
TEXT = closed(["text"], text=WORDS)
COUNT = {"type": "integer", "minimum": 1}
PLACE = closed(
    ["artifactLocation", "region"],
    artifactLocation=closed(["uri"], uri={**WORDS, "pattern": r"^[^\s\\]+$"}),
    region=closed(["startLine"], startLine=COUNT, startColumn=COUNT),
)
RULE = closed(["id"], id=WORDS, help=TEXT)
DRIVER = closed(["name"], name=WORDS, version=WORDS, rules={"type": "array", "items": RULE})
RESULT = closed(
    ["message", "locations"],
    ruleId=WORDS,
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=TEXT,
    locations={"type": "array", "items": closed(["physicalLocation"], physicalLocation=PLACE)},
)
RUN = closed(
    ["tool", "results"],
    tool=closed(["driver"], driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
# Of the published schema of SARIF 2.1.0 (OASIS) the parts that this program writes.
SARIF = closed(
    ["version", "runs"],
    **{"$schema": WORDS},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDS_SITE_DIR", "site")
    monkeypatch.setenv("CDS_AUTH", "off")
    return Site(tmp_path / "site")


def cds(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_a_finding_as_sarif_and_as_annotation(site: Site) -> None:
    site.write("site.json", '{\n  "settings": {"ferritin.low": 750}\n}')
    site.write("odd, name%.json", {})
    result = cds("rules", "check", "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.output)
    Draft202012Validator(SARIF).validate(log)
    [run] = log["runs"]
    told = {one["ruleId"]: one for one in run["results"]}
    assert told["F308"]["level"] == "error"
    [location] = told["F308"]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "site/site.json"
    assert location["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 32}
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
    lines = cds("rules", "check", "--format", "github").output.splitlines()
    assert any(
        line.startswith("::error file=site/site.json,line=2,col=32,title=F308 ") for line in lines
    )
    assert any("file=site/odd%2C name%25.json," in line for line in lines)


def test_a_pack_without_fault_is_a_log_without_results(site: Site) -> None:
    result = cds("rules", "check", "--format", "sarif", "--to", "rules.sarif")
    assert result.exit_code == 0
    log = json.loads(Path("rules.sarif").read_text())
    Draft202012Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def test_every_command_of_the_workflow_is_one(site: Site) -> None:
    """Each `cds` line is tried as it stands, with the words of the runner filled in."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    steps = workflow["jobs"]["rules"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    commands = re.findall(r"^cds .+$", "\n".join(scripts), re.MULTILINE)
    assert len(commands) >= 4
    Path("before").mkdir()
    Path("before/site").symlink_to(site.root)
    for command in commands:
        if command == "cds rules test":
            continue  # run by other tests, and slow
        result = cds(*shlex.split(command)[1:])
        assert result.exit_code == 0, (command, result.output)
    [upload] = [step for step in steps if "upload-sarif" in step.get("uses", "")]
    assert Path(upload["with"]["sarif_file"]).exists()
    assert workflow["env"]["CDS_SITE_DIR"] == "site"
