"""Company: the marks by which near-copies find each other, and what was counted for a check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checks", sa.Column("company", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "company_marks",
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("sort", sa.SmallInteger(), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_ham", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["checks.id"], name=op.f("fk_company_marks_check_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_company_marks_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("value", "sort", "check_id", name=op.f("pk_company_marks")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_company_marks_check_id"), "company_marks", ["check_id"], unique=False)
    op.create_index(
        "ix_company_marks_ham",
        "company_marks",
        ["site_id", "value"],
        unique=False,
        sqlite_where=sa.text("is_ham"),
        postgresql_where=sa.text("is_ham"),
    )


def downgrade() -> None:
    op.drop_table("company_marks")
    op.drop_column("checks", "company")
