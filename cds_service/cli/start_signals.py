"""Signals that come while the service starts, before gunicorn takes them.

The first process of a container has no default actions: a stop would be lost, and the container
killed when its grace period is over. Elsewhere the default of a reload is to end the process.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn

_STOP = (signal.SIGTERM, signal.SIGQUIT)  # SIGINT is Python's own
_LATER = (
    signal.SIGHUP,  # what a reload would read is being read
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGWINCH,
)


def take() -> None:
    """Until gunicorn has handlers of its own: a stop ends the process with 0 after tidying up,
    everything else that gunicorn knows means nothing."""
    for number in _STOP:
        signal.signal(number, _stop)
    for number in _LATER:
        signal.signal(number, _nothing)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: children would inherit it."""
