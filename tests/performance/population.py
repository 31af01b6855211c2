"""`make population-bench`: CPU of `rules stats`, of `population run` and of Spark over the same
charts in one run, and what larger populations would cost at these rates.

Charts are copies of the independent ones where they are (CDS_INDEPENDENT_DATA), else of the
project's own. Each command runs over all of them and over a quarter: what it needs for each chart
more is its rate, the rest its fixed cost (starting, reading the pack, warming up). Each is run
POPULATION_TIMES times (2), and the least counts. Of the larger source Spark is to do 80 % of what
the local engine does. POPULATION_BASE names a checkout of an earlier version, whose `rules stats`
is then the first rate that the others are compared with.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from tests.support.large_export import patient
from tests.support.processes import below

CHARTS = int(os.environ.get("POPULATION_CHARTS", "2000"))
FEW = max(CHARTS // 4, 1)
TIMES = int(os.environ.get("POPULATION_TIMES", "2"))
BASE = os.environ.get("POPULATION_BASE", "")
SECONDS_AN_HOUR = 3600
BECOME_SUBREAPER = 36  # prctl(2)
LOOK = 0.05  # seconds between two looks at what the processes used: parents do not sum up Spark's
RUN = ("population", "run")
Json = Any


class Cost(NamedTuple):
    """CPU seconds: of each chart, and of all else."""

    each: float
    fixed: float


def main() -> None:
    adopt_orphans()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        size = write_charts(folder / "all", CHARTS) / CHARTS
        write_charts(folder / "few", FEW)
        print(f"{CHARTS} charts, {size / 1024:.0f} kB each, beside {FEW} of them")
        first = show(f"rules stats of {BASE}", survey(folder, BASE)) if BASE else None
        stats = show("rules stats, a Bundle a file", survey(folder), first)
        first = first or stats
        local = show("population run --at last, local", engine(folder, "last", "local"), first)
        spark = None
        if find_spec("pyspark.sql"):
            spark = show("population run --at last, Spark", engine(folder, "last", "spark"), first)
        else:
            print("PySpark is not installed: make spark")
        replay = show("population run, local", engine(folder, "encounters", "local"), first)
    if spark is not None:
        share(local, spark)
    for charts in (10**6, 10**8):
        hours = [charts * cost.each / SECONDS_AN_HOUR for cost in (local, replay)]
        space = charts * size / 2**30
        print(
            f"{charts:>11,} charts: {hours[0]:,.0f} core-hours opened once, {hours[1]:,.0f} at each"
            f" encounter; {space:,.0f} GiB of NDJSON"
        )


def survey(folder: Path, base: str = "") -> Cost:
    """What `rules stats` costs."""
    return cost(*(cpu("rules", "stats", folder / n / "bundles", base=base) for n in ("all", "few")))


def engine(folder: Path, at: str, name: str) -> Cost:
    """What a run costs."""
    options = ("--at", at, "--engine", name, "--jobs", "1", "--again")
    return cost(
        *(
            cpu(*RUN, folder / n / "ndjson", "--out", folder / f"{n}-{name}-{at}", *options)
            for n in ("all", "few")
        )
    )


def cost(whole: float, few: float) -> Cost:
    """The cost of a chart, from the CPU seconds of all charts and of the few."""
    each = (whole - few) / (CHARTS - FEW)
    return Cost(each, whole - each * CHARTS)


def cpu(*arguments: object, base: str = "") -> float:
    """CPU seconds of a command and all its processes; `base` is another checkout to run. The least
    of several times: what else the machine does makes any command dearer, never cheaper."""
    return min(once(*arguments, base=base) for _ in range(TIMES))


def once(*arguments: object, base: str) -> float:
    """CPU seconds of a command, run once."""
    command = [sys.executable, "-c", "from cds_service.cli import main; main()"]
    done: list[subprocess.CompletedProcess[str]] = []

    def run() -> None:
        done.append(
            subprocess.run(
                [*command, *map(str, arguments)],
                capture_output=True,
                check=False,
                text=True,
                env={**os.environ, "PYTHONPATH": base} if base else None,
                cwd=base or None,
            )
        )

    running = Thread(target=run)
    running.start()
    used: dict[int, float] = {}
    while running.is_alive() or list(below(os.getpid())):
        used |= {process: seconds(process) or used.get(process, 0) for process in processes()}
        running.join(LOOK)
        if not running.is_alive():
            reap()
    if done[0].returncode:
        raise SystemExit(done[0].stderr[-2000:])
    return sum(used.values())


def processes() -> list[int]:
    """All that run below this one."""
    return [process for process, _ in below(os.getpid())]


def seconds(process: int) -> float:
    """The CPU time of a process so far; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reap() -> None:
    """Wait for those that outlived the command and have ended."""
    with suppress(ChildProcessError):  # when there are no more
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def adopt_orphans() -> None:
    """Become the parent of processes that outlive theirs, as Spark's do: they stay in sight."""
    if not sys.platform.startswith("linux"):
        raise SystemExit("What processes use is read from Linux' /proc.")
    ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)


def show(name: str, found: Cost, first: Cost | None = None) -> Cost:
    ratio = f", {first.each / found.each:.2f} times the first rate" if first else ""
    print(f"{name}: {1 / found.each:.0f} charts/s a core, {found.fixed:.1f} s fixed{ratio}")
    return found


def share(local: Cost, spark: Cost) -> None:
    both = [one.fixed + CHARTS * one.each for one in (local, spark)]
    print(
        f"Spark does {local.each / spark.each:.0%} of the local engine's charts a second a core"
        f" without what is fixed, {both[0] / both[1]:.0%} with it over {CHARTS} charts"
    )


def write_charts(folder: Path, number: int) -> int:
    """The same charts as NDJSON and as Bundles; the bytes of the former."""
    ndjson, bundles = folder / "ndjson", folder / "bundles"
    ndjson.mkdir(parents=True)
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
