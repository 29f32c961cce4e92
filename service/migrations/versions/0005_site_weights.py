"""What a site has learnt from its moderators"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_learning",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("anchors", sa.JSON(), nullable=False, server_default="[]"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_learning_site_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_learning")),
    )
    op.create_table(
        "site_weights",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_weights_site_id")),
        sa.PrimaryKeyConstraint("site_id", "model_version", name=op.f("pk_site_weights")),
    )
    op.add_column(
        "checks", sa.Column("site_version", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "feedback", sa.Column("state", sa.String(length=10), nullable=False, server_default="learnt")
    )
    op.add_column("feedback", sa.Column("learnt_at", sa.Integer(), nullable=True))
    # What was reported before this release is learnt too.
    op.execute(
        "INSERT INTO site_learning (site_id, version) SELECT DISTINCT site_id, 1 FROM feedback WHERE NOT is_test"
    )
    op.execute("UPDATE feedback SET learnt_at = 1 WHERE NOT is_test")


def downgrade() -> None:
    op.drop_column("feedback", "learnt_at")
    op.drop_column("feedback", "state")
    op.drop_column("checks", "site_version")
    op.drop_table("site_weights")
    op.drop_table("site_learning")
