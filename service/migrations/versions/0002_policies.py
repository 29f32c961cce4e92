"""Policies and lists per site, keys with scopes, requests with names"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("scope", sa.String(length=10), server_default="site", nullable=False))
    op.add_column("checks", sa.Column("sketch", sa.LargeBinary(length=128), nullable=True))
    op.add_column("checks", sa.Column("would_answer", sa.String(length=10), nullable=True))
    op.add_column("checks", sa.Column("request_hash", sa.String(length=64), nullable=True))
    op.add_column("checks", sa.Column("request_content_hash", sa.String(length=64), nullable=True))
    op.create_index(
        "uq_checks_request",
        "checks",
        ["key_id", "request_hash"],
        unique=True,
        sqlite_where=sa.text("request_hash IS NOT NULL"),
        postgresql_where=sa.text("request_hash IS NOT NULL"),
    )
    op.create_index("ix_checks_site_id_id", "checks", ["site_id", "id"])
    op.create_table(
        "site_policies",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("budget_per_thousand", sa.Float(), nullable=True),
        sa.Column("unsure", sa.String(length=10), nullable=True),
        sa.Column("discard", sa.Boolean(), nullable=False),
        sa.Column("log_only", sa.Boolean(), nullable=False),
        sa.Column("counts_silence", sa.Boolean(), nullable=False),
        sa.Column("webhook", sa.String(length=10), server_default="off", nullable=False),
        sa.Column("webhook_key", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("unsure IN ('publish', 'hold', 'spam')", name=op.f("ck_site_policies_unsure")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_site_policies_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_policies")),
    )
    op.create_table(
        "list_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=5), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('allow', 'deny')", name=op.f("ck_list_entries_side")),
        sa.CheckConstraint("kind IN ('email', 'domain', 'ip', 'word')", name=op.f("ck_list_entries_kind")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_list_entries_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_entries")),
        sa.UniqueConstraint("site_id", "kind", "value", name=op.f("uq_list_entries_site_id_kind_value")),
    )
    op.create_table(
        "calibrations",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_calibrations_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_calibrations")),
    )


def downgrade() -> None:
    for table in ("calibrations", "list_entries", "site_policies"):
        op.drop_table(table)
    op.drop_index("uq_checks_request", "checks")
    op.drop_index("ix_checks_site_id_id", "checks")
    for column in ("sketch", "would_answer", "request_hash", "request_content_hash"):
        op.drop_column("checks", column)
    op.drop_column("api_keys", "scope")
