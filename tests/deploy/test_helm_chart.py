"""The Helm chart: linted, written out, held to the schemas and to the plain manifests."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deploy import DEPLOY, OTHERS, ROOT, documents, problems, run

CHART = "helm/leg-cramps-cds"
SITE = {
    "image": {"repository": "registry.example.org/leg-cramps-cds", "digest": f"sha256:{'0' * 64}"},
    "publicUrl": "https://cds.example.org/leg-cramps",
}
EVERYTHING = {
    "database": {"upgrade": True},
    "monitoring": {
        "serviceMonitor": True,
        "alerts": True,
        "dashboard": True,
        "labels": {"release": "prometheus"},
    },
    "environment": {"CDS_LOG_LEVEL": "WARNING"},
    "pullSecrets": ["registry"],
}
ALONE = {"replicas": 1, "networkPolicy": {"enabled": False}}


def rendered(tmp_path: Path, **values: Any) -> dict[str, dict[str, Any]]:
    """What an installation under the name `cds` would apply, by kind."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(SITE | values))
    written = documents(run("helm", "template", "cds", CHART, "--values", str(file)))
    assert len(written) == len({one["kind"] for one in written})
    return {one["kind"]: one for one in written}


@pytest.mark.parametrize("values", [{}, EVERYTHING, ALONE], ids=["defaults", "everything", "alone"])
def test_it_is_linted_and_fits_the_schemas(tmp_path: Path, values: dict[str, Any]) -> None:
    written = rendered(tmp_path, **values)
    run("helm", "lint", "--strict", CHART, "--values", str(tmp_path / "values.yaml"))
    checked = [one for kind, one in written.items() if kind not in OTHERS]
    assert [problem for one in checked for problem in problems(one)] == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image": {"repository": "x", "digest": "latest"}}, "digest"),
        ({"publicUrl": "http://cds.example.org"}, "publicUrl"),
        ({"publicUrl": ""}, "publicUrl"),
        ({"replica": 3}, "replica"),
        ({"environment": {"PATH": "x"}}, "PATH"),
        ({"workers": 0}, "workers"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        rendered(tmp_path, **values)


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    """A pod's specification; its container's environment by name, image and resources aside."""
    spec = manifest["spec"]["template"]["spec"]
    [container] = spec["containers"]
    container["env"] = {entry.pop("name"): entry for entry in container["env"]}
    del container["image"]
    return dict(spec)


def test_pods_are_those_of_the_plain_manifests(tmp_path: Path) -> None:
    """Two ways to install, one service: what is mended in one is mended in both."""
    written = rendered(tmp_path, database={"upgrade": True})
    for kind, file in {"Deployment": "service/deployment", "Job": "upgrade/job"}.items():
        [plain] = documents((DEPLOY / f"kubernetes/{file}.yaml").read_text("utf-8"))
        ours, theirs = pod(written[kind]), pod(plain)
        environment = ours["containers"][0]["env"]
        environment.pop("CDS_MAX_IN_FLIGHT", None)  # which the chart names, with the default
        assert ours == theirs
    [policy] = documents((DEPLOY / "kubernetes/service/networkpolicy.yaml").read_text("utf-8"))
    for part in ("ingress", "egress", "policyTypes"):
        assert written["NetworkPolicy"]["spec"][part] == policy["spec"][part]


def test_selectors_find_the_pods(tmp_path: Path) -> None:
    written = rendered(tmp_path, **EVERYTHING)
    labels = written["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    assert written["Service"]["spec"]["selector"].items() <= labels
    for kind, name in {
        "Deployment": "selector",
        "PodDisruptionBudget": "selector",
        "NetworkPolicy": "podSelector",
    }.items():
        assert written[kind]["spec"][name]["matchLabels"].items() <= labels
    monitor = written["ServiceMonitor"]
    of_service = written["Service"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= of_service.items()
    assert of_service[monitor["spec"]["jobLabel"]] == "cds"  # as the alarms have it


def test_alarms_and_dashboard_are_the_files_of_deploy(tmp_path: Path) -> None:
    written = rendered(tmp_path, **EVERYTHING)
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text("utf-8"))
    assert written["PrometheusRule"]["spec"] == alerts
    [dashboard] = written["ConfigMap"]["data"].values()
    assert dashboard == (DEPLOY / "grafana/dashboard.json").read_text("utf-8")
    assert json.loads(dashboard)["uid"] == "leg-cramps-cds"
    for kind in OTHERS:
        assert written[kind]["metadata"]["labels"]["release"] == "prometheus"


def test_its_version_is_the_programs() -> None:
    chart = yaml.safe_load((DEPLOY / CHART / "Chart.yaml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert chart["appVersion"] == project["version"]
    assert chart["version"].replace("-", "") == project["version"]
