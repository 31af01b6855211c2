"""`make population-bench`: CPU of `rules stats`, of `population run` and of Spark over the same
charts in one run, and what larger populations would cost at these rates.

Charts are copies of the independent ones where they are (CDS_INDEPENDENT_DATA), else of the
project's own. Spark's fixed cost is what it needs for a fortieth of the charts. POPULATION_BASE
names a checkout of an earlier version, whose `rules stats` is then measured beside this one.
"""

import json
import os
import resource as usage
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.large_export import patient

CHARTS = int(os.environ.get("POPULATION_CHARTS", "2000"))
BASE = os.environ.get("POPULATION_BASE", "")
SMALL = max(CHARTS // 40, 1)
SECONDS_AN_HOUR = 3600
Json = Any


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        size = write_charts(folder / "ndjson", folder / "bundles", CHARTS)
        write_charts(folder / "few", folder / "few-bundles", SMALL)
        print(f"{CHARTS} charts, {size / CHARTS / 1024:.0f} kB each")
        old = survey(folder, BASE) if BASE else 0.0
        if BASE:
            show(f"rules stats of {BASE}", old)
        stats = survey(folder)
        show("rules stats, a Bundle a file", stats, old)
        local = engine(folder, "local", "--jobs", "1")
        show("population run, local", local, old or stats)
        try:
            import pyspark  # noqa: F401  only whether it is there
        except ImportError:
            print("PySpark is not installed: make spark")
        else:
            spark = engine(folder, "spark", "--jobs", "2")
            show("population run, Spark", spark, old or stats)
            print(f"Spark does {local / spark:.0%} of the local engine's charts a second a core")
        each = local / (CHARTS - SMALL)
        for charts in (10**6, 10**8):
            hours, space = charts * each / SECONDS_AN_HOUR, charts * size / CHARTS / 2**30
            print(f"{charts:>11,} charts: {hours:,.0f} core-hours, {space:,.0f} GiB of NDJSON")


def survey(folder: Path, base: str = "") -> float:
    """CPU seconds of `rules stats` for the charts beyond the few."""
    whole, few = (
        cpu("rules", "stats", folder / name, base=base) for name in ("bundles", "few-bundles")
    )
    return whole - few


def engine(folder: Path, name: str, *options: str) -> float:
    """CPU seconds for the charts beyond the few: what starting costs is left out."""
    arguments = ("--at", "last", "--engine", name, *options)
    run = ("population", "run")
    whole = cpu(*run, folder / "ndjson", "--out", folder / f"{name}-out", *arguments)
    return whole - cpu(*run, folder / "few", "--out", folder / f"{name}-few", *arguments)


def cpu(*arguments: object, base: str = "") -> float:
    """CPU seconds of a command and all its processes; `base` is another checkout to run."""
    before = usage.getrusage(usage.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", "from cds_service.cli import main; main()"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": base} if base else None,
        cwd=base or None,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    after = usage.getrusage(usage.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def show(name: str, seconds: float, base: float = 0.0) -> None:
    ratio = f", {base / seconds:.2f} times the first rate" if base else ""
    print(f"{name}: {(CHARTS - SMALL) / seconds:.0f} charts/s a core{ratio}")


def write_charts(ndjson: Path, bundles: Path, number: int) -> int:
    """The same charts as NDJSON and as Bundles; the bytes of the former."""
    ndjson.mkdir()
    bundles.mkdir()
    lines: dict[str, list[str]] = {}
    for n in range(number):
        resources = patient(n)
        entries = [{"resource": one} for one in resources]
        (bundles / f"{n}.json").write_text(
            json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
        )
        for one in resources:
            lines.setdefault(one["resourceType"], []).append(json.dumps(one))
    size = 0
    for kind, of_kind in lines.items():
        size += (ndjson / f"{kind}.ndjson").write_text("\n".join(of_kind) + "\n")
    return size


if __name__ == "__main__":
    main()
