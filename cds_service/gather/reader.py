"""Asking for several things at once: a few requests in parallel, one deadline for all of them.

The calling thread decides everything and waits; threads of a pool only exchange one request each.
When the deadline comes the connections are cut and the caller goes on with what there is: a thread
that is still stuck in a name look-up finds its lane closed and sends nothing any more.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Event
from typing import Any, Protocol

from cds_service import clock
from cds_service.errors import BadRequest
from cds_service.gather import meter
from cds_service.gather.fhir_client import Allowance, Answer, Lane, ReadFailed
from cds_service.gather.limits import THREADS, Limits
from cds_service.gather.trouble import Trouble, of_status
from cds_service.gather.urls import Base
from cds_service.protocol import body
from cds_service.protocol.connections import Permits


class Read(Protocol):
    """Something to read: names its next target, and takes in what came of it."""

    target: str
    form: str  # for a POST, else ""
    resource_type: str

    def take(self, value: Any) -> None:
        """The JSON of an answer with status 200."""
        ...

    def fail(self, trouble: Trouble) -> None:
        """The target could not be had; there may be another one."""
        ...

    def give_up(self, trouble: Trouble) -> None:
        """Nothing more will be asked."""
        ...


Follow = Callable[[Read], Iterable[Read]]


@dataclass(frozen=True, slots=True)
class Result:
    """What one exchange came to: a value, or trouble."""

    value: Any = None
    trouble: Trouble | None = None
    retry_after: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class _Turn:
    """A read that waits for its turn."""

    read: Read
    not_before: float = 0.0
    retries: int = 0


@dataclass(slots=True)
class _Running:
    turn: _Turn
    lane: Lane
    future: Future[Result] = field(compare=False)


class Reader:
    """The reads of one call to one server. `deadline` is a moment of `clock.monotonic`."""

    def __init__(
        self, base: Base, token: str, permits: Permits, limits: Limits, deadline: float
    ) -> None:
        self._token = token
        self._limits = limits
        self._deadline = deadline
        self._width = limits.parallel
        self._refused = 0
        allowance = Allowance(limits.body_bytes)
        self._lanes = [
            Lane(base, permits, allowance, limits, deadline) for _ in range(limits.parallel)
        ]
        self._waiting: deque[_Turn] = deque()
        self._running: dict[Future[Result], _Running] = {}

    def run(self, reads: Iterable[Read], follow: Follow) -> None:
        """Read all of it, and what `follow` adds when one is done; returns by the deadline.

        Every read has got an answer or a failure afterwards, and all connections are closed.
        """
        self._waiting.extend(_Turn(read) for read in reads if read.target)
        free = list(self._lanes)
        try:
            while (self._waiting or self._running) and clock.monotonic() < self._deadline:
                self._start(free)
                self._wait()
                for running in self._finished():
                    free.append(running.lane)
                    self._settle(running, follow)
        finally:
            self._end()

    def _start(self, free: list[Lane]) -> None:
        now = clock.monotonic()
        for _ in range(len(self._waiting)):
            if not free or len(self._running) >= self._width:
                return
            turn = self._waiting.popleft()
            if turn.not_before > now:
                self._waiting.append(turn)
                continue
            lane = free.pop()
            lane.until = self._deadline  # until a thread takes it up
            future = _threads().submit(exchange, lane, turn.read, self._token)
            self._running[future] = _Running(turn, lane, future)

    def _wait(self) -> None:
        """Until something is done, due or late."""
        now = clock.monotonic()
        moments = [self._deadline, *(running.lane.until for running in self._running.values())]
        if len(self._running) < self._width:
            moments += [turn.not_before for turn in self._waiting if turn.not_before > now]
        patience = max(0.0, min(moments) - now)
        if self._running:
            wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
        else:
            Event().wait(patience)
        self._cut_late()

    def _cut_late(self) -> None:
        now = clock.monotonic()
        for running in self._running.values():
            if running.lane.until <= now and not running.future.done():
                running.lane.abort()
                running.lane.until = self._deadline  # cut once; a name look-up cannot be cut

    def _finished(self) -> list[_Running]:
        done = [future for future in self._running if future.done()]
        return [self._running.pop(future) for future in done]

    def _settle(self, running: _Running, follow: Follow) -> None:
        turn, result = running.turn, running.future.result()
        meter.count(turn.read.resource_type, result.trouble, result.seconds)
        if result.trouble is Trouble.THROTTLED and self._put_off(turn, result.retry_after):
            return
        if result.trouble is None:
            turn.read.take(result.value)
        else:
            turn.read.fail(result.trouble)
        if turn.read.target:
            self._waiting.appendleft(_Turn(turn.read))
        else:
            self._waiting.extend(_Turn(read) for read in follow(turn.read) if read.target)
        if result.trouble is Trouble.UNAUTHORIZED:
            self._count_refusal()

    def _put_off(self, turn: _Turn, retry_after: str) -> bool:
        """Whether the server's wish to wait fits: then it is asked again, one thing at a time."""
        pause = _seconds_to_wait(retry_after, clock.Clock().now()) if retry_after else None
        due = clock.monotonic() + (self._limits.pause if pause is None else pause)
        if due >= self._deadline or turn.retries >= self._limits.retries:
            return False
        self._width = 1
        self._waiting.append(_Turn(turn.read, due, turn.retries + 1))
        return True

    def _count_refusal(self) -> None:
        """A token that was refused will be refused again: after a second try nothing is asked."""
        self._refused += 1
        if self._refused >= self._limits.refused_tokens:
            self._give_up(Trouble.UNAUTHORIZED)

    def _give_up(self, trouble: Trouble) -> None:
        while self._waiting:
            self._waiting.popleft().read.give_up(trouble)

    def _end(self) -> None:
        for lane in self._lanes:
            lane.close()
        for running in self._running.values():
            running.future.cancel()
            running.turn.read.give_up(Trouble.TIMEOUT)
            meter.count(running.turn.read.resource_type, Trouble.TIMEOUT, self._limits.deadline)
        self._running.clear()
        self._give_up(Trouble.TIMEOUT)


def exchange(lane: Lane, read: Read, token: str) -> Result:
    """One request and its JSON, in a thread of the pool."""
    began = clock.monotonic()
    try:
        answer = lane.ask(read.target, token, read.form)
    except ReadFailed as failure:
        return Result(trouble=failure.trouble, seconds=clock.monotonic() - began)
    value, trouble = _decoded(answer)
    return Result(value, trouble, answer.retry_after, clock.monotonic() - began)


def _decoded(answer: Answer) -> tuple[Any, Trouble | None]:
    trouble = of_status(answer.status)
    if trouble is not None:
        return None, trouble
    try:
        return body.decode_object(answer.body), None
    except BadRequest:
        return None, Trouble.NOT_FHIR


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """The pool of this process; its threads start with the first request, after any fork."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="fhir")


def _seconds_to_wait(value: str, now: datetime) -> float | None:
    """Seconds from `now` that Retry-After (RFC 9110, 10.2.3) asks for; None where it says nothing
    that can be kept to."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
