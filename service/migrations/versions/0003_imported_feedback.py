"""Imported feedback: where a label came from, and when the comment was written"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In words that both databases know: Alembic would copy SQLite's whole table for the sake of the constraint.
    op.execute(
        "ALTER TABLE feedback ADD COLUMN source VARCHAR(10) DEFAULT 'wire' NOT NULL"
        " CONSTRAINT ck_feedback_source CHECK (source IN ('wire', 'import', 'admin'))"
    )
    op.add_column("feedback", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("feedback", "written_at")
    op.drop_column("feedback", "source")
