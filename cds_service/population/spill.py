"""Bringing the lines of one patient together on one machine: files by hash of the patient.

Each portion of the source writes files of its own, renamed when they are whole, so that a process
that is killed leaves nothing half done and nothing is read twice.
"""

import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from cds_service.population.bucket import by_patient, medications_of
from cds_service.population.decide import Line
from cds_service.population.lines import Record
from cds_service.population.packets import decoded, packets
from cds_service.population.source import Portion, records

MOST_BUCKETS = 512  # files that one process holds open
_MEDICATIONS = "medications"
_SIZE = struct.Struct("<I")


def spill(portion: Portion, number: int, folder: Path, buckets: int) -> None:
    """Sort a portion into the folder's buckets; what was left out is told in a file beside."""
    done = folder / f"portion-{number}.done"
    if done.exists():
        return
    counts: Counter[str] = Counter()
    files: dict[Path, IO[bytes]] = {}
    with ExitStack() as stack:
        for of, packet in packets(records(portion, counts), buckets):
            path = _part(folder, of, number)
            if path not in files:
                path.parent.mkdir(exist_ok=True)
                files[path] = stack.enter_context(path.with_suffix(".tmp").open("wb"))
            files[path].write(_SIZE.pack(len(packet)) + packet)
    for path in files:
        path.with_suffix(".tmp").rename(path)
    done.with_suffix(".tmp").write_text(json.dumps(counts), "utf-8")
    done.with_suffix(".tmp").rename(done)


def read_bucket(folder: Path, number: int) -> Iterator[Line]:
    """The lines of one bucket, sorted by patient."""
    yield from by_patient(_read(folder / f"{number:04d}"))


def read_medications(folder: Path) -> Mapping[str, bytes]:
    """The Medication resources by id."""
    return medications_of(_read(folder / _MEDICATIONS))


def left_out(folder: Path) -> Counter[str]:
    """What the portions did not take, by reason."""
    counts: Counter[str] = Counter()
    for path in folder.glob("portion-*.done"):
        counts.update(json.loads(path.read_text("utf-8")))
    return counts


def _part(folder: Path, bucket: int | None, portion: int) -> Path:
    name = _MEDICATIONS if bucket is None else f"{bucket:04d}"
    return folder / name / f"{portion:06d}.part"


def _read(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.glob("*.part")):
        with path.open("rb") as file:
            while size := file.read(_SIZE.size):
                yield from decoded(file.read(*_SIZE.unpack(size)))
