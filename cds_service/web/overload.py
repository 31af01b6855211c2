"""Saying "not now" at once when more calls wait than a worker can answer in time.

Who counts the waiting calls is the server (`web.worker`); it marks the thread in which a call must
be refused. The addresses for operators are answered all the same.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request

from cds_service.errors import ServiceError

RETRY_AFTER = 1  # seconds

_thread = threading.local()


@contextmanager
def refusing() -> Iterator[None]:
    """Calls answered by this thread in the block get 503."""
    _thread.refuses = True
    try:
        yield
    finally:
        _thread.refuses = False


def refuses() -> bool:
    """Whether this thread answers 503."""
    return getattr(_thread, "refuses", False)


def install(app: Flask) -> None:
    """Check before anything of a call is read, its token included."""

    @app.before_request
    def _refuse() -> None:
        if refuses() and request.blueprint != "health":
            raise ServiceError(
                503,
                "overloaded",
                "More calls are waiting than the service can answer in time. Try again.",
                "throttled",
                retry_after=RETRY_AFTER,
            )
