"""Lines that cannot be written at once are lost and counted, whatever stderr is."""

import io
import os
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import IO

import pytest

from cds_service import log_stream
from cds_service.log_stream import Lines

LONG = "y" * 300_000  # more than a pipe or a socket holds


class Reader:
    """The other end of stderr."""

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self._number = number

    def all(self) -> str:
        told = b""
        try:
            while got := os.read(self._number, 65536):
                told += got
        except BlockingIOError:
            pass
        return told.decode()


def use(monkeypatch: pytest.MonkeyPatch, stream: IO[str] | None) -> None:
    """As stderr, for this module alone: pytest puts its own back before each test."""
    monkeypatch.setattr(log_stream, "sys", SimpleNamespace(stderr=stream))


@pytest.fixture(params=["pipe", "socket"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    if request.param == "pipe":
        ours, theirs = os.pipe()
    else:
        ours, theirs = (end.detach() for end in socket.socketpair())
    with os.fdopen(theirs, "w") as stream:
        use(monkeypatch, stream)
        yield Reader(ours)
    os.close(ours)


def test_a_line_comes_whole(reader: Reader) -> None:
    lines = Lines()
    assert lines.write("one") and lines.write("twö")
    assert reader.all() == "one\ntwö\n"


def test_without_room_it_is_lost_and_counted(reader: Reader) -> None:
    lines = Lines()
    while lines.write("x"):
        pass
    assert not lines.write("lost")
    assert lines.lost == 2
    reader.all()
    assert lines.write("back")
    assert lines.lost == 0
    assert reader.all().endswith("back\n")


def test_a_reader_that_is_slow_misses_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "PATIENCE", 60)
    lines = Lines()
    told: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            told.append(reader.all())

    slow = threading.Thread(target=read)
    slow.start()
    try:
        assert all([lines.write("x" * 400) for _ in range(2_000)])
    finally:
        done.set()
        slow.join()
    assert ("".join(told) + reader.all()).count("\n") == 2_000


def test_a_line_that_was_cut_does_not_spoil_the_next(reader: Reader) -> None:
    lines = Lines()
    assert not lines.write(LONG)
    cut = reader.all()
    assert cut
    assert set(cut) == {"y"}
    assert lines.write("next")
    assert reader.all() == "\nnext\n"


def test_what_is_no_file_and_what_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    use(monkeypatch, stream)
    lines = Lines()
    assert lines.write("one")
    assert stream.getvalue() == "one\n"
    stream.close()
    assert not lines.write("two")
    use(monkeypatch, None)
    assert not lines.write("three")
    assert lines.lost == 2
