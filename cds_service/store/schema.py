"""Which schema a database has, and bringing it to the one of this program (Alembic).

A start never changes a database that holds something: `cds db upgrade` does, when an operator has
made a copy. A new SQLite file is made at start, since there is nothing in it to lose.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from cds_service.errors import ConfigurationError

REVISIONS = (
    "0001",
    "0002",
    "0003",
)  # oldest first; a test compares them with the migrations' files
MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION_TABLE = "alembic_version"
_UNRELEASED_TABLE = "schema_version"  # in databases of before the first release
_LOCK = 4_750_219  # any number, the same for all processes that migrate


class State(Enum):
    """How a database compares with the program."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"  # it has tables, and none of them is ours


def state(connection: Connection) -> tuple[State, str]:
    """The state, and the revision that the database names ("" for none)."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return State.EMPTY, ""
    if _VERSION_TABLE not in tables:
        return (State.OLDER if _UNRELEASED_TABLE in tables else State.FOREIGN), ""
    revision = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar() or ""
    if revision == REVISIONS[-1]:
        return State.CURRENT, revision
    return (State.OLDER if revision in REVISIONS else State.NEWER), revision


def require_current(engine: Engine, *, may_upgrade: bool = False) -> None:
    """Refuse a database that is not of this program's schema; make a new SQLite one.

    `may_upgrade`: an older one is brought up to date (trial runs). Raises ConfigurationError.
    """
    with engine.connect() as connection:
        present, revision = state(connection)
    new_file = present is State.EMPTY and engine.dialect.name == "sqlite"
    if new_file or (present is State.OLDER and may_upgrade):
        upgrade(engine)
    elif present is not State.CURRENT:
        raise _refused(present, revision)


def upgrade(engine: Engine) -> tuple[str, str]:
    """Run what migrations are missing, all in one transaction: (revision before, after).

    One process migrates at a time; the others wait and find it done. Raises ConfigurationError for
    a database that a newer program or another one wrote, and SQLAlchemyError.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _locked(engine) as connection:
        present, before = state(connection)
        if present in (State.NEWER, State.FOREIGN):
            raise _refused(present, before)
        if present is not State.CURRENT:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before, REVISIONS[-1]


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration can run beside."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # sqlite3 would commit before each change of the schema; told to keep out of it, it
            # lets one transaction hold all of them.
            raw: Any = connection.connection.driver_connection
            usual, raw.isolation_level = raw.isolation_level, None
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
            raw.isolation_level = usual  # the one connection of a database in memory lives on
        return
    with engine.begin() as connection:
        # A large table may take longer than a call may wait.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _refused(present: State, revision: str) -> ConfigurationError:
    if present is State.NEWER:
        return ConfigurationError(
            f"The database has schema {revision}, which this program does not know; "
            f"it needs {REVISIONS[-1]}: a newer program wrote it.",
            "Use the program's version that wrote it, or another CDS_DATABASE_URL.",
        )
    if present is State.FOREIGN:
        return ConfigurationError(
            "The database has tables of another program and none of this one.",
            "Give the service a database of its own (CDS_DATABASE_URL).",
        )
    told = {State.EMPTY: "is empty", State.OLDER: f"has the older schema {revision or '0000'}"}
    return ConfigurationError(
        f"The database {told[present]}; this program needs schema {REVISIONS[-1]}.",
        "Make a copy of the database, then run: cds db upgrade",
    )
