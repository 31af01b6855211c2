"""Retention: what is older than the site wants to keep is deleted.

Once a day, after decision records were written (`store.store`), or by `cds db purge`.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Delete, Engine, delete, exists, func, select

from cds_service.config import DEFAULT_CALL_DAYS, DEFAULT_FEEDBACK_DAYS
from cds_service.store.record import Purged
from cds_service.store.tables import calls, cards, feedback, rule_days

LONGEST_GAP = 31  # days without a call, after which a new day is not believed at once


@dataclass(frozen=True, slots=True)
class Retention:
    """Days to keep things; 0 for ever. `calls`: a row for each call; `feedback`: the rest."""

    calls: int = DEFAULT_CALL_DAYS
    feedback: int = DEFAULT_FEEDBACK_DAYS


def purge(engine: Engine, retention: Retention, today: date) -> Purged:
    """Delete what is too old on the day `today` (UTC), in one transaction.

    A card stays as long as there is feedback on it, so that no feedback loses its rule. Raises
    SQLAlchemyError, and then nothing is deleted.
    """
    with engine.begin() as connection:
        old_calls, counts = 0, (0, 0, 0)
        if retention.calls:
            limit = _limit(today, retention.calls)
            old_calls = _run(connection, delete(calls).where(calls.c.day < limit))
        if retention.feedback:
            counts = _purge_feedback(connection, _limit(today, retention.feedback))
    told, shown, counted = counts
    return Purged(calls=old_calls, cards=shown, rule_days=counted, feedback=told)


def days_follow(engine: Engine, today: str) -> bool:
    """Whether calls are on record of a day not long before `today` (ISO).

    Where not, the clock may have jumped, and a purge would take away what is new. Raises
    SQLAlchemyError.
    """
    with engine.connect() as connection:
        last = connection.execute(select(func.max(calls.c.day)).where(calls.c.day < today)).scalar()
    if last is None:
        return False
    return date.fromisoformat(today) <= date.fromisoformat(last) + timedelta(days=LONGEST_GAP)


def _purge_feedback(connection: Connection, limit: str) -> tuple[int, int, int]:
    told = _run(connection, delete(feedback).where(feedback.c.received < limit))
    answered = exists().where(feedback.c.card == cards.c.card)
    shown = _run(connection, delete(cards).where(cards.c.day < limit, ~answered))
    return told, shown, _run(connection, delete(rule_days).where(rule_days.c.day < limit))


def _limit(today: date, days: int) -> str:
    """The oldest day that is kept, as text: the columns hold ISO dates, which sort."""
    return (today - timedelta(days=days)).isoformat()


def _run(connection: Connection, statement: Delete) -> int:
    return int(connection.execute(statement).rowcount)
