"""Rights: comments whose use is restricted, and receipts of what was done on request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("checks", "feedback"):
        op.add_column(table, sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guid", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("run", sa.String(32), nullable=True),
        sa.CheckConstraint("what IN ('export', 'erase', 'restrict', 'lift')", name=op.f("ck_receipts_what")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("guid", name=op.f("uq_receipts_guid")),
    )


def downgrade() -> None:
    op.drop_table("receipts")
    for table in ("feedback", "checks"):
        op.drop_column(table, "restricted")
