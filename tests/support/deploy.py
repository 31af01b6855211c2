"""The operator's programs that check deploy/, and the schemas of Kubernetes.

`make deploy` brings those that `.ci/deploy-tools` can have; a test is skipped by the name of what
is missing.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / "build/deploy-tools"
# Kinds of the Prometheus Operator, which no schema of Kubernetes has.
OTHERS = {"ServiceMonitor", "PrometheusRule"}


def run(program: str, *arguments: str, folder: Path = DEPLOY) -> str:
    """What a program prints. Skips where there is none; raises AssertionError with what it says."""
    search = f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which(program, path=search) or pytest.skip(f"needs {program} (make deploy)")
    done = subprocess.run(
        [found, *arguments], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise AssertionError(f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def documents(text: str) -> list[dict[str, Any]]:
    """Of a YAML stream, without those that are empty."""
    return [document for document in yaml.safe_load_all(text) if document]


def problems(manifest: dict[str, Any]) -> list[str]:
    """Departures from the schema of a manifest's kind, unknown properties included."""
    folder = TOOLS / "schemas"
    if not folder.is_dir():
        pytest.skip("needs the schemas of Kubernetes (make deploy)")
    group, _, version = manifest["apiVersion"].rpartition("/")
    parts = [manifest["kind"], *([group.split(".")[0]] if group else []), version]
    schema = json.loads((folder / ("-".join(parts).lower() + ".json")).read_text("utf-8"))
    validator = Draft7Validator(schema, registry=_definitions(folder))
    return [
        f"{manifest['kind']} {error.json_path}: {error.message}"
        for error in validator.iter_errors(manifest)
    ]


@cache
def _definitions(folder: Path) -> Registry[Any]:
    content = json.loads((folder / "_definitions.json").read_text("utf-8"))
    shared = Resource.from_contents(content, default_specification=DRAFT7)
    return Registry().with_resource("_definitions.json", shared)
