"""docs/operators-guide.md and deploy/ say what the program does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cds_service import config
from cds_service.cli import main

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs/operators-guide.md").read_text("utf-8")
DEPLOY = {
    path.relative_to(ROOT / "deploy").as_posix(): path.read_text("utf-8")
    for path in sorted((ROOT / "deploy").rglob("*"))
    if path.is_file()
}
SOURCES = "\n".join(path.read_text("utf-8") for path in (ROOT / "cds_service").rglob("*.py"))
METRICS = set(re.findall(r'(?:Counter|Gauge|Histogram|MetricFamily)\(\s*"(cds_\w+)"', SOURCES))
VARIABLES = set(re.findall(r'"(CDS_[A-Z_]+)"', Path(config.__file__).read_text("utf-8")))


def test_metrics_in_the_guide_exist() -> None:
    told = {name.removesuffix("_total") for name in re.findall(r"`(cds_(?!service)\w+)", GUIDE)}
    assert told <= METRICS
    assert METRICS - told <= {"cds_cards", "cds_feedback", "cds_resources_dropped"}


@pytest.mark.parametrize("file", ["prometheus/alerts.yaml", "grafana/dashboard.json"])
def test_metrics_of_alarms_and_dashboard_exist(file: str) -> None:
    told = set(re.findall(r"\bcds_\w+", DEPLOY[file]))
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in told} <= METRICS


@pytest.mark.parametrize(
    "alarm",
    [
        rule["alert"]
        for group in yaml.safe_load(DEPLOY["prometheus/alerts.yaml"])["groups"]
        for rule in group["rules"]
    ],
)
def test_each_alarm_is_in_the_guide(alarm: str) -> None:
    assert f"`{alarm}`" in GUIDE


@pytest.mark.parametrize("text", [GUIDE, *DEPLOY.values()], ids=["guide", *DEPLOY])
def test_variables_exist(text: str) -> None:
    assert set(re.findall(r"\b(CDS_[A-Z_]+)\b", text)) <= VARIABLES


def test_commands_in_the_guide_exist() -> None:
    told = set(re.findall(r"(?:^|`)cds ((?:db|feedback|rules|config|request) [a-z]+)", GUIDE, re.M))
    assert {"db upgrade", "db purge", "feedback export", "feedback report"} <= told
    for command in told:
        result = CliRunner().invoke(main, [*command.split(), "--help"])
        assert result.exit_code == 0, command


def test_numbers_in_the_guide_are_those_of_the_program() -> None:
    settings = config.Settings()
    for name, value in {
        "CDS_MAX_IN_FLIGHT": settings.max_in_flight,
        "CDS_READ_SECONDS": settings.read_seconds,
        "CDS_KEEP_CALLS_DAYS": settings.keep_call_days,
        "CDS_KEEP_FEEDBACK_DAYS": settings.keep_feedback_days,
    }.items():
        assert re.search(rf"`{name}`[^.]{{0,30}}\({value}\)", GUIDE), name


def test_log_events_in_the_guide_are_logged() -> None:
    section = GUIDE.partition("### Logs")[2].partition("\n## ")[0]
    for event in re.findall(r"`([a-z ]+)`", section):
        assert f'("{event}"' in SOURCES, event


def pods() -> list[dict[str, Any]]:
    """Of the upgrade and of the service, which are applied apart."""
    files = ("kubernetes/upgrade/job.yaml", "kubernetes/service/deployment.yaml")
    return [yaml.safe_load(DEPLOY[file])["spec"]["template"]["spec"] for file in files]


@pytest.mark.parametrize("pod", pods(), ids=["upgrade", "service"])
def test_kubernetes_runs_it_unprivileged_on_a_read_only_root(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["enableServiceLinks"] is False  # a Service "cds" would set CDS_PORT, which is ours
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    result = CliRunner().invoke(main, [*container["args"], "--help"])
    assert result.exit_code == 0


def test_kubernetes_asks_the_addresses_that_there_are(client: Any) -> None:
    (container,) = pods()[1]["containers"]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        assert client.get(container[probe]["httpGet"]["path"]).status_code == 200
    assert container["ports"][0]["containerPort"] == config.Settings().port


def test_compose() -> None:
    compose = yaml.safe_load(DEPLOY["compose.yaml"])
    service = compose["services"]["cds"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ports"] == ["127.0.0.1:5005:5005"]
    assert service["environment"]["CDS_DATABASE_URL"].startswith("postgresql://")
    for name in ("cds", "upgrade"):
        command = [*compose["services"][name]["command"], "--help"]
        assert CliRunner().invoke(main, command).exit_code == 0


def test_containerfile() -> None:
    text = DEPLOY["Containerfile"]
    assert re.search(r"^USER 10001", text, re.M)
    assert "--require-hashes" in text
    assert "/healthz" in text
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", text, re.M).group(1))  # type: ignore[union-attr]
    assert entry == ["cds"]
    for name in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        for path in name.split():
            assert (ROOT / path).exists(), path
            assert f"!{path}" in (ROOT / ".containerignore").read_text().splitlines()
