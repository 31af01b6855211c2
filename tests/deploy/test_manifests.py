"""deploy/ read by the programs that an operator gives it to."""

import re
from pathlib import Path

import pytest

from tests.support.deploy import DEPLOY, OTHERS, documents, problems, run


@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml")]
)
def test_alarms_pass_their_tests(arguments: tuple[str, ...]) -> None:
    run("promtool", *arguments, folder=DEPLOY / "prometheus")


@pytest.mark.parametrize("part", ["service", "upgrade", "monitoring"])
def test_kustomize_builds(part: str) -> None:
    built = run("kubectl", "kustomize", f"kubernetes/{part}")
    for document in documents(built):
        assert document["metadata"]["name"].startswith("cds")
    for image in re.findall(r"image: (\S+)", built):
        assert "@sha256:" in image


@pytest.mark.parametrize("part", ["service", "upgrade", "monitoring"])
def test_manifests_fit_the_schemas_of_kubernetes(part: str) -> None:
    files = sorted((DEPLOY / "kubernetes" / part).glob("*.yaml"))
    manifests = [one for path in files for one in documents(path.read_text("utf-8"))]
    checked = [one for one in manifests if one["kind"] not in {*OTHERS, "Kustomization"}]
    assert [problem for one in checked for problem in problems(one)] == []


def test_the_schemas_notice_a_misspelt_property() -> None:
    [manifest] = documents((DEPLOY / "kubernetes/upgrade/job.yaml").read_text("utf-8"))
    manifest["spec"]["template"]["spec"]["restartpolicy"] = "Never"
    assert any("restartpolicy" in problem for problem in problems(manifest))


def test_the_systemd_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd/cds.service").read_text("utf-8")
    path = tmp_path / "cds.service"
    path.write_text(unit.replace("/opt/cds/bin/cds", "/bin/true"))
    run("systemd-analyze", "verify", "--man=no", str(path))
    settings = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"\w+=", line))
    assert int(settings["TimeoutStopSec"]) >= 45
    assert settings["ExecReload"].endswith("-HUP $MAINPID")
