"""Retention: how long a site's data is kept, and a record of what was purged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_retention",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comments_days", sa.Integer(), nullable=True),
        sa.Column("feedback_days", sa.Integer(), nullable=True),
        sa.Column("counts_days", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_site_retention_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_retention")),
    )
    op.create_table(
        "purges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("slot = 1", name=op.f("ck_purges_slot")),
        sa.CheckConstraint("origin IN ('command', 'schedule')", name=op.f("ck_purges_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
        sa.UniqueConstraint("slot", name=op.f("uq_purges_slot")),
    )


def downgrade() -> None:
    op.drop_table("purges")
    op.drop_table("site_retention")
