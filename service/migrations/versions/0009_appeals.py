"""Appeals: what commenters ask a person to look at again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guid", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=True),
        sa.Column("reference", sa.String(length=32), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("ip_hash", sa.String(length=64), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('released', 'kept', 'no-record', 'duplicate')", name=op.f("ck_appeals_outcome")
        ),
        sa.CheckConstraint("(resolved_at IS NULL) = (outcome IS NULL)", name=op.f("ck_appeals_resolved")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_appeals_site_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("guid", name=op.f("uq_appeals_guid")),
    )
    for columns in (
        ["created_at"],
        ["resolved_at"],
        ["ip_hash", "created_at"],
        ["email_hash", "created_at"],
        ["reference", "created_at"],
    ):
        op.create_index(op.f(f"ix_appeals_{'_'.join(columns)}"), "appeals", columns, unique=False)
    op.create_index(op.f("ix_checks_email_hash"), "checks", ["email_hash"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_checks_email_hash"), "checks")
    op.drop_table("appeals")
