"""The files of a source: Bulk Data NDJSON by type, or folders of Bundles; plain, gzip or remote.

A source is cut into portions of about equal size, so that several processes can read one file.
"""

import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from cds_service.errors import ConfigurationError
from cds_service.population.lines import NOT_JSON, Record, read_bundle, read_line

PORTION = 64 * 2**20  # bytes of an NDJSON file that one process reads at a time
NDJSON = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
BUNDLES = (".json", ".json.gz")
LONGEST_LINE = 64 * 2**20  # bytes; a longer one is counted as "line too long"
TOO_LONG = "line too long"


class Portion(NamedTuple):
    """A part of the source: some Bundle files, or the lines of one file that begin in a range."""

    files: tuple[str, ...]
    start: int = 0
    end: int | None = None


class SourceFile(NamedTuple):
    """A file with what tells that it has not changed."""

    path: str
    size: int
    stamp: str


def source_files(places: Iterable[str]) -> list[SourceFile]:
    """The NDJSON and Bundle files named, and those in the folders named, by path.

    A place may be a URL that fsspec opens ("s3://..."). Raises ConfigurationError where nothing
    is there.
    """
    files: dict[str, SourceFile] = {}
    for place in places:
        inside = list(_remote(place) if "://" in place else _local(Path(place)))
        if not inside:
            raise ConfigurationError(
                f"{place} holds no {', '.join(NDJSON + BUNDLES)} file.",
                "Name the folder of a Bulk Data export, or of FHIR R4 Bundles.",
            )
        files |= {file.path: file for file in inside}
    return [files[path] for path in sorted(files)]


def portions(files: Sequence[SourceFile]) -> list[Portion]:
    """The files cut up: Bundles many together, a large plain NDJSON file in ranges of bytes."""
    cut: list[Portion] = []
    together: list[str] = []
    weight = 0
    for file in files:
        if file.path.endswith((".ndjson", ".jsonl")):
            starts = range(0, max(file.size, 1), PORTION)
            cut += [Portion((file.path,), start, start + PORTION) for start in starts]
        elif file.path.endswith(NDJSON):
            cut.append(Portion((file.path,)))
        else:
            together.append(file.path)
            weight += file.size
            if weight > PORTION // 16:
                cut.append(Portion(tuple(together)))
                together, weight = [], 0
    return [*cut, Portion(tuple(together))] if together else cut


def records(portion: Portion, counts: Counter[str]) -> Iterator[Record]:
    """The records of a portion; what is not read is told in `counts` by reason."""
    for path in portion.files:
        if path.endswith(NDJSON):
            for line in _lines(path, portion, counts):
                record = read_line(line, counts) if line.strip() else None
                if record is not None:
                    yield record
        else:
            yield from _of_bundle(path, counts)


def fingerprint(files: Sequence[SourceFile]) -> str:
    """A digest that changes with any file's name, size or time."""
    return hashlib.sha256(repr([tuple(file) for file in files]).encode()).hexdigest()


def _lines(path: str, portion: Portion, counts: Counter[str]) -> Iterator[bytes]:
    """The lines that begin inside the portion's range."""
    with _open(path) as file:
        at = portion.start
        if at:
            file.seek(at - 1)
            at += len(file.readline()) - 1
        while portion.end is None or at < portion.end:
            line = file.readline(LONGEST_LINE)
            if not line:
                return
            at += len(line)
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                counts[TOO_LONG] += 1
                at += _skip_line(file)
                continue
            yield line.rstrip(b"\r\n")


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while part := file.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _of_bundle(path: str, counts: Counter[str]) -> Iterator[Record]:
    try:
        with _open(path) as file:
            content = orjson.loads(file.read())
    except (orjson.JSONDecodeError, gzip.BadGzipFile, EOFError):
        counts[f"file: {NOT_JSON}"] += 1
        return
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        counts["file: no Bundle"] += 1
        return
    yield from read_bundle(content, counts)


@contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        raw: IO[bytes]
        if "://" in path:
            remote = stack.enter_context(_fsspec().open(path, "rb"))
            raw = stack.enter_context(io.BufferedReader(remote))  # reads no more than it is asked
        else:
            raw = stack.enter_context(Path(path).open("rb"))
        if path.endswith(".gz"):
            zipped = stack.enter_context(gzip.GzipFile(fileobj=raw))
            yield stack.enter_context(io.BufferedReader(zipped))
        else:
            yield raw


def _local(place: Path) -> Iterator[SourceFile]:
    inside = sorted(place.rglob("*")) if place.is_dir() else [place]
    for path in inside:
        if path.name.endswith(NDJSON + BUNDLES) and path.is_file():
            status = path.stat()
            yield SourceFile(str(path), status.st_size, str(status.st_mtime_ns))


def _remote(place: str) -> Iterator[SourceFile]:
    system, path = _fsspec().core.url_to_fs(place)
    listed = system.find(path, detail=True)
    for name, about in sorted(listed.items()):
        if name.endswith(NDJSON + BUNDLES):
            stamp = str(about.get("mtime") or about.get("LastModified") or about.get("ETag") or "")
            yield SourceFile(system.unstrip_protocol(name), int(about.get("size") or 0), stamp)


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise ConfigurationError(
            "Reading from object storage needs fsspec and the storage's own package.",
            "Run: pip install fsspec s3fs (or gcsfs, adlfs)",
        ) from None
    return fsspec
