"""The first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("address", name=op.f("uq_sites_address")),
    )
    op.create_table(
        "checks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guid", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=True),
        sa.Column("email_domain", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("ip_hash", sa.String(length=64), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("site_lang", sa.Text(), nullable=False),
        sa.Column("referrer", sa.Text(), nullable=False),
        sa.Column("honeypot", sa.Text(), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("user_role", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("recheck_reason", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("log_odds", sa.Float(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("discard", sa.Boolean(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("clues", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=20), nullable=False),
        sa.CheckConstraint("answer IN ('true', 'false', 'hold')", name=op.f("ck_checks_answer")),
        sa.CheckConstraint("decision IN ('ham', 'unsure', 'spam')", name=op.f("ck_checks_decision")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_checks_key_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_checks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
        sa.UniqueConstraint("guid", name=op.f("uq_checks_guid")),
    )
    op.create_index(op.f("ix_checks_created_at"), "checks", ["created_at"], unique=False)
    op.create_index(
        op.f("ix_checks_site_id_content_hash"), "checks", ["site_id", "content_hash"], unique=False
    )

    op.create_table(
        "daily_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("spam", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ham", sa.Integer(), server_default="0", nullable=False),
        sa.Column("missed_spam", sa.Integer(), server_default="0", nullable=False),
        sa.Column("false_positives", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_daily_counts_key_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_daily_counts_site_id")),
        sa.PrimaryKeyConstraint("day", "key_id", "site_id", name=op.f("pk_daily_counts")),
    )
    op.create_table(
        "key_sites",
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_key_sites_key_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_key_sites_site_id")),
        sa.PrimaryKeyConstraint("key_id", "site_id", name=op.f("pk_key_sites")),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guid", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.String(length=4), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=True),
        sa.Column("email_domain", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("ip_hash", sa.String(length=64), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("site_lang", sa.Text(), nullable=False),
        sa.Column("referrer", sa.Text(), nullable=False),
        sa.Column("honeypot", sa.Text(), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("user_role", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("reporter_hash", sa.String(length=64), nullable=True),
        sa.Column("claimed_answer", sa.String(length=5), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("counted_as", sa.String(length=20), nullable=True),
        sa.Column("superseded_by", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "counted_as IN ('missed_spam', 'false_positives')", name=op.f("ck_feedback_counted_as")
        ),
        sa.CheckConstraint("label IN ('ham', 'spam')", name=op.f("ck_feedback_label")),
        sa.ForeignKeyConstraint(
            ["check_id"], ["checks.id"], name=op.f("fk_feedback_check_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_feedback_key_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_feedback_site_id")),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["feedback.guid"],
            name=op.f("fk_feedback_superseded_by"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("guid", name=op.f("uq_feedback_guid")),
    )
    op.create_index(op.f("ix_feedback_check_id"), "feedback", ["check_id"], unique=False)
    op.create_index(op.f("ix_feedback_created_at"), "feedback", ["created_at"], unique=False)
    op.create_index(
        "uq_feedback_effective",
        "feedback",
        ["site_id", "content_hash", "is_test"],
        unique=True,
        sqlite_where=sa.text("superseded_by IS NULL"),
        postgresql_where=sa.text("superseded_by IS NULL"),
    )


def downgrade() -> None:
    for table in ("feedback", "key_sites", "daily_counts", "checks", "sites", "meta", "api_keys"):
        op.drop_table(table)
