"""Tokens that were used once and must not be used again (CDS Hooks: `jti`; spec row P11).

Only a digest is kept, and only as long as the token could still be accepted. The unique key decides
between two workers that get the same token at the same moment.
"""

from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import ServiceError
from cds_service.store.database import RETRY_AFTER, insert_if_new
from cds_service.store.tables import spent_tokens


def spend(engine: Engine, digest: str, until: int) -> bool:
    """Whether this is the first use; afterwards it is on record until the second `until`.

    `digest` is a SHA-256 in hexadecimal. Raises ServiceError 503 when the database cannot answer:
    a token that may be a replay is not let in.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # Outlives the process; only a power failure could lose the last moments' tokens,
                # and waiting for the disk would be the slowest part of every call.
                connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
            row = {"digest": digest, "expires": until}
            inserted = connection.execute(insert_if_new(engine, spent_tokens), row).rowcount
            connection.commit()
    except SQLAlchemyError as error:
        raise _unavailable() from error
    return bool(inserted == 1)


def purge(engine: Engine, now: int) -> None:
    """Forget tokens that are no longer accepted at the second `now`. Raises SQLAlchemyError."""
    with engine.begin() as connection:
        connection.execute(delete(spent_tokens).where(spent_tokens.c.expires < now))


def _unavailable() -> ServiceError:
    return ServiceError(
        503,
        "unavailable",
        "The service cannot check tokens at this moment. Send the call again, with a new token.",
        "transient",
        retry_after=RETRY_AFTER,
    )
