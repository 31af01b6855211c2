"""`make bench`: how fast, compared with a bare route under the same server.

Whole requests over loopback. Prints latency, CPU time of the workers for each request, and their
ratios to the yardstick with the goal; then what more rules and larger charts cost, start-up and
memory. A figure decides nothing by itself: it is for people who change something.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.performance import charts, goals, scaling
from tests.performance.load import Latencies, drive
from tests.performance.process import Server, running

SERVICE = "/cds-services/leg-cramps-patient-view"
CONNECTIONS = (1, 16)
REQUESTS = {"small": 1600, "quiet": 1200, "typical": 1200, "large": 96}
TURNS = 4
WARM_UP = 40
CONDITIONS = "2 workers of 4 threads and the same settings of garbage collection (web/garbage.py)"
ROW = "{:<9}{:>6}{:>12}{:>10}{:>10}{:>10}"


@dataclass(frozen=True)
class Measured:
    """One size, one number of connections, one server."""

    latencies: Latencies
    cpu_ms: float  # of the workers, for each request

    def figures(self) -> tuple[float, float, float]:
        """p50, p99 and CPU in ms."""
        return self.latencies.at(0.5), self.latencies.at(0.99), self.cpu_ms


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance.bench")
    parser.add_argument("--quick", action="store_true", help="a quarter of the requests")
    parser.add_argument("--sizes", nargs="+", choices=charts.SIZES, default=list(charts.SIZES))
    parser.add_argument("--no-scaling", action="store_true", help="leave out the 10,000 rules")
    wanted = parser.parse_args()
    share = 4 if wanted.quick else 1
    with tempfile.TemporaryDirectory(prefix="cds-bench-") as folder:
        environ = {
            "CDS_AUTH": "off",
            "CDS_HOST": "127.0.0.1",
            "CDS_NOW": f"{charts.NOW}T09:00:00Z",
            "CDS_DATABASE_URL": f"sqlite:///{Path(folder) / 'bench.sqlite3'}",
            "CDS_LOG_LEVEL": "WARNING",
            "CDS_WORKBENCH": "off",  # as where EHRs call: it keeps a list of calls
        }
        compare(wanted.sizes, share, environ)
    if not wanted.no_scaling:
        scaling.show()


def compare(sizes: list[str], share: int, environ: Mapping[str, str]) -> None:
    """The service beside the yardstick, both running, measured in turn."""
    with running("yardstick", environ) as plain, running("service", environ) as ours:
        resident, own_memory = ours.memory_mb()
        print(f"Both under gunicorn with {CONDITIONS}.\n")
        print(ROW.format("chart", "conn", "server", "p50 ms", "p99 ms", "CPU ms"))
        for size in sizes:
            body = charts.request(size)
            for connections in CONNECTIONS:
                requests = max(connections * 2 * TURNS, REQUESTS[size] // share)
                base, own = measure_both(plain, ours, body, requests, connections)
                _print(size, connections, base, own)
            print(f"  ({charts.SIZES[size]} resources, {len(body) / 1000:.0f} kB)")
        print(f"\nstart to first answer  {ours.start_ms:.0f} ms", end=" ")
        print(f"{goals.mark(ours.start_ms, goals.START_MS)} (yardstick {plain.start_ms:.0f} ms)")
        print(f"idle memory  {own_memory:.0f} MB {goals.mark(own_memory, goals.IDLE_MB)}", end=" ")
        print(f"(shared pages counted in each process: {resident:.0f} MB)")
        print(f"after the run  {ours.memory_mb()[1]:.0f} MB")


def measure_both(
    plain: Server, ours: Server, body: bytes, requests: int, connections: int
) -> tuple[Measured, Measured]:
    """Both servers, in several turns: others who use the machine disturb both alike."""
    for server in (plain, ours):
        drive(server.port, SERVICE, body, max(4, min(WARM_UP, requests // 4)), connections)
    turns = [
        [measure(server, body, requests // TURNS, connections) for server in (plain, ours)]
        for _ in range(TURNS)
    ]
    base, own = zip(*turns, strict=True)
    return _together(base), _together(own)


def measure(server: Server, body: bytes, requests: int, connections: int) -> Measured:
    """Latency and CPU of one server."""
    before = server.cpu_ms()
    latencies = drive(server.port, SERVICE, body, requests, connections)
    return Measured(latencies, (server.cpu_ms() - before) / len(latencies.times))


def _together(turns: Sequence[Measured]) -> Measured:
    times = [time for turn in turns for time in turn.latencies.times]
    return Measured(Latencies(times), sum(turn.cpu_ms for turn in turns) / len(turns))


def _print(size: str, connections: int, base: Measured, own: Measured) -> None:
    for name, one in (("yardstick", base), ("service", own)):
        print(ROW.format(size, connections, name, *(f"{value:.2f}" for value in one.figures())))
    # A run of a few calls can cost less CPU than the system counts.
    ratios = [
        ours / theirs if theirs else float("nan")
        for theirs, ours in zip(base.figures(), own.figures(), strict=True)
    ]
    shown = [f"{ratio:.2f}" for ratio in ratios]
    verdict = goals.mark(max(ratios), goals.YARDSTICK[size])
    print(ROW.format(size, connections, "ratio", *shown), verdict, flush=True)


if __name__ == "__main__":
    main()
