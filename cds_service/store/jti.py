"""Tokens that were used once and must not be used again (CDS Hooks: `jti`; spec row P11).

Only a digest is kept, and only as long as the token could still be accepted. The unique key decides
between two workers that get the same token at the same moment. Until when one is remembered:
`callers.tokens.remember_until`; `web.auth` refuses what was spent.
"""

import os
from contextlib import suppress

from sqlalchemy import Connection, Engine, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from cds_service.errors import ServiceError
from cds_service.store.database import RETRY_AFTER, insert_if_new
from cds_service.store.tables import spent_tokens

PURGE_EVERY = 60  # seconds


class SpentTokens:
    """The tokens that this database has seen."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._purged = 0
        self._anchors: dict[int, Connection] = {}  # by process; only its own thread may close one

    def spend(self, digest: str, until: int, now: int) -> bool:
        """Whether this is the first use; afterwards it is on record until the second `until`.

        `digest` is a SHA-256 in hexadecimal, times are Unix seconds. Raises ServiceError 503 when
        the database cannot answer: a token that may be a replay is not let in.
        """
        try:
            first = self._insert(digest, until)
        except SQLAlchemyError as error:
            raise _unavailable() from error
        if abs(now - self._purged) >= PURGE_EVERY:
            self._purged = now
            with suppress(SQLAlchemyError):  # a minute later it is tried again
                self._purge(now)
        return first

    def _insert(self, digest: str, until: int) -> bool:
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                self._do_not_wait_for_the_disk(connection)
            row = {"digest": digest, "expires": until}
            insert = insert_if_new(self._engine, spent_tokens)
            # Without the option the count of an INSERT is not known on every database.
            added = connection.execute(insert.execution_options(preserve_rowcount=True), row)
            count = added.rowcount
            connection.commit()
        return bool(count == 1)

    def _do_not_wait_for_the_disk(self, connection: Connection) -> None:
        """What is written outlives the process; only a power failure could lose the tokens of the
        last moments, and waiting for the disk would be the slowest part of every call.

        SQLite waits for it also when the last connection is closed: one is kept open, unused.
        """
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        if os.getpid() not in self._anchors and isinstance(self._engine.pool, NullPool):
            self._anchors[os.getpid()] = self._engine.connect()

    def _purge(self, now: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(spent_tokens).where(spent_tokens.c.expires < now))


def _unavailable() -> ServiceError:
    return ServiceError(
        503,
        "unavailable",
        "The service cannot check tokens at this moment. Send the call again, with a new token.",
        "transient",
        retry_after=RETRY_AFTER,
    )
