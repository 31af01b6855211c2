"""gunicorn's threaded worker with bounds: calls that wait, time to send and to take, idle clients.

Without them one client that sends a byte now and then, or reads nothing, holds a thread for good,
and a crowd is answered long after everybody has stopped listening. A request gets a thread when its
head has come (`web.heads`); what operators ask for has threads of its own.
"""

import select
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers import gthread

from cds_service import clock, logs
from cds_service.errors import ServiceError
from cds_service.protocol import outcome
from cds_service.web import metrics, overload
from cds_service.web.heads import Head, Heads, connections_allowed, for_operators

MOST_IN_FLIGHT = 32  # calls of one worker, being answered or waiting for a thread
READ_SECONDS = 20  # within which a request must have come, and its answer must be taken
LINGER_SECONDS = 1.0  # for a client to take its answer before a connection is closed
MOST_DRAINED = 32 * 1024 * 1024  # bytes of a refused body that are read away until then
MOST_CLOSING = 64  # connections that are closed with that care at a time
MOST_SKIPPED = 64 * 1024  # bytes of a body nobody read that gunicorn skips to the next request
SPARE = 64  # connections beyond the bound while others are let go


class BoundedWorker(gthread.ThreadWorker):
    """A worker that answers 503 at once when `most_in_flight` calls are under way."""

    most_in_flight = MOST_IN_FLIGHT
    read_seconds = READ_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._most_connections = connections_allowed()
        self.worker_connections = self._most_connections + SPARE
        self.max_keepalived = self.worker_connections
        # Changed by the main thread alone.
        self._in_flight = 0  # answers under way
        self._calls = 0  # of these, calls that have a place
        self._heads = Heads(self.cfg.keepalive, self.read_seconds)
        # By connection: when the reading of a request began, when the writing of its answer did.
        self._since: dict[Any, float] = {}
        self._writing: dict[Any, float] = {}
        self._closing: set[Any] = set()
        self._thread = threading.local()

        self.tpool: Any = None
        self.poller: Any = None

    def init_process(self) -> None:
        """Start the threads beside those that answer."""
        self._refusals = ThreadPoolExecutor(2)
        self._operators = ThreadPoolExecutor(4)
        self._closers = ThreadPoolExecutor(4)
        super().init_process()  # type: ignore[no-untyped-call]

    def load_wsgi(self) -> None:
        """The application, which hands over its whole answer before any of it is written."""
        super().load_wsgi()  # type: ignore[no-untyped-call]
        application = self.wsgi

        def answer(environ: Any, start_response: Any) -> Any:
            body = application(environ, start_response)
            conn = self._thread.conn
            if _unread(environ) > MOST_SKIPPED:
                start_response.__self__.force_close()  # gunicorn's response: it tells the client
            self._since.pop(conn, None)
            self._writing[conn] = clock.monotonic()
            return body

        self.wsgi = answer

    # A connection waits for a head, gets a thread, and waits for the next one.

    def enqueue_req(self, conn: Any) -> None:
        """A new connection, or one that has sent more than a request."""
        if self.cfg.is_ssl or conn.initialized:
            self._dispatch(conn, b"")
            return
        self._make_room()
        self._await_head(conn)

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """The next request on a connection, or its end."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        if self.cfg.is_ssl:
            self._dispatch(conn, b"")
        else:
            self._await_head(conn)

    def _await_head(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        if self._peek(conn):
            return
        self._heads.add(conn)
        self.poller.register(conn.sock, select.EPOLLIN, lambda _: self._on_head(conn))

    def _on_head(self, conn: Any) -> None:
        """More has come. Called by the poller."""
        if self._peek(conn):
            self.poller.unregister(conn.sock)
            self._heads.remove(conn)

    def _peek(self, conn: Any) -> bool:
        """Whether the wait is over: the head is there, or there will be none."""
        state, head = self._heads.look(conn)
        if state is Head.ENDED:
            self._let_go(conn)
        elif state is Head.COMPLETE:
            self._dispatch(conn, head)
        return state is not Head.PARTIAL

    def _make_room(self) -> None:
        """The connection that waits longest gives its place to a new one."""
        if self.nr_conns <= self._most_connections:
            return
        oldest = self._heads.oldest()
        if oldest is not None:
            self._give_up(oldest)
        elif self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._let_go(conn)

    def _give_up(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        if self._heads.remove(conn):  # it had begun: it is told, and has a moment to hear it
            self.handle_error(None, conn.sock, None, TimeoutError())
            self.nr_conns -= 1
            self._close_later(conn)
        else:
            self._let_go(conn)

    def _let_go(self, conn: Any) -> None:
        self.nr_conns -= 1
        util.close(conn.sock)

    def _dispatch(self, conn: Any, head: bytes) -> None:
        """Give a request to a thread: one that answers, one that refuses, or the operators' own."""
        conn.data_ready = True
        counted = 0
        if for_operators(head):
            future = self._operators.submit(self.handle, conn)
        elif self._calls >= self.most_in_flight:
            future = self._refusals.submit(self._refuse, conn)
        else:
            counted = 1
            future = self.tpool.submit(self.handle, conn)
        self._count(1, counted)
        done: Callable[[Any], None] = partial(self._done, conn, counted)
        future.add_done_callback(lambda finished: self.method_queue.defer(done, finished))

    def _done(self, conn: Any, counted: int, future: Future[Any]) -> None:
        """Back in the main thread."""
        self._count(-1, -counted)
        self.finish_request(conn, future)  # type: ignore[no-untyped-call]

    def handle(self, conn: Any) -> Any:
        """Answer one request."""
        self._thread.conn = conn
        self._since[conn] = clock.monotonic()
        try:
            result = super().handle(conn)  # type: ignore[no-untyped-call]
        finally:
            self._since.pop(conn, None)
            self._writing.pop(conn, None)
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
                _shut(conn, 0)  # SHUT_RD: what has come may still be answered
        for conn, since in list(self._writing.items()):
            if since < limit:
                _shut(conn, 2)  # SHUT_RDWR

    def murder_pending(self) -> None:
        """Called by the main loop at least once a second."""
        for conn in self._heads.late(stopping=not self.alive):
            self._give_up(conn)

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
        """503. A client that takes nothing is not even told."""
        if not select.select((), (conn.sock,), (), 0)[1]:
            return False
        with overload.refusing():
            return self.handle(conn)

    def _count(self, change: int, calls: int) -> None:
        self._in_flight += change
        self._calls += calls
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


def _unread(environ: Any) -> int:
    """Bytes of the body that the application left; 0 where that is not known before it has come."""
    return int(getattr(getattr(environ["wsgi.input"], "reader", None), "length", 0) or 0)


def _nothing(graceful: bool = False) -> None:
    """In place of a connection's `close`."""


def _shut(conn: Any, how: int) -> None:
    """Let the thread that waits for this client see an end."""
    try:
        conn.sock.shutdown(how)
    except OSError:
        return  # closed already
