"""Whether the database takes what a call brings: its token, and feedback.

A database that can be read may still refuse every call: its disk is full, it is a standby, the role
lost a right. So what a call does is done, in one transaction that leaves one row, always the same.
"""

from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError

from cds_service.store import schema
from cds_service.store.database import insert, insert_if_new
from cds_service.store.tables import feedback, spent_tokens

_DIGEST = "0" * 64  # no token's
_NUMBER = -1  # no feedback's, and taken from no sequence
_FEEDBACK = {
    "id": _NUMBER,
    "digest": _DIGEST,
    "card": "",
    "service": "",
    "outcome": "",
    "outcome_timestamp": "",
    "received": "",
}


def problem(engine: Engine, now: int) -> str:
    """Why the database cannot be used, or "". `now` is a Unix second."""
    try:
        with engine.connect() as connection:
            state, _ = schema.state(connection)
    except SQLAlchemyError as error:
        return type(error).__name__
    if state is not schema.State.CURRENT:
        return f"schema {state.value}"
    try:
        _write(engine, now)
    except SQLAlchemyError as error:
        return f"{type(error).__name__} when writing"
    return ""


def _write(engine: Engine, now: int) -> None:
    """Write feedback and take it away, spend a token: on disk at return."""
    token = {"digest": _DIGEST, "expires": now}
    spend = insert(engine, spent_tokens).on_conflict_do_update(
        index_elements=["digest"], set_={"expires": now}
    )
    with engine.begin() as connection:
        connection.execute(insert_if_new(engine, feedback), _FEEDBACK)
        connection.execute(delete(feedback).where(feedback.c.id == _NUMBER))
        connection.execute(spend, token)
