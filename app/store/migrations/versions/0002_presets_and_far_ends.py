"""Presets and the address book of far ends."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = ("presets", "far_ends")


def upgrade() -> None:
    """Make both tables."""
    for name in _TABLES:
        op.create_table(
            name,
            sa.Column("key", sa.String(32), primary_key=True),
            sa.Column("document_json", sa.Text(), nullable=False),
        )


def downgrade() -> None:
    """Drop both tables."""
    for name in _TABLES:
        op.drop_table(name)
