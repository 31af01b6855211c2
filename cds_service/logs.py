"""Structured logs in which nothing of a patient can appear.

One JSON object a line on stderr. Only the keys of `ALLOWED` are written: a key that is not listed
is dropped and its name is told under `withheld`: a careless call is seen and does no harm. There is
no request id: a call is known by its hookInstance, a fault of ours by its error_id.
"""

import logging
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from cds_service import log_stream

ALLOWED = frozenset({
    "event", "level", "timestamp", "withheld",
    "service", "hook", "hook_instance", "method", "route", "status", "code", "milliseconds",
    "cards", "card_uuids", "entries", "rules", "rule", "outcomes", "warnings", "dropped", "supply",
    "reason", "client", "clients", "issuer_hash", "kid_hash", "jti_hash",
    "key", "error_id", "exception", "frames", "cause",
    "pack", "revision", "profile", "site", "problems", "address", "audience", "auth", "hint",
    "signal", "author", "changes",
})  # fmt: skip

_PACKAGE_ROOT = Path(__file__).resolve().parent.parent


def keep_allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Keep the keys of `ALLOWED`; name the others without their values."""
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    withheld = sorted(str(key) for key in event if key not in ALLOWED)
    if withheld:
        kept["withheld"] = withheld
    return kept


def configure(level: str = "INFO") -> None:
    """Set up logging for this process. `level` is a name of the standard library's levels."""
    _State.level = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_State.level),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    _State.logger = structlog.get_logger().bind()


class _State:
    level = logging.NOTSET
    logger: Any = structlog.get_logger()
    lines = log_stream.Lines()


class _Lines:
    """A line that cannot be written is lost: no answer may fail or wait for its sake."""

    def msg(self, line: str) -> None:
        lost = _State.lines.lost
        if _State.lines.write(line) and lost:
            logger().warning("log lines lost", entries=lost)

    debug = info = warning = error = critical = msg


def logger() -> Any:
    """The logger of the project, as it was set up last."""
    return _State.logger


def says(level: str) -> bool:
    """Whether lines of a level are written: what they would say may cost something to put
    together."""
    return logging.getLevelNamesMapping()[level] >= _State.level


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Type and place of an exception as log fields. Its message may quote values: left out."""
    fields: dict[str, Any] = {
        "exception": _type_name(error),
        "frames": [
            f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    cause = error.__cause__ or error.__context__
    if cause is not None:
        fields["cause"] = _type_name(cause)
    return fields


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_PACKAGE_ROOT)) if path.is_relative_to(_PACKAGE_ROOT) else path.name
