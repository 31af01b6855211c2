"""A run from its source to its report, with the engine that was asked for."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import ConfigurationError
from cds_service.population import local
from cds_service.population.local import Progress
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.report import write_report
from cds_service.population.source import SourceFile, fingerprint, source_files
from cds_service.population.summary import summarize

Json = Any
LOCAL, SPARK = "local", "spark"


def run(
    places: Sequence[str],
    out: Path,
    plan: RunPlan,
    *,
    engine: str = LOCAL,
    jobs: int = 1,
    again: bool = False,
    keep_spill: bool = False,
    now: datetime,
    progress: Progress,
) -> Mapping[str, Json]:
    """Run, or take up a run that was cut short; the summary.

    Raises ConfigurationError for what cannot be read, written or configured.
    """
    files = source_files(places)
    pack = plan.pack()
    about = {
        **_about(places, files, plan, pack.revision, plan.variants(pack)),
        "engine": engine,  # each has buckets of its own: one does not take up what another began
    }
    folder = RunFolder(out)
    taken_up = folder.open(about, again=again)
    plan = replace(plan, salt=plan.salt or _salt(folder, taken_up))
    if engine == SPARK:
        from cds_service.population.spark import run_local

        run_local(files, plan, folder, jobs)
    else:
        local.run(files, plan, folder, jobs, progress)
    summary = {**summarize(folder, pack, about), "made": now.isoformat(timespec="seconds")}
    folder.write("summary.json", orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
    folder.write("report.html", write_report(summary))
    folder.finish(keep_spill=keep_spill)
    folder.save({"about": about, "finished": True})  # without the salt: hashes stay as they are
    return summary


def report_again(out: Path) -> None:
    """Write the report of a finished run once more. Raises ConfigurationError."""
    try:
        summary = orjson.loads((out / "summary.json").read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigurationError(f"{out} holds no finished run.") from error
    RunFolder(out).write("report.html", write_report(summary))


def _about(
    places: Sequence[str],
    files: Sequence[SourceFile],
    plan: RunPlan,
    revision: str,
    variants: Mapping[str, Any],
) -> dict[str, Json]:
    asked = {k: v for k, v in asdict(plan).items() if k in ("at", "orders", "most_resources")}
    return {
        **asked,
        "source": list(places),
        "files": len(files),
        "bytes": sum(file.size for file in files),
        "fingerprint": fingerprint(files),
        "revision": revision,
        "variants": list(variants),
    }


def _salt(folder: RunFolder, taken_up: bool) -> str:
    """A new salt, kept in the run's folder only until the run is finished."""
    state = folder.state() or {}
    if taken_up and state.get("salt"):
        return str(state["salt"])
    salt = secrets.token_hex(32)
    folder.save({**state, "salt": salt})
    return salt
