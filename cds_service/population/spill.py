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
from types import TracebackType

import msgspec

from cds_service.population.lines import Record
from cds_service.population.source import Portion, records

BUCKET = 24 * 2**20  # bytes of source that one bucket holds, about
MOST_BUCKETS = 512  # files that one process holds open
_MEDICATIONS = "medications"
_TOGETHER = 2**16  # bytes of lines that are written at once
_SIZE = struct.Struct("<I")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Record])


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
        parts: dict[str, _Part] = {}
        by_patient: dict[str, _Part] = {}
        for record in records(portion, counts):
            part = by_patient.get(record.patient)
            if part is None:
                name = f"{bucket(record.patient, buckets):04d}" if record.patient else _MEDICATIONS
                if name not in parts:
                    parts[name] = stack.enter_context(_Part(_part(folder, name, number)))
                part = by_patient[record.patient] = parts[name]
            part.add(record)
    for part in parts.values():
        part.publish()
    done.with_suffix(".tmp").write_text(json.dumps(counts), "utf-8")
    done.with_suffix(".tmp").rename(done)


def bucket(patient: str, buckets: int) -> int:
    """The bucket of a patient; the same on every machine."""
    return zlib.crc32(patient.encode("utf-8", "surrogatepass")) % buckets


def read_bucket(folder: Path, number: int) -> Iterator[tuple[str, str, bytes]]:
    """The lines of one bucket, sorted by patient; then by content, so that the order of files and
    of lines in the source decides nothing."""
    by_patient: dict[str, list[tuple[bytes, str]]] = {}
    for record in _read(folder / f"{number:04d}"):
        by_patient.setdefault(record.patient, []).append((record.line, record.url))
    for patient in sorted(by_patient):
        lines = by_patient.pop(patient)
        lines.sort()
        for line, url in lines:
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


def _read(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.glob("*.part")):
        with path.open("rb") as file:
            while size := file.read(_SIZE.size):
                yield from _DECODER.decode(file.read(*_SIZE.unpack(size)))


class _Part:
    """A file of records under way, written some at a time: one by one takes twice as long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Record] = []
        self._bytes = 0
        path.parent.mkdir(exist_ok=True)
        self._file = path.with_suffix(".tmp").open("wb")

    def __enter__(self) -> "_Part":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            self._flush()

    def add(self, record: Record) -> None:
        self._waiting.append(record)
        self._bytes += len(record.line)
        if self._bytes > _TOGETHER:
            self._flush()

    def publish(self) -> None:
        """Give the whole file its name."""
        self._path.with_suffix(".tmp").rename(self._path)

    def _flush(self) -> None:
        content = _ENCODER.encode(self._waiting)
        self._file.write(_SIZE.pack(len(content)) + content)
        self._waiting, self._bytes = [], 0
