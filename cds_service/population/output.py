"""The folder of a run: Parquet by kind of row, what is done already, `summary.json`, the report.

calls/ charts/ variants/ left-out/   part-NNNN.parquet
decisions.parquet/rule=.../          part-NNNN.parquet
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cds_service.errors import ConfigurationError
from cds_service.population.rows import CALL, CHART, LEFT_OUT, RULE, SCHEMA, VARIANT

Json = Any
DECISIONS = "decisions.parquet"
FOLDERS = {CALL: "calls", CHART: "charts", RULE: DECISIONS, VARIANT: "variants"}
FOLDERS[LEFT_OUT] = "left-out"
LINES_PART = 999_999  # the part that says which lines were left out; no bucket has this number
_STATE = "run.json"
_SPILL = "spill"
_COLUMNS = {
    CALL: (
        "patient encounter clinician site day setting sex age_band service outcome cards "
        "indicator rules calls"
    ),
    CHART: "patient sex age_band facts count",
    RULE: (
        "patient encounter clinician site day setting sex age_band service rule version outcome "
        "reasons cards shown indicator calls"
    ),
    VARIANT: (
        "patient encounter day sex age_band service variant cards warnings indicator gains loses "
        "calls"
    ),
    LEFT_OUT: "outcome count",
}


class RunFolder:
    """A run's folder; made where it is not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spill = root / _SPILL

    def open(self, about: Mapping[str, Json], *, again: bool) -> bool:
        """Prepare for a run with these particulars; True where an earlier, unfinished run of the
        same kind is taken up.

        Raises ConfigurationError where the folder holds another run and `again` is not set.
        """
        state = self.state()
        if state is not None and state.get("about") == about and not again:
            if state.get("finished"):
                raise ConfigurationError(
                    f"{self.root} holds this run already.",
                    "Read report.html there, or add --again to run it once more.",
                )
            return True
        if self.root.exists() and any(self.root.iterdir()):
            if state is None:
                raise ConfigurationError(
                    f"{self.root} is not empty and no run.", "Name another folder with --out."
                )
            if not again:
                raise ConfigurationError(
                    f"{self.root} holds another run.",
                    "Name another folder with --out, or add --again to replace it.",
                )
            self._clear()
        self.root.mkdir(parents=True, exist_ok=True)
        self.save({"about": about})
        return False

    def state(self) -> dict[str, Json] | None:
        """What is known of the run; None where there is none."""
        try:
            state: dict[str, Json] = json.loads((self.root / _STATE).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return state

    def save(self, state: Mapping[str, Json]) -> None:
        """Remember what is known of the run."""
        self.write(_STATE, json.dumps(state, indent=1))

    def write(self, name: str, text: str) -> None:
        """A file of the run, whole or not at all."""
        waiting = self.root / f"{name}.tmp"
        waiting.write_text(text, "utf-8")
        waiting.rename(self.root / name)

    def has_part(self, number: int) -> bool:
        """Whether the rows of a bucket are written."""
        return (self.root / "parts" / f"{number:04d}").exists()

    def write_part(self, number: int, batches: Iterable[pa.RecordBatch]) -> int:
        """Write the rows of one bucket, then say that they are there; the number of rows.

        Files of an attempt that was cut short are written over.
        """
        table = pa.Table.from_batches(list(batches), SCHEMA)
        for row, folder in FOLDERS.items():
            rows = table.filter(pc.equal(table["row"], row)).select(_COLUMNS[row].split())
            for path, part in _files(self.root / folder, rows, row, number):
                path.parent.mkdir(parents=True, exist_ok=True)
                waiting = path.with_suffix(f".{uuid4().hex}.tmp")  # another attempt may be at it
                pq.write_table(part, waiting, compression="zstd")
                waiting.rename(path)
        done = self.root / "parts" / f"{number:04d}"
        done.parent.mkdir(exist_ok=True)
        done.touch()
        return int(table.num_rows)

    def tables(self, row: str) -> Iterator[pa.Table]:
        """The rows of one kind, part by part; a patient's rows stand in one part."""
        for path in sorted((self.root / FOLDERS[row]).rglob("*.parquet")):
            yield pq.ParquetFile(path).read()

    def finish(self, *, keep_spill: bool) -> None:
        """Remove what only an unfinished run needs, and what attempts left that were cut short."""
        for waiting in self.root.rglob("*.tmp"):
            waiting.unlink(missing_ok=True)
        if not keep_spill:
            shutil.rmtree(self.spill, ignore_errors=True)

    def _clear(self) -> None:
        names = (*FOLDERS.values(), "parts", _SPILL)
        for name in names:
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in (_STATE, "summary.json", "report.html"):
            (self.root / name).unlink(missing_ok=True)


def _files(folder: Path, rows: pa.Table, row: str, number: int) -> Iterator[tuple[Path, pa.Table]]:
    if row != RULE:
        yield folder / f"part-{number:04d}.parquet", rows
        return
    for rule in _distinct(rows, "rule"):
        part = rows.filter(pc.equal(rows["rule"], rule))
        yield folder / f"rule={quote(rule)}" / f"part-{number:04d}.parquet", part


def _distinct(table: pa.Table, column: str) -> Sequence[str]:
    return sorted(pc.unique(table[column]).to_pylist())
