"""What the processes of one server use, under the usual names of Prometheus clients, for /metrics.

prometheus_client tells it of one process alone, and with several workers of none. Where there is no
/proc nothing is told.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PROC = Path("/proc")


class Processes(Collector):
    """The master and all its workers, seen from one of these."""

    def collect(self) -> Iterator[Metric]:
        """One sample for each metric."""
        master = os.getppid()
        with suppress(OSError, ValueError, IndexError):
            yield from _metrics(master, _children(master))


def _metrics(master: int, workers: list[int]) -> Iterator[Metric]:
    usages = [usage for pid in (master, *workers) if (usage := _usage(pid))]
    seconds, pages, _, _ = (sum(column) for column in zip(*usages, strict=True))
    yield GaugeMetricFamily("cds_workers", "Worker processes", len(workers))
    yield CounterMetricFamily(
        "process_cpu_seconds", "Processor time of all processes", seconds / os.sysconf("SC_CLK_TCK")
    )
    yield GaugeMetricFamily(
        "process_resident_memory_bytes",
        "Memory of all processes, pages that they share counted in each",
        pages * os.sysconf("SC_PAGE_SIZE"),
    )
    yield GaugeMetricFamily(
        "process_open_fds",
        "Open files of the process that has most",
        max(usage[2] for usage in usages),
    )
    yield GaugeMetricFamily(
        "process_start_time_seconds", "Start of the master, Unix seconds", _started(usages[0][3])
    )


def _children(pid: int) -> list[int]:
    return [int(child) for child in (_PROC / f"{pid}/task/{pid}/children").read_text().split()]


def _usage(pid: int) -> tuple[int, int, int, int] | None:
    """Ticks, pages, open files, start in ticks; None for a process that has just ended."""
    with suppress(OSError):
        fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        files = len(os.listdir(_PROC / f"{pid}/fd"))
        return int(fields[11]) + int(fields[12]), int(fields[21]), files, int(fields[19])
    return None


def _started(ticks: int) -> float:
    line = next(
        line for line in (_PROC / "stat").read_text().splitlines() if line.startswith("btime ")
    )
    return int(line.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
