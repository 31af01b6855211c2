"""gunicorn's own messages as log lines of the project, without what they might quote.

gunicorn writes requests and exceptions into its messages. Only its words are kept, and numbers and
names of signals; there is no access log: an address may carry anything (`web.errors` and
`web.invoke` log each call by its route).
"""

import re
import sys
from typing import Any

from gunicorn.glogging import Logger

from cds_service import logs

# Messages about processes and addresses of our own, which may be told whole.
_OURS = ("Connection in use", "Can't connect to", "Worker (pid", "Worker failed", "Retrying")
_SIGNAL = re.compile(r"SIG[A-Z0-9]+")


class ServerLog(Logger):
    """What gunicorn calls to log."""

    def critical(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """As gunicorn's."""
        logs.logger().critical("server", hint=told(msg, args))

    def error(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """As gunicorn's."""
        logs.logger().error("server", hint=told(msg, args))

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """As gunicorn's."""
        logs.logger().warning("server", hint=told(msg, args))

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """The words, and type and place of the exception."""
        error = sys.exc_info()[1]
        fields = logs.describe_exception(error) if error else {}
        logs.logger().error("server", hint=told(msg, args), **fields)

    def info(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Not wanted."""

    def debug(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Not wanted."""

    def access(self, *args: Any) -> None:
        """Not wanted."""


def told(message: Any, args: tuple[Any, ...]) -> str:
    """The message with the arguments that cannot be a client's; "..." for the others."""
    text = str(message)
    ours = text.startswith(_OURS)
    shown = tuple(
        arg
        if ours or isinstance(arg, int) or (isinstance(arg, str) and _SIGNAL.fullmatch(arg))
        else "..."
        for arg in args
    )
    try:
        return text % shown if shown else text
    except (TypeError, ValueError):
        return text
