"""The background thread that writes decision records, so that no answer waits for the disk.

While the database cannot be written to, the records wait in the queue. One that finds the queue
full is dropped and counted: the count is an operator's business, a late answer would be the
clinician's. Each process has its own queue and thread, made when first needed, so a fork
(gunicorn) inherits neither.
"""

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue

from cds_service import logs
from cds_service.store import meter
from cds_service.store.record import DecisionRecord

CAPACITY = 10_000
BATCH = 500
ATTEMPTS = 3  # of the last batches, when somebody waits for the queue to be written
LINGER = 1.0  # seconds for which records gather before a write, so that many share a transaction
PAUSE = 2.0  # seconds between two attempts; a locked database has made us wait already
FLUSH_SECONDS = 10.0  # that a process waits for its records when it ends

Write = Callable[[Sequence[DecisionRecord]], None]
_Entry = DecisionRecord | threading.Event  # an event marks a place in the queue, for `flush`


class Recorder:
    """Takes records at once and writes them in batches.

    `write` may raise any of `retried`, and is then tried again; a batch that fails in another way,
    or still fails when the process ends, is dropped and counted.
    """

    def __init__(
        self,
        write: Write,
        retried: type[Exception],
        capacity: int = CAPACITY,
        linger: float = LINGER,
    ) -> None:
        self._write = write
        self._retried = retried
        self._capacity = capacity
        self._linger = linger
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    @property
    def dropped(self) -> int:
        """Records lost in this process since it started."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Records not yet written, those of the batch under way included."""
        return self._queue.qsize() + self._in_hand

    def put(self, record: DecisionRecord) -> None:
        """Queue a record. Never waits."""
        if self._thread is None:
            self._start()
        try:
            self._queue.put_nowait(record)
        except Full:
            self._lose(1)

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Wait until everything queued so far is written or dropped; False if it took too long."""
        if self._thread is None:
            return True
        reached = threading.Event()
        self._flushes += 1
        self._hurry.set()
        try:
            self._queue.put(reached, timeout=timeout)
            return reached.wait(timeout)
        except Full:
            return False
        finally:
            self._flushes -= 1

    def _start_afresh(self) -> None:
        self._queue: Queue[_Entry] = Queue(self._capacity)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._hurry = threading.Event()
        self._flushes = 0
        self._in_hand = 0
        self._dropped = 0

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="decision-records", daemon=True)
                thread.start()
                self._thread = thread
                atexit.register(self._leave)

    def _leave(self) -> None:
        if not self.flush():
            logs.logger().error("decision records lost", entries=self.waiting)

    def _run(self) -> None:
        while True:
            entries = [self._queue.get()]
            if not self._flushes:
                self._hurry.wait(self._linger)
            self._hurry.clear()
            self._take_more(entries)
            self._write_batch([e for e in entries if isinstance(e, DecisionRecord)])
            for entry in entries:
                if isinstance(entry, threading.Event):
                    entry.set()

    def _take_more(self, entries: list[_Entry]) -> None:
        """Add what waits, up to a batch."""
        try:
            while len(entries) < BATCH:
                entries.append(self._queue.get_nowait())
        except Empty:
            return

    def _lose(self, count: int) -> None:
        self._dropped += count
        meter.count_lost(count)

    def _write_batch(self, records: list[DecisionRecord]) -> None:
        self._in_hand = len(records)
        meter.set_waiting(self.waiting)
        try:
            if records and not self._written(records):
                self._lose(len(records))
        except Exception as error:
            # Ours to mend, but the records to come must not go with it.
            self._lose(len(records))
            logs.logger().error("decision records lost", **logs.describe_exception(error))
        finally:
            self._in_hand = 0
            meter.set_waiting(self.waiting)

    def _written(self, records: list[DecisionRecord]) -> bool:
        """Try until it works; when somebody waits for a flush, only `ATTEMPTS` times more."""
        hurried = 0
        while True:
            try:
                self._write(records)
                return True
            except self._retried as error:
                logs.logger().warning("decision records wait", **logs.describe_exception(error))
            meter.set_waiting(self.waiting)
            hurried += self._flushes > 0
            if hurried >= ATTEMPTS:
                return False
            if not self._flushes:
                self._hurry.wait(PAUSE)
                self._hurry.clear()
