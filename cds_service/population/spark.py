"""The engine for more charts than one machine holds: Apache Spark brings the lines together.

Tasks read the source and judge as `local` does; between the two Spark moves packets of bytes, which
it neither parses nor sorts: its own reading of JSON cost more than the whole of judging. Needs the
extra `leg-cramps-cds[spark]`.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from cds_service.errors import ConfigurationError
from cds_service.population import bucket
from cds_service.population.output import LINES_PART, RunFolder
from cds_service.population.packets import buckets_for, compressed, decoded, expanded, packets
from cds_service.population.plan import RunPlan
from cds_service.population.pool import ATTEMPTS, HINT
from cds_service.population.rows import batches, lines_left_out
from cds_service.population.source import Portion, SourceFile, portions, records, source_files

MOST_BUCKETS = 100_000
_COUNTS, _MEDICATIONS, _FIRST = 0, 1, 2  # partitions: for all, for all, that of the first bucket
# The JVM copies bytes: optimising it, and a collector with threads of its own, cost more than that.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

_LOG = logging.getLogger(__name__)

Packet = tuple[int, Any]  # partition; records as bytes, or how many lines were left out and why


def run_local(files: Sequence[SourceFile], plan: RunPlan, folder: RunFolder, jobs: int) -> None:
    """Run in a Spark of this process's own. Raises ConfigurationError where Spark gives up."""
    spark = session(f"local[{jobs},{ATTEMPTS}]")
    from py4j.protocol import Py4JError

    spark.sparkContext.setLogLevel("FATAL")  # instead of Java's traces: the sentences below
    try:
        _run(spark, files, plan, folder)
    except Py4JError as error:
        message = f"Spark gave up after {ATTEMPTS} attempts at a task. {_cause(error)}"
        raise ConfigurationError(message, HINT) from error
    finally:
        spark.stop()


def session(master: str) -> Any:
    """A Spark session whose workers are this Python. Raises ConfigurationError without PySpark."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigurationError(
            "PySpark is not installed.", "Run: pip install 'leg-cramps-cds[spark]' (and Java 17)"
        ) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return (
        SparkSession.builder.master(master)
        .appName("leg-cramps-cds population")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", _JAVA)
        .config("spark.shuffle.compress", "false")  # packets are compressed already
        .getOrCreate()
    )


def run(spark: Any, places: Sequence[str], plan: RunPlan, folder: RunFolder) -> None:
    """Write the rows of a source into the folder, with any session.

    `places` are files, folders or addresses that fsspec opens, for workers as for the driver.
    Raises ConfigurationError where nothing is there, and what Spark raises.
    """
    _run(spark, source_files(places), plan, folder)


def _run(spark: Any, files: Sequence[SourceFile], plan: RunPlan, folder: RunFolder) -> None:
    context = spark.sparkContext
    buckets = buckets_for(sum(file.size for file in files), MOST_BUCKETS)
    sorted_packets = _by_bucket(context, portions(files), buckets)
    # The first job sorts; the others find what it sorted, as long as the machines hold it.
    counts = context.runJob(sorted_packets, _added_up, [_COUNTS])
    medications = context.broadcast(dict(context.runJob(sorted_packets, _named, [_MEDICATIONS])))
    judge = _Judge(uuid4().hex, plan, folder.root, medications)
    missing = [number for number in range(buckets) if not folder.has_part(number)]
    context.runJob(sorted_packets, judge, [number + _FIRST for number in missing])
    folder.write_part(LINES_PART, batches(lines_left_out(dict(counts))))


def _by_bucket(context: Any, cut: Sequence[Portion], buckets: int) -> Any:
    """An RDD of packets, those of a bucket in a partition of its own."""
    read = context.parallelize(cut, len(cut)).mapPartitions(_Reading(buckets))
    return read.partitionBy(buckets + _FIRST, int)


class _Reading(NamedTuple):
    """The map task: portions in, packets out."""

    buckets: int

    def __call__(self, cut: Iterable[Portion]) -> Iterator[Packet]:
        _say_if_again()
        counts: Counter[str] = Counter()
        for portion in cut:
            for number, packet in packets(records(portion, counts), self.buckets):
                to = _MEDICATIONS if number is None else number + _FIRST
                yield to, compressed(packet)
        yield _COUNTS, counts


class _Judge(NamedTuple):
    """The reduce task: the packets of a bucket in, its rows written."""

    run: str
    plan: RunPlan
    root: Path
    medications: Any  # a broadcast

    def __call__(self, sent: Iterable[Packet]) -> Iterator[int]:
        _say_if_again()
        task = bucket.Task(self.run, self.plan, lambda: self.medications.value)
        folder = RunFolder(self.root)
        for partition, same in groupby(sent, key=itemgetter(0)):  # one, or none
            lines = (record for _, packet in same for record in decoded(expanded(packet)))
            bucket.judge(task, folder, partition - _FIRST, bucket.by_patient(lines))
            yield partition - _FIRST


def _added_up(sent: Iterable[Packet]) -> Iterator[tuple[str, int]]:
    total: Counter[str] = Counter()
    for _, counts in sent:
        total.update(counts)
    yield from total.items()


def _named(sent: Iterable[Packet]) -> Iterator[tuple[str, bytes]]:
    """The Medication resources by id."""
    yield from bucket.medications_of(
        record for _, packet in sent for record in decoded(expanded(packet))
    ).items()


def _say_if_again() -> None:
    """A task knows only that an attempt before it came to nothing."""
    from pyspark import TaskContext

    task = TaskContext.get()
    if task is not None and task.attemptNumber():
        _LOG.warning(
            "A process of Spark's was killed or failed; what it had under way is done again."
        )


def _cause(error: Exception) -> str:
    """What failed, in the one line of Java's and Python's traces that says it."""
    lines = [line.strip() for line in str(error).splitlines()]
    if any("Python worker exited" in line for line in lines):
        return "Its processes were killed."
    return next((line for line in reversed(lines) if "Error:" in line), lines[-1])
