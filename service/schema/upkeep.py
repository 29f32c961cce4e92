"""For how long a site keeps data, what was purged when, and what was done on a person's request."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from service.schema.columns import RowId, UtcDateTime, metadata

# What is NULL is left to the settings; 0 keeps until erased.
site_retention = Table(
    "site_retention",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("comments_days", Integer),
    Column("feedback_days", Integer),
    Column("counts_days", Integer),
    Column("changed_at", UtcDateTime, nullable=False),
)

purges = Table(
    "purges",
    metadata,
    Column("id", RowId, primary_key=True),
    # 1 while it runs, NULL once it has ended: so there is one at a time, on whatever machine.
    Column("slot", Integer, unique=True),
    Column("holder", String(100), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    # Rows deleted, by class of retention.
    Column("counts", JSON, nullable=False),
    Column("error", Text),
    CheckConstraint("slot = 1", name="slot"),
    CheckConstraint("origin IN ('command', 'schedule')", name="origin"),
)

# What was done on a person's request; names nobody.
receipts = Table(
    "receipts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(10), nullable=False),
    Column("who", Text, nullable=False),
    # Rows concerned, by table.
    Column("counts", JSON, nullable=False),
    # The retraining that was asked for, so that the model forgets.
    Column("run", String(32)),
    CheckConstraint("what IN ('export', 'erase', 'restrict', 'lift')", name="what"),
)
