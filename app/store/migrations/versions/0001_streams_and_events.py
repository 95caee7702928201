"""Streams with their orders, and the event log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "streams",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("stream_order", sa.String(8), nullable=False),
        sa.Column("ordered_at", sa.Float(), nullable=False),
        sa.Column("spec_json", sa.Text(), nullable=False),
        sa.Column("passphrase_token", sa.LargeBinary(), nullable=True),
        sa.Column("status_json", sa.Text(), nullable=True),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("stream_key", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
    )
    op.create_index("events_by_stream", "events", ["stream_key", "id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("events")
    op.drop_table("streams")
