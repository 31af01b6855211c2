"""Opening the database, its schema, and what its errors mean to a caller."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from cds_service.errors import ConfigurationError, ServiceError
from cds_service.store.tables import (
    LACKS_TABLES,
    SCHEMA_VERSION,
    metadata,
    schema_version,
)

BUSY_SECONDS = 2.0  # how long a write waits for another process's write
RETRY_AFTER = 5  # seconds


def open_engine(url: str) -> Engine:
    """The engine for `url`, with the schema made or checked. Raises ConfigurationError."""
    try:
        engine = _engine(url)
        _prepare(engine)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"CDS_DATABASE_URL is not usable: {type(error).__name__}.",
            "Use sqlite:///FILE, or postgresql+psycopg://... with that driver installed.",
        ) from error
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"The database cannot be opened: {_cause(error)}.",
            "Check CDS_DATABASE_URL, and that its folder exists and can be written to.",
        ) from error
    _survive_fork(engine)
    return engine


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
    make = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    return make(table)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    in_memory = parsed.database in (None, "", ":memory:")
    # A new connection for each use: no SQLite connection ever crosses a fork or a thread.
    pool = StaticPool if in_memory else NullPool
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": not in_memory}
    engine = create_engine(parsed, poolclass=pool, connect_args=arguments)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # FULL: a commit returns when the data are on disk, not when the system has heard of them.
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare(engine: Engine) -> None:
    with engine.begin() as connection:
        if not inspect(connection).has_table(schema_version.name):
            metadata.create_all(connection)
        found = connection.execute(select(schema_version.c.version)).scalar()
        if found is None:
            connection.execute(insert_if_new(engine, schema_version), {"version": SCHEMA_VERSION})
        elif found in LACKS_TABLES:
            metadata.create_all(connection)
            connection.execute(update(schema_version).values(version=SCHEMA_VERSION))
            found = SCHEMA_VERSION
    if found not in (None, SCHEMA_VERSION):
        raise ConfigurationError(
            f"The database has schema version {found}; this program needs {SCHEMA_VERSION}.",
            "Use the program's version that wrote it, or another CDS_DATABASE_URL.",
        )


def _survive_fork(engine: Engine) -> None:
    # Worker processes must not share the parent's connections.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def _cause(error: SQLAlchemyError) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) and error.orig else type(error).__name__
