"""Writing decision records: a row for the call, rows for its cards, counts for rules."""

from collections import Counter
from collections.abc import Sequence

import orjson
from sqlalchemy import Engine

from cds_service.store.database import insert, insert_if_new
from cds_service.store.record import DecisionRecord
from cds_service.store.tables import calls, cards, rule_days

STAGES = ("parse", "gather", "facts", "rules", "cards")


def write(engine: Engine, records: Sequence[DecisionRecord]) -> None:
    """All records in one transaction. Raises SQLAlchemyError, and then nothing is written."""
    rows = [row for record in records for row in _card_rows(record)]
    counts = _counts(records)
    upsert = insert(engine, rule_days)
    upsert = upsert.on_conflict_do_update(
        index_elements=["rule", "day", "outcome"],
        set_={"count": rule_days.c.count + upsert.excluded.count},
    )
    with engine.begin() as connection:
        connection.execute(calls.insert(), [_call_row(record) for record in records])
        if rows:
            connection.execute(insert_if_new(engine, cards), rows)
        if counts:
            connection.execute(upsert, counts)


def _call_row(record: DecisionRecord) -> dict[str, str | int]:
    outcomes = {
        rule: [record.versions.get(rule, ""), outcome] for rule, outcome in record.outcomes.items()
    }
    return {
        "day": record.day,
        "service": record.service,
        "pack_revision": record.pack_revision,
        "profile": record.profile,
        "outcomes": orjson.dumps(outcomes).decode(),
        "cards": " ".join(card.uuid for card in record.cards),
        **{f"{stage}_us": round(record.stages.get(stage, 0) * 1_000_000) for stage in STAGES},
    }


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
