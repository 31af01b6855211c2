"""Opening the database, its schema, and what its errors mean to a caller."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from cds_service import clock
from cds_service.config import DEFAULT_DATABASE
from cds_service.errors import ConfigurationError, ServiceError
from cds_service.store import schema

BUSY_PAUSE = 0.01  # seconds between two attempts to turn the log on
BUSY_SECONDS = 2.0  # how long a write waits for another process's write
CONNECT_SECONDS = 3  # how long PostgreSQL may take to answer before a call gets 503
STATEMENT_SECONDS = 5  # how long it may take for one statement
CONNECTIONS = 4  # kept open by each worker; as many again while there is a crowd
RETRY_AFTER = 5  # seconds

_pause = threading.Event()  # never set


def open_engine(url: str) -> Engine:
    """The engine for `url`, with the schema checked (`schema.require_current`).

    The file of a trial run is brought up to date by itself. Raises ConfigurationError.
    """
    with _explained():
        engine = connect(url)
        try:
            schema.require_current(engine, may_upgrade=url == DEFAULT_DATABASE)
        except BaseException:
            engine.dispose()
            raise
    _survive_fork(engine)
    return engine


def upgrade(url: str) -> tuple[str, str]:
    """Bring the schema up to date: (revision before, after). Raises ConfigurationError."""
    with _explained():
        engine = connect(url)
        try:
            return schema.upgrade(engine)
        finally:
            engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is on disk when the block has ended. Raises ServiceError 503."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise unavailable() from error


def unavailable() -> ServiceError:
    """The answer when something can't be stored: nothing was acknowledged, try again."""
    return ServiceError(
        503,
        "storage-unavailable",
        "The feedback could not be stored. Nothing of it was accepted; send it again.",
        "transient",
        retry_after=RETRY_AFTER,
    )


def insert_if_new(engine: Engine, table: Table) -> Any:
    """An INSERT for `table` that leaves existing rows as they are."""
    return insert(engine, table).on_conflict_do_nothing()


def insert(engine: Engine, table: Table) -> Any:
    """The dialect's INSERT with ON CONFLICT."""
    # Each imports all drivers of its database; only one is needed.
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def connect(url: str) -> Engine:
    """An engine with bounded waits; nothing is opened or checked yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise NoSuchModuleError(parsed.get_backend_name())
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    waits = f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s"
    return create_engine(
        parsed,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
        pool_timeout=CONNECT_SECONDS,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": waits},
    )


def _sqlite(parsed: URL) -> Engine:
    in_memory = parsed.database in (None, "", ":memory:")
    # A new connection for each use: no SQLite connection ever crosses a fork or a thread.
    pool = StaticPool if in_memory else NullPool
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": not in_memory}
    engine = create_engine(parsed, poolclass=pool, connect_args=arguments)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    _keep_a_log(cursor)
    # A commit returns when the data are on disk, not when the system has heard of them.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _keep_a_log(cursor: Any) -> None:
    """Write-ahead logging. SQLite's own waiting does not hold for two connections that turn it on
    at once: one of them is told at once that the database is locked."""
    end = clock.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if clock.monotonic() > end:
                raise
            _pause.wait(BUSY_PAUSE)


@contextmanager
def _explained() -> Iterator[None]:
    """What is wrong with a URL or a database, in words. Raises ConfigurationError."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"CDS_DATABASE_URL is not usable: {type(error).__name__}.",
            "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        ) from error
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"The database cannot be opened: {_cause(error)}.",
            "Check CDS_DATABASE_URL, that its server runs or its folder exists, and the rights.",
        ) from error


def _survive_fork(engine: Engine) -> None:
    # Worker processes must not share the parent's connections.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def _cause(error: SQLAlchemyError) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) and error.orig else type(error).__name__
