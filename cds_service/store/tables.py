"""The tables. None has a column for a patient, a user, a value or a chart entry (invariant 4)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 2
LACKS_TABLES = (1,)  # versions to which only tables were added since: they are made at start

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# One row for each rule of a card: a card may join several findings.
cards = Table(
    "cards",
    metadata,
    Column("card", String(36), primary_key=True),
    Column("rule", String(100), primary_key=True),
    Column("version", String(40), nullable=False),
    Column("head", Integer, nullable=False),  # 1 for the rule that gave the card its summary
    Column("service", String(100), nullable=False),
    Column("pack_revision", String(64), nullable=False),
    Column("day", String(10), nullable=False),
)

rule_days = Table(
    "rule_days",
    metadata,
    Column("rule", String(100), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("outcome", String(10), primary_key=True),
    Column("count", Integer, nullable=False),
)

# `digest` is over all that an EHR sent for one card, so that a repeated delivery is one row.
feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("card", String(100), nullable=False),
    Column("service", String(100), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("outcome_timestamp", String(40), nullable=False),
    Column("reason_system", String(200), nullable=False, default=""),
    Column("reason_code", String(100), nullable=False, default=""),
    Column("reason_display", Text, nullable=True),
    Column("user_comment", Text, nullable=True),
    Column("suggestions", Text, nullable=False, default=""),  # uuids, separated by spaces
    Column("received", String(32), nullable=False),
    UniqueConstraint("digest", name="feedback_digest"),
)

Index("feedback_card", feedback.c.card)

# Since schema version 2. `digest` is over issuer and jti of a token, `expires` in Unix seconds.
spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False),
)

Index("spent_tokens_expires", spent_tokens.c.expires)
