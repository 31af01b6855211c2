"""The tables. None has a column for a patient, a user, a value or a chart entry (invariant 4).

A change here needs a migration in `migrations/versions`; a test compares the two.
"""

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

metadata = MetaData()

# SQLite numbers rows by itself only where the key is called INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

# One row for each call: what it came to. `outcomes` is a JSON object, rule to [version, outcome],
# without the rules that said "no"; `cards` are uuids, separated by spaces; `*_us` microseconds.
calls = Table(
    "calls",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("day", String(10), nullable=False),
    Column("service", String(100), nullable=False),
    Column("pack_revision", String(64), nullable=False),
    Column("profile", Text, nullable=False),
    Column("outcomes", Text, nullable=False),
    Column("cards", Text, nullable=False),
    *(
        Column(f"{stage}_us", Integer, nullable=False)
        for stage in ("parse", "gather", "facts", "rules", "cards")
    ),
)

Index("calls_day", calls.c.day)

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

Index("cards_day", cards.c.day)

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
    Column("received", String(32), nullable=False),  # ISO, in UTC
    UniqueConstraint("digest", name="feedback_digest"),
)

Index("feedback_card", feedback.c.card)
Index("feedback_received", feedback.c.received)

# `digest` is over issuer and jti of a token, `expires` in Unix seconds.
spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False),
)

Index("spent_tokens_expires", spent_tokens.c.expires)

# A row each time a server began to answer with another pack; never purged. `server` is the machine
# and the site's folder; `follows` the row before of the same server, 0 for the first: several
# workers take the same change, and only one of them can write it. `changes` is a JSON array of
# sentences, against what `compared` says: the pack "before", or the "shipped" one.
packs_in_force = Table(
    "packs_in_force",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server", String(300), nullable=False),
    Column("follows", Integer, nullable=False),
    Column("since", String(32), nullable=False),  # ISO, in UTC
    Column("revision", String(64), nullable=False),
    Column("version", String(40), nullable=False),  # of the pack
    Column("program", String(40), nullable=False),
    Column("profile", Text, nullable=False),
    Column("how", String(10), nullable=False),  # "start" or "live"
    Column("who", String(100), nullable=False),  # the account that owns the newest file
    Column("compared", String(10), nullable=False),
    Column("changes", Text, nullable=False),
    UniqueConstraint("server", "follows", name="packs_in_force_follows"),
)
