"""`make bench`: how fast, compared with a bare route under the same server.

Whole requests over loopback. Prints latency, CPU time of the workers for each request, and the
ratio to the yardstick; then what more rules and larger charts cost, start-up and memory. A figure
decides nothing by itself: it is for people who change something.
"""

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.performance import charts, scaling
from tests.performance.load import Latencies, drive
from tests.performance.process import Server, running

SERVICE = "/cds-services/leg-cramps-patient-view"
CONNECTIONS = (1, 16)
REQUESTS = {"small": 1600, "typical": 800, "large": 96}
WARM_UP = 40
ROW = "{:<9}{:>6}{:>12}{:>10}{:>10}{:>10}{:>8}"


@dataclass(frozen=True)
class Measured:
    """One size, one number of connections, one server."""

    latencies: Latencies
    cpu_ms: float  # of the workers, for each request


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
        }
        compare(wanted.sizes, share, environ)
    if not wanted.no_scaling:
        scaling.show()


def compare(sizes: list[str], share: int, environ: Mapping[str, str]) -> None:
    """The service beside the yardstick, both running, measured in turn."""
    with running("yardstick", environ) as plain, running("service", environ) as ours:
        idle_all, idle_once = ours.memory_mb()
        print(ROW.format("chart", "conn", "server", "p50 ms", "p99 ms", "CPU ms", "ratio"))
        for size in sizes:
            body = charts.request(size)
            for connections in CONNECTIONS:
                requests = max(connections * 2, REQUESTS[size] // share)
                base = measure(plain, body, requests, connections)
                own = measure(ours, body, requests, connections)
                _print(size, connections, base, own)
            print(f"  ({charts.SIZES[size]} resources, {len(body) / 1000:.0f} kB)")
        print(
            f"\nstart to first answer  {ours.start_ms:.0f} ms (yardstick {plain.start_ms:.0f} ms)"
        )
        print(f"idle memory            {idle_all:.0f} MB resident, {idle_once:.0f} MB shared once")
        print(f"after the run          {ours.memory_mb()[0]:.0f} MB resident")


def measure(server: Server, body: bytes, requests: int, connections: int) -> Measured:
    """Latency and CPU of one server."""
    drive(server.port, SERVICE, body, max(4, min(WARM_UP, requests // 4)), connections)
    before = server.cpu_ms()
    latencies = drive(server.port, SERVICE, body, requests, connections)
    return Measured(latencies, (server.cpu_ms() - before) / len(latencies.times))


def _print(size: str, connections: int, base: Measured, own: Measured) -> None:
    for name, one in (("yardstick", base), ("service", own)):
        told = (f"{one.latencies.at(s):.1f}" for s in (0.5, 0.99))
        ratio = f"{own.cpu_ms / base.cpu_ms:.2f}" if one is own and base.cpu_ms else ""
        print(ROW.format(size, connections, name, *told, f"{one.cpu_ms:.2f}", ratio), flush=True)


if __name__ == "__main__":
    main()
