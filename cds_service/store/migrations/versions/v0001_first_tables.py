"""Cards, daily counts, feedback and spent tokens.

`if_not_exists`: databases of before the first release have these tables, and no Alembic version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cards",
        sa.Column("card", sa.String(36), primary_key=True),
        sa.Column("rule", sa.String(100), primary_key=True),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("head", sa.Integer, nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("pack_revision", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "rule_days",
        sa.Column("rule", sa.String(100), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("outcome", sa.String(10), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("card", sa.String(100), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("outcome_timestamp", sa.String(40), nullable=False),
        sa.Column("reason_system", sa.String(200), nullable=False),
        sa.Column("reason_code", sa.String(100), nullable=False),
        sa.Column("reason_display", sa.Text, nullable=True),
        sa.Column("user_comment", sa.Text, nullable=True),
        sa.Column("suggestions", sa.Text, nullable=False),
        sa.Column("received", sa.String(32), nullable=False),
        sa.UniqueConstraint("digest", name="feedback_digest"),
        if_not_exists=True,
    )
    op.create_index("feedback_card", "feedback", ["card"], if_not_exists=True)
    op.create_table(
        "spent_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("spent_tokens_expires", "spent_tokens", ["expires"], if_not_exists=True)
