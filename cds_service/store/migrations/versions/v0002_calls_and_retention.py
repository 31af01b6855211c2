"""A row for each call, and the indexes that retention reads."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table and the indexes; drop the version table of before the first release."""
    op.create_table(
        "calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("pack_revision", sa.String(64), nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("outcomes", sa.Text, nullable=False),
        sa.Column("cards", sa.Text, nullable=False),
        sa.Column("parse_us", sa.Integer, nullable=False),
        sa.Column("gather_us", sa.Integer, nullable=False),
        sa.Column("facts_us", sa.Integer, nullable=False),
        sa.Column("rules_us", sa.Integer, nullable=False),
        sa.Column("cards_us", sa.Integer, nullable=False),
    )
    op.create_index("calls_day", "calls", ["day"])
    op.create_index("cards_day", "cards", ["day"])
    op.create_index("feedback_received", "feedback", ["received"])
    op.drop_table("schema_version", if_exists=True)
