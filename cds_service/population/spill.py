"""Bringing the lines of one patient together on one machine: files by hash of the patient.

Each portion of the source writes files of its own, renamed when they are whole, so that a process
that is killed leaves nothing half done and nothing is read twice.
"""

import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from cds_service.population.lines import Record
from cds_service.population.source import Portion, records

BUCKET = 24 * 2**20  # bytes of source that one bucket holds, about
MOST_BUCKETS = 512  # files that one process holds open
_MEDICATIONS = "medications"
_SIZES = struct.Struct("<IIII")  # lengths of patient, id, fullUrl and line


def buckets_for(size: int) -> int:
    """How many buckets a source of this many bytes is sorted into."""
    return max(1, min(MOST_BUCKETS, -(-size // BUCKET)))


def spill(portion: Portion, number: int, folder: Path, buckets: int) -> None:
    """Sort a portion into the folder's buckets; what was left out is told in a file beside."""
    done = folder / f"portion-{number}.done"
    if done.exists():
        return
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for record in records(portion, counts):
            name = _MEDICATIONS if not record.patient else f"{bucket(record.patient, buckets):04d}"
            if name not in files:
                path = _part(folder, name, number)
                path.parent.mkdir(exist_ok=True)
                files[name] = stack.enter_context(path.with_suffix(".tmp").open("wb"))
            _write(files[name], record)
    for name in files:
        path = _part(folder, name, number)
        path.with_suffix(".tmp").rename(path)
    done.with_suffix(".tmp").write_text(json.dumps(counts), "utf-8")
    done.with_suffix(".tmp").rename(done)


def bucket(patient: str, buckets: int) -> int:
    """The bucket of a patient; the same on every machine."""
    return zlib.crc32(patient.encode("utf-8", "surrogatepass")) % buckets


def read_bucket(folder: Path, number: int) -> Iterator[tuple[str, str, bytes]]:
    """The lines of one bucket, sorted by patient; then by content, so that the order of files and
    of lines in the source decides nothing."""
    lines = [
        (record.patient, record.line, record.url) for record in _read(folder / f"{number:04d}")
    ]
    lines.sort()
    for patient, line, url in lines:
        yield patient, url, line


def read_medications(folder: Path) -> Mapping[str, bytes]:
    """The Medication resources by id; of two with one id the one that sorts first."""
    medications: dict[str, bytes] = {}
    for record in _read(folder / _MEDICATIONS):
        if record.line < medications.get(record.id, b"\xff"):
            medications[record.id] = record.line
    return medications


def left_out(folder: Path) -> Counter[str]:
    """What the portions did not take, by reason."""
    counts: Counter[str] = Counter()
    for path in folder.glob("portion-*.done"):
        counts.update(json.loads(path.read_text("utf-8")))
    return counts


def _part(folder: Path, name: str, portion: int) -> Path:
    return folder / name / f"{portion:06d}.part"


def _write(file: IO[bytes], record: Record) -> None:
    texts = [text.encode("utf-8", "surrogatepass") for text in record[:3]]
    file.write(_SIZES.pack(*map(len, texts), len(record.line)) + b"".join(texts) + record.line)


def _read(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.glob("*.part")):
        with path.open("rb") as file:
            while sizes := file.read(_SIZES.size):
                patient, name, url, line = (file.read(size) for size in _SIZES.unpack(sizes))
                yield Record(_text(patient), _text(name), _text(url), line)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
