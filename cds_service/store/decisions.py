"""Writing decision records: rows for cards, counts for rules."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Engine

from cds_service.store.database import insert, insert_if_new
from cds_service.store.record import DecisionRecord
from cds_service.store.tables import cards, rule_days


def write(engine: Engine, records: Sequence[DecisionRecord]) -> None:
    """All records in one transaction. Raises SQLAlchemyError, and then nothing is written."""
    rows = [row for record in records for row in _card_rows(record)]
    counts = _counts(records)
    if not rows and not counts:
        return
    upsert = insert(engine, rule_days)
    upsert = upsert.on_conflict_do_update(
        index_elements=["rule", "day", "outcome"],
        set_={"count": rule_days.c.count + upsert.excluded.count},
    )
    with engine.begin() as connection:
        if rows:
            connection.execute(insert_if_new(engine, cards), rows)
        if counts:
            connection.execute(upsert, counts)


def _card_rows(record: DecisionRecord) -> list[dict[str, str | int]]:
    return [
        {
            "card": card.uuid,
            "rule": rule,
            "version": version,
            "head": int(place == 0),
            "service": record.service,
            "pack_revision": record.pack_revision,
            "day": record.day,
        }
        for card in record.cards
        for place, (rule, version) in enumerate(card.rules)
    ]


def _counts(records: Sequence[DecisionRecord]) -> list[dict[str, str | int]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        counts.update((rule, record.day, outcome) for rule, outcome in record.outcomes.items())
    # In key order, so that two processes never wait for each other's rows.
    return [
        {"rule": rule, "day": day, "outcome": outcome, "count": count}
        for (rule, day, outcome), count in sorted(counts.items())
    ]
