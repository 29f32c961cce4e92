"""Sums: what a verdict's reasons need besides to add up to its log-odds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = ("bias", "rest")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("checks", sa.Column(name, sa.Float(), nullable=True))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("checks", name)
