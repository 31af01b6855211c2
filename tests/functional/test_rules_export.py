"""`cds rules export --fhir`: a package that FHIR accepts and that holds together."""

import base64
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B import get_fhir_model_class

from cds_service.cli import main
from cds_service.packs.load import load_pack

Json = Any
BASE = "https://cds.legcramps.example/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped pack, exported."""
    package = tmp_path_factory.mktemp("package")
    done = CliRunner().invoke(main, ["rules", "export", "--fhir", str(package)])
    assert done.exit_code == 0, done.output
    return package


@pytest.fixture(scope="module")
def files(folder: Path) -> Mapping[str, Json]:
    """The JSON files of the package by their path."""
    with tarfile.open(folder / "package.tgz") as archive:
        return {
            entry.name.removeprefix("package/"): json.loads(file.read())
            for entry in archive
            if entry.name.endswith(".json") and (file := archive.extractfile(entry))
        }


def _resources(files: Mapping[str, Json]) -> dict[str, Json]:
    return {
        path: content
        for path, content in files.items()
        if "resourceType" in content and "/" not in path
    }


def _canonicals(node: Json) -> Iterator[str]:
    """Every address of this project that a resource mentions, versions cut off."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("data", "system", "extension"):
                yield from _canonicals(value)
    elif isinstance(node, list):
        for part in node:
            yield from _canonicals(part)
    elif isinstance(node, str) and re.match(rf"{BASE}[A-Z][A-Za-z]+/", node):
        yield node.split("|")[0]


def test_the_same_content_is_the_same_file(folder: Path, tmp_path: Path) -> None:
    """Whatever order this process gives to its sets."""
    command = "from cds_service.cli import main; main()"
    arguments = [sys.executable, "-c", command, "rules", "export", "--fhir", str(tmp_path)]
    subprocess.run(arguments, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True)
    assert (tmp_path / "package.tgz").read_bytes() == (folder / "package.tgz").read_bytes()


def test_fhir_accepts_every_resource(files: Mapping[str, Json]) -> None:
    tests = [resource for path, resource in files.items() if path.startswith("tests/")]
    for resource in [*_resources(files).values(), *tests[::25]]:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_no_list_and_no_object_is_empty(files: Mapping[str, Json]) -> None:
    """FHIR's JSON knows neither; `fhir.resources` lets them pass."""
    heads = [
        resource["entry"][0]["resource"]
        for path, resource in files.items()
        if path.startswith("tests/")
    ]
    every = [*_resources(files).values(), *heads]
    assert [empty for resource in every for empty in _empty(resource)] == []


def _empty(node: Json, path: str = "") -> Iterator[str]:
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inner:
        if isinstance(value, dict | list):
            if not value:
                yield f"{path}.{key}"
            yield from _empty(value, f"{path}.{key}")


def test_what_is_referred_to_is_in_the_package(files: Mapping[str, Json]) -> None:
    resources = _resources(files).values()
    known = {resource["url"] for resource in resources}
    asked = {url for resource in resources for url in _canonicals(resource)}
    assert asked <= known
    identities = {(resource["resourceType"], resource["id"]) for resource in resources}
    assert len(identities) == len(resources)


def test_every_active_rule_is_an_action_with_an_expression_of_a_library(
    files: Mapping[str, Json],
) -> None:
    hooks = Path(__file__).parents[2] / "hooks"
    pack = load_pack(hooks, thorough=False)
    active = {rule.id for rule in pack.rules if rule.status == "active"}
    plans = [resource for path, resource in files.items() if path.startswith("PlanDefinition")]
    asked = {
        rule["condition"][0]["expression"]["expression"]
        for plan in plans
        for rule in plan["action"][0]["action"]
    }
    assert asked == active
    assert asked <= _expressions(files)


def _expressions(files: Mapping[str, Json]) -> set[str]:
    expressions = set()
    for path, resource in files.items():
        if path.startswith("Library"):
            by_kind = {part["contentType"]: part["data"] for part in resource["content"]}
            elm = json.loads(base64.b64decode(by_kind["application/elm+json"]))
            cql = base64.b64decode(by_kind["text/cql"]).decode()
            names = {part["name"] for part in elm["library"]["statements"]["def"]}
            assert all(name in cql for name in names)
            expressions |= names
    return expressions


def test_plans_are_triggered_by_the_hooks(files: Mapping[str, Json]) -> None:
    plans = [resource for path, resource in files.items() if path.startswith("PlanDefinition")]
    triggers = {plan["action"][0]["trigger"][0]["name"] for plan in plans}
    assert triggers == {"patient-view", "order-select", "order-sign"}


def test_a_value_set_lists_the_codes_that_the_service_knows(files: Mapping[str, Json]) -> None:
    sets = files["ValueSet-cond-restless-legs.json"]
    codes = {concept["code"] for concept in sets["expansion"]["contains"]}
    assert {"G25.81", "32914008"} <= codes
    assert sets["expansion"]["total"] == len(sets["expansion"]["contains"])


def test_a_test_of_a_rule_is_a_bundle_with_the_expected_outcome(files: Mapping[str, Json]) -> None:
    tests = [resource for path, resource in files.items() if path.startswith("tests/")]
    assert len(tests) > 1000
    for resource in tests:
        head = resource["entry"][0]["resource"]["parameter"]
        assert {part["name"] for part in head} >= {"test", "service", "Now", "parameters"}
    heads = [resource["entry"][0]["resource"]["parameter"] for resource in tests]
    expecting = [head for head in heads if any(part["name"] == "expected" for part in head)]
    assert len(expecting) > len(tests) / 2


def test_the_readme_tells_of_each_rule_what_could_not_be_said(folder: Path) -> None:
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert "| rls.low-ferritin " in told
    assert "What no rule says here" in told
