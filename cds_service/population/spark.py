"""The engine for more charts than one machine holds: Apache Spark brings the lines together.

The patient of a line is found on the JVM's side; Python sees batches of Arrow, grouped by patient,
and runs the same function as `local`. Needs the extra `leg-cramps-cds[spark]`.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cds_service.errors import ConfigurationError
from cds_service.population.decide import decide
from cds_service.population.lines import READ, unread
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.rows import LEFT_OUT, SCHEMA, Row, batches
from cds_service.population.source import BUNDLES, NDJSON, SourceFile

UNREAD_PART = 9999  # the part that says which types of lines were not read
_SPARK_TYPES = {
    "string": "string",
    "date32[day]": "date",
    "int32": "int",
    "int64": "bigint",
    "list<item: string>": "array<string>",
    "list<element: string>": "array<string>",
}


def run_local(files: Sequence[SourceFile], plan: RunPlan, folder: RunFolder, jobs: int) -> None:
    """Run in a Spark of this process's own (`local[jobs]`)."""
    spark = session(f"local[{jobs}]")
    try:
        run(spark, [file.path for file in files], plan, folder)
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
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "20000")
        .getOrCreate()
    )


def run(spark: Any, paths: Sequence[str], plan: RunPlan, folder: RunFolder) -> None:
    """Write the rows of the source into the folder, with any session.

    `paths` are NDJSON files that the workers can read, of any scheme that Spark knows. Raises
    ConfigurationError for a source that holds Bundles: those go through `local`.
    """
    bundles = [path for path in paths if path.endswith(BUNDLES) and not path.endswith(NDJSON)]
    if bundles:
        raise ConfigurationError(
            f"Spark reads NDJSON, and {bundles[0]} is a Bundle.", "Use --engine local for Bundles."
        )
    text = _text(spark, paths)
    judging = _judging(plan, _medications(text))
    rows = _by_patient(_heads(text)).mapInArrow(judging, to_arrow_schema_string(SCHEMA))
    target = folder.root / "spark"
    rows.write.mode("overwrite").parquet(str(target))
    for number, path in enumerate(sorted(target.glob("*.parquet"))):
        folder.write_part(number, pq.ParquetFile(path).iter_batches())
    folder.write_part(UNREAD_PART, batches(_unread(text)))
    shutil.rmtree(target)


def _text(spark: Any, paths: Sequence[str]) -> Any:
    from pyspark.sql import functions as f

    return spark.read.text(list(paths)).where(f.trim("value") != "")


def _heads(text: Any) -> Any:
    """Each line with its type, its id and whose it is; found by the JVM, not by Python, and in one
    parse of the line, which is most of what Spark does here."""
    from pyspark.sql import functions as f

    fields = f.json_tuple("value", "resourceType", "id", "subject", "patient")
    parsed = text.select("value", fields.alias("type", "name", "subject", "person"))
    reference = f.coalesce(
        f.get_json_object("subject", "$.reference"),
        f.get_json_object("person", "$.reference"),
        f.lit(""),
    )
    bare = f.regexp_replace(f.regexp_replace(reference, "/_history/.*$", ""), "/+$", "")
    urn = f.regexp_extract(reference, "^urn:.*:([^:]*)$", 1)
    owner = f.when(reference.startswith("urn:"), urn).otherwise(
        f.regexp_extract(bare, "(?:^|/)Patient/([^/]+)$", 1)
    )
    patient = f.when(f.col("type") == "Patient", f.col("name")).otherwise(owner)
    return parsed.select(
        f.coalesce("type", f.lit("")).alias("kind"),
        f.coalesce("name", f.lit("")).alias("id"),
        f.coalesce(patient, f.lit("")).alias("patient"),
        f.col("value").cast("binary").alias("line"),
    )


def _by_patient(heads: Any) -> Any:
    """The lines that are read, a patient's in one partition and sorted there."""
    from pyspark.sql import functions as f

    read = heads.where(f.col("kind").isin("", *(READ - {"Medication"})))
    lines = read.select("patient", f.lit("").alias("url"), "line")
    return lines.repartition("patient").sortWithinPartitions("patient", "line")


def _medications(text: Any) -> Any:
    """The Medication resources by id, sent to every worker once."""
    from pyspark.sql import functions as f

    named = text.where(f.col("value").contains('"Medication"'))  # spares the parse of the others
    found = _heads(named).where(f.col("kind") == "Medication").groupBy("id").agg(f.min("line"))
    medications = {name: bytes(line) for name, line in found.collect()}
    return text.sparkSession.sparkContext.broadcast(medications)


def _unread(text: Any) -> Iterator[Row]:
    """The lines of other types, counted."""
    from pyspark.sql import functions as f

    kinds = text.select(f.json_tuple("value", "resourceType").alias("kind"))
    other = kinds.where(~f.coalesce("kind", f.lit("")).isin("", *READ)).groupBy("kind").count()
    for kind, count in sorted(other.collect()):
        yield Row(LEFT_OUT, outcome=unread(kind), count=count)


def _judging(
    plan: RunPlan, medications: Any
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def judge(lines: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from decide(lines, plan, medications.value)

    return judge


def to_arrow_schema_string(schema: pa.Schema) -> str:
    """The schema in Spark's own words ("row string, count bigint, ...")."""
    return ", ".join(f"`{field.name}` {_SPARK_TYPES[str(field.type)]}" for field in schema)
