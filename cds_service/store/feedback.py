"""Storing and counting feedback (CDS Hooks 2.0.1, Feedback; rows N1 to N14).

What an EHR sends may hold free text about a patient anywhere. So only what has the form of a code
or a uuid is kept as it is; comments and display texts are kept only where the site asks for it.
Feedback on a card that is not on record (any more) is taken, and counted under no rule.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, func, select

from cds_service.protocol.model import FeedbackEntry
from cds_service.store.database import insert_if_new, writing
from cds_service.store.record import Intervention, RuleFeedback
from cds_service.store.tables import cards, feedback

UNKNOWN = "unknown"
MOMENT_LENGTH = 40
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:|/-]{0,63}")
_SYSTEM = re.compile(r"(?:https?://|urn:)[A-Za-z0-9._:/#-]{1,190}")


def store(
    engine: Engine,
    service: str,
    entries: Sequence[FeedbackEntry],
    received: datetime,
    keep_text: bool,
) -> None:
    """All entries or none, on disk at return; an exact repeat adds nothing. Raises 503."""
    rows = [_row(service, entry, received, keep_text) for entry in entries]
    # In one order, so that two processes with the same batch never wait for each other's rows.
    rows.sort(key=lambda row: row["digest"] or "")
    if rows:
        with writing(engine) as connection:
            connection.execute(insert_if_new(engine, feedback), rows)


def report(engine: Engine) -> list[RuleFeedback]:
    """By rule and version. A card that joins several rules counts for each of them."""
    with engine.connect() as connection:
        shown = connection.execute(
            select(cards.c.rule, cards.c.version, func.count()).group_by(
                cards.c.rule, cards.c.version
            )
        ).all()
        answers = connection.execute(
            select(
                func.coalesce(cards.c.rule, UNKNOWN),
                func.coalesce(cards.c.version, ""),
                feedback.c.outcome,
                feedback.c.reason_code,
                func.count(),
            )
            .select_from(feedback.outerjoin(cards, cards.c.card == feedback.c.card))
            .group_by(cards.c.rule, cards.c.version, feedback.c.outcome, feedback.c.reason_code)
        ).all()
    return _counted(shown, answers)


def export(engine: Engine) -> list[Intervention]:
    """Every piece of feedback with the rule that heads its card, oldest first."""
    query = (
        select(feedback, cards.c.rule, cards.c.version, cards.c.pack_revision)
        .select_from(
            feedback.outerjoin(cards, (cards.c.card == feedback.c.card) & (cards.c.head == 1))
        )
        .order_by(feedback.c.id)
    )
    with engine.connect() as connection:
        return [_intervention(row._asdict()) for row in connection.execute(query)]


def _intervention(row: Mapping[str, Any]) -> Intervention:
    return Intervention(
        intervention=row["rule"] or UNKNOWN,
        version=row["version"] or "",
        service=row["service"],
        pack_revision=row["pack_revision"] or "",
        card=row["card"],
        action=row["outcome"],
        suggestions=row["suggestions"],
        reason_system=row["reason_system"],
        reason_code=row["reason_code"],
        user_feedback="; ".join(filter(None, (row["reason_display"], row["user_comment"]))),
        date=row["outcome_timestamp"],
    )


def _counted(shown: Iterable[Any], answers: Iterable[Any]) -> list[RuleFeedback]:
    shown_by = {(rule, version): count for rule, version, count in shown}
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for rule, version, outcome, reason, count in answers:
        outcomes[rule, version][outcome] += count
        if outcome == "overridden":
            reasons[rule, version][reason] += count
    return [
        RuleFeedback(
            rule=key[0],
            version=key[1],
            shown=shown_by.get(key, 0),
            accepted=outcomes[key]["accepted"],
            overridden=outcomes[key]["overridden"],
            reasons=dict(reasons[key]),
        )
        for key in sorted(shown_by.keys() | outcomes.keys())
    ]


def _row(
    service: str, entry: FeedbackEntry, received: datetime, keep_text: bool
) -> dict[str, str | None]:
    reason = entry.reason
    return {
        "digest": _digest(service, entry),
        "card": card_key(entry.card),
        "service": service,
        "outcome": entry.outcome,
        "outcome_timestamp": _moment(entry.at),
        "reason_system": reason.system if reason and _SYSTEM.fullmatch(reason.system) else "",
        "reason_code": _code(reason.code) if reason else "",
        "reason_display": _words(reason.display) if reason and keep_text else None,
        "user_comment": _words(entry.comment) if keep_text else None,
        "suggestions": " ".join(card_key(uuid) for uuid in entry.suggestions),
        "received": received.astimezone(UTC).isoformat(timespec="seconds"),
    }


def card_key(text: str) -> str:
    """A uuid in its usual form; anything else as a digest, since it may be any text at all."""
    try:
        return str(UUID(text))
    except ValueError:
        return f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _code(text: str) -> str:
    return text if not text or _CODE.fullmatch(text) else "other"


def _moment(at: str) -> str:
    """The time as it was sent; shorter where its fraction of a second would not fit."""
    return at if len(at) <= MOMENT_LENGTH else datetime.fromisoformat(at.upper()).isoformat()


def _words(text: str) -> str | None:
    """Free text as any database takes it: PostgreSQL refuses the character NUL."""
    return text.replace("\0", "") or None


def _digest(service: str, entry: FeedbackEntry) -> str:
    reason = entry.reason
    told = [service, entry.card, entry.outcome, entry.at, list(entry.suggestions), entry.comment]
    told += [reason.system, reason.code, reason.display] if reason else []
    return sha256(orjson.dumps(told)).hexdigest()
