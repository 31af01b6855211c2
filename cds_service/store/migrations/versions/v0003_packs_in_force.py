"""Which pack was in force since when, and who brought it there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; what was in force before it is not known."""
    op.create_table(
        "packs_in_force",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server", sa.String(300), nullable=False),
        sa.Column("follows", sa.Integer, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("how", sa.String(10), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("compared", sa.String(10), nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.UniqueConstraint("server", "follows", name="packs_in_force_follows"),
    )
