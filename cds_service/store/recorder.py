"""The background thread that writes decision records, so that no answer waits for the disk.

A record that finds the queue full is dropped and counted: the count is an operator's business, a
late answer would be the clinician's. Each process has its own queue and thread, made when first
needed, so a fork (gunicorn) inherits neither.
"""

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue

from cds_service.store.record import DecisionRecord

CAPACITY = 10_000
BATCH = 500
ATTEMPTS = 3
LINGER = 0.5  # seconds for which records gather before a write, so that many share a transaction

Write = Callable[[Sequence[DecisionRecord]], None]
_Entry = DecisionRecord | threading.Event  # an event marks a place in the queue, for `flush`


class Recorder:
    """Takes records at once and writes them in batches.

    `write` may raise any of `retried`; after `ATTEMPTS` the batch is dropped and counted.
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
        """Records not yet written, roughly."""
        return self._queue.qsize()

    def put(self, record: DecisionRecord) -> None:
        """Queue a record. Never waits."""
        if self._thread is None:
            self._start()
        try:
            self._queue.put_nowait(record)
        except Full:
            self._dropped += 1

    def flush(self, timeout: float) -> bool:
        """Wait until everything queued so far is written or dropped; False if it took too long."""
        if self._thread is None:
            return True
        reached = threading.Event()
        try:
            self._queue.put(reached, timeout=timeout)
        except Full:
            return False
        self._hurry.set()
        return reached.wait(timeout)

    def _start_afresh(self) -> None:
        self._queue: Queue[_Entry] = Queue(self._capacity)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._hurry = threading.Event()
        self._dropped = 0

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="decision-records", daemon=True)
                thread.start()
                self._thread = thread
                atexit.register(self.flush, 5.0)

    def _run(self) -> None:
        queue, hurry = self._queue, self._hurry
        while True:
            entries = [queue.get()]
            hurry.wait(self._linger)
            hurry.clear()
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

    def _write_batch(self, records: list[DecisionRecord]) -> None:
        for _ in range(ATTEMPTS if records else 0):
            try:
                self._write(records)
                return
            except self._retried:
                # The database already waits for a lock before it fails, so no pause is needed.
                continue
        self._dropped += len(records)
