"""What the other engine is asked: charts as it reads them, and which rules."""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cds_service.facts.chart import Chart
from cds_service.portable.cases import chart_bundle, parameters_of
from cds_service.portable.libraries import FACTS, PREFIX, Libraries, library_name

Json = Any
HERE = Path(__file__).parent
SECONDS = 1200


@dataclass(frozen=True)
class Asked:
    """One chart for the other engine, and the expressions that it is asked for."""

    name: str
    bundle: Json
    parameters: Mapping[str, Json]
    now: datetime
    ask: Sequence[str]


def asked_of(
    name: str, chart: Chart, now: datetime, ask: Sequence[str], draft: int | None
) -> Asked:
    """A chart with one draft order under evaluation, or none."""
    return Asked(name, chart_bundle(chart), parameters_of(chart, draft), now, ask)


def run(
    libraries: Libraries, charts: Iterable[Asked], *, raw: bool = False
) -> list[dict[str, Json]]:
    """What the other engine says of each chart, by rule: an outcome, or "error: ..."."""
    job = {
        "libraries": libraries.elm,
        "rules": {rule.id: library_name(rule.group) for rule in libraries.rules},
        "facts": f"{PREFIX}{FACTS}",
        "raw": raw,
        "valueSets": {
            value_set.url: list(value_set.codes) for value_set in libraries.sets.by_id.values()
        },
        "charts": [
            {
                "bundle": chart.bundle,
                "parameters": chart.parameters,
                "now": chart.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "ask": list(chart.ask),
            }
            for chart in charts
        ],
    }
    return _outcomes(job)


def _outcomes(job: Json) -> list[dict[str, Json]]:
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "job.json"), Path(folder, "said.json")
        question.write_text(json.dumps(job, default=str), encoding="utf-8")
        command = ["node", str(HERE / "run.cjs"), str(question), str(answer)]
        subprocess.run(command, check=True, timeout=SECONDS, cwd=HERE)
        outcomes: list[dict[str, Json]] = json.loads(answer.read_text(encoding="utf-8"))
        return outcomes
