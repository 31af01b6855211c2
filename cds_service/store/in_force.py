"""Which packs were in force: a chain of rows for each server, never changed and never purged."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cds_service.store.database import unavailable
from cds_service.store.tables import packs_in_force as table

LONGEST_SERVER = 300  # characters
LONGEST_WHO = 100


@dataclass(frozen=True, slots=True)
class InForce:
    """A server began to answer with this pack. `changes` are sentences, `since` ISO in UTC."""

    server: str
    since: str
    revision: str
    version: str
    program: str
    profile: str
    how: str
    who: str
    compared: str = "before"
    changes: tuple[str, ...] = ()


def add(engine: Engine, entry: InForce) -> bool:
    """Write an entry; False where its pack is in force already. Raises ServiceError 503."""
    try:
        with engine.begin() as connection:
            row, revision = _last(connection, entry.server)
            if revision == entry.revision:
                return False
            connection.execute(insert(table).values(**_columns(entry), follows=row))
    except IntegrityError:  # another worker was quicker
        return False
    except SQLAlchemyError as error:
        raise unavailable() from error
    return True


def last_revision(engine: Engine, server: str) -> str:
    """The revision that was in force last; "" for a server that is new. Raises ServiceError 503."""
    try:
        with engine.connect() as connection:
            return _last(connection, server[:LONGEST_SERVER])[1]
    except SQLAlchemyError as error:
        raise unavailable() from error


def history(engine: Engine) -> Sequence[InForce]:
    """All entries, oldest first. Raises ServiceError 503."""
    names = InForce.__dataclass_fields__
    columns = [table.c[name] for name in names]
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(table.c.id)).all()
    except SQLAlchemyError as error:
        raise unavailable() from error
    return [_entry(dict(zip(names, row, strict=True))) for row in rows]


def _last(connection: Connection, server: str) -> tuple[int, str]:
    newest = (
        select(table.c.id, table.c.revision)
        .where(table.c.server == server)
        .order_by(table.c.id.desc())
        .limit(1)
    )
    row = connection.execute(newest).first()
    return (int(row[0]), str(row[1])) if row else (0, "")


def _columns(entry: InForce) -> dict[str, str]:
    columns = {name: getattr(entry, name) for name in InForce.__dataclass_fields__}
    return {**columns, "changes": orjson.dumps(list(entry.changes)).decode()}


def _entry(columns: dict[str, str]) -> InForce:
    changes = tuple(orjson.loads(columns["changes"]))
    return InForce(**{**columns, "changes": changes})  # type: ignore[arg-type]
