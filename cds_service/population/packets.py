"""Which bucket a patient is in, and records in packets of bytes, each of one bucket.

One by one takes twice as long, on a disk and in a shuffle.
"""

import zlib
from collections.abc import Iterable, Iterator

import msgspec
import pyarrow

from cds_service.population.lines import Record

BUCKET = 24 * 2**20  # bytes of source that one bucket holds, about
TOGETHER = 2**16  # bytes of lines in a packet
_WAITING = 2**25  # bytes of lines that wait for others of their bucket, all together
_LENGTH = 8  # bytes that say how long a packet is
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Record])


def encoded(records: list[Record]) -> bytes:
    """A packet."""
    return _ENCODER.encode(records)


def decoded(packet: bytes) -> list[Record]:
    """The records of a packet."""
    return _DECODER.decode(packet)


def compressed(packet: bytes) -> bytes:
    """A packet for a network: its length, then LZ4. Charts shrink to a tenth at a cost below that
    of copying them a few times."""
    squeezed: bytes = pyarrow.compress(packet, "lz4", asbytes=True)
    return len(packet).to_bytes(_LENGTH, "big") + squeezed


def expanded(sent: bytes) -> bytes:
    """The packet that was compressed."""
    size = int.from_bytes(sent[:_LENGTH], "big")
    packet: bytes = pyarrow.decompress(
        memoryview(sent)[_LENGTH:], decompressed_size=size, codec="lz4", asbytes=True
    )
    return packet


def buckets_for(size: int, most: int) -> int:
    """How many buckets a source of this many bytes is sorted into."""
    return max(1, min(most, -(-size // BUCKET)))


def bucket(patient: str, buckets: int) -> int:
    """The bucket of a patient; the same on every machine."""
    return zlib.crc32(patient.encode("utf-8", "surrogatepass")) % buckets


def packets(records: Iterable[Record], buckets: int) -> Iterator[tuple[int | None, bytes]]:
    """The records in packets, each with its bucket; None for what belongs to no patient."""
    waiting: dict[int | None, list[Record]] = {}
    sizes: dict[int | None, int] = {}
    numbers: dict[str, int | None] = {"": None}
    total = 0
    for record in records:
        if record.patient not in numbers:
            numbers[record.patient] = bucket(record.patient, buckets)
        number = numbers[record.patient]
        waiting.setdefault(number, []).append(record)
        size = sizes[number] = sizes.get(number, 0) + len(record.line)
        total += len(record.line)
        if size > TOGETHER:
            yield number, encoded(waiting.pop(number))
            total -= sizes.pop(number)
        elif total > _WAITING:
            yield from ((number, encoded(some)) for number, some in waiting.items())
            waiting, sizes, total = {}, {}, 0
    yield from ((number, encoded(some)) for number, some in waiting.items())
