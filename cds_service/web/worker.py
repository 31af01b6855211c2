"""gunicorn's threaded worker with bounds: calls that wait, time to send a request, errors' shape.

Without them one client that sends a byte now and then holds a thread for good, and a crowd is
answered long after everybody has stopped listening.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gunicorn import util
from gunicorn.workers import gthread

from cds_service import clock, logs
from cds_service.errors import ServiceError
from cds_service.protocol import outcome
from cds_service.web import metrics, overload

MOST_IN_FLIGHT = 32  # calls of one worker, being answered or waiting for a thread
READ_SECONDS = 20  # within which a request must have come, to its last byte
LINGER_SECONDS = 1.0  # for a client to take its answer before a connection is closed
MOST_DRAINED = 32 * 1024 * 1024  # bytes of a refused body that are read away until then
MOST_CLOSING = 64  # connections that are closed with that care at a time


class BoundedWorker(gthread.ThreadWorker):
    """A worker that answers 503 at once when `most_in_flight` calls are under way."""

    most_in_flight = MOST_IN_FLIGHT
    read_seconds = READ_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._in_flight = 0  # changed by the main thread alone
        self._since: dict[Any, float] = {}  # when the reading of a request began
        self._closing: set[Any] = set()

        self.tpool: Any = None

    def init_process(self) -> None:
        """Start the threads beside those that answer."""
        self._refusals = ThreadPoolExecutor(1)
        self._closers = ThreadPoolExecutor(4)
        super().init_process()  # type: ignore[no-untyped-call]

    def enqueue_req(self, conn: Any) -> None:
        """Give a readable connection to a thread, or to the one that refuses."""
        self._count(1)
        if self._in_flight > self.most_in_flight:
            future = self._refusals.submit(self._refuse, conn)
        else:
            future = self.tpool.submit(self.handle, conn)
        future.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Back in the main thread."""
        self._count(-1)
        super().finish_request(conn, fs)  # type: ignore[no-untyped-call]

    def handle(self, conn: Any) -> Any:
        """Answer one request. A connection on which nothing has come yet takes no thread."""
        if not conn.initialized and not conn.wait_for_data(0):
            return gthread._DEFER
        self._since[conn] = clock.monotonic()
        try:
            result = super().handle(conn)  # type: ignore[no-untyped-call]
        finally:
            self._since.pop(conn, None)
        if result is False:
            self._close_later(conn)
        return result

    def handle_request(self, req: Any, conn: Any) -> Any:
        """A refused client's body is not read, so its connection can't be used again."""
        if overload.refuses():
            req.force_close()
        return super().handle_request(req, conn)  # type: ignore[no-untyped-call]

    def murder_keepalived(self, force: bool = False) -> None:
        """Called by the main loop at least once a second."""
        super().murder_keepalived(force)  # type: ignore[no-untyped-call]
        limit = clock.monotonic() - self.read_seconds
        for conn, since in list(self._since.items()):
            if since < limit:
                _stop_reading(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """What is no HTTP at all. gunicorn's own answer and log would quote it."""
        logs.logger().info("no HTTP", **logs.describe_exception(exc))
        metrics.count_unreadable()
        body = outcome.write(
            ServiceError(400, "request-malformed", "The request could not be read.", "invalid")
        )
        head = (
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            return  # the client has gone; there is nobody to tell

    def _refuse(self, conn: Any) -> Any:
        with overload.refusing():
            return self.handle(conn)

    def _count(self, change: int) -> None:
        self._in_flight += change
        metrics.set_in_flight(self._in_flight)

    def _close_later(self, conn: Any) -> None:
        """Close where waiting for the client holds up nobody: gunicorn would do it in the main
        thread, two seconds for each client that does not hang up."""
        conn.close = _nothing
        if len(self._closing) >= MOST_CLOSING:
            util.close(conn.sock)
            return
        self._closing.add(conn)
        self._closers.submit(self._close, conn)

    def _close(self, conn: Any) -> None:
        try:
            util.close_graceful(conn.sock, timeout=LINGER_SECONDS, max_drain=MOST_DRAINED)
        finally:
            self._closing.discard(conn)


def _nothing(graceful: bool = False) -> None:
    """In place of a connection's `close`."""


def _stop_reading(conn: Any) -> None:
    """Let the thread that waits for this client see an end; what it has may still be answered."""
    try:
        conn.sock.shutdown(0)  # SHUT_RD
    except OSError:
        return  # closed already
