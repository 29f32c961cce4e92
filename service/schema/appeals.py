"""What commenters ask a person to look at again, and what came of it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from service.declaration.stored import held
from service.schema.columns import RowId, UtcDateTime, metadata

# No row names a check: which ones an appeal is about is looked up when a person reads it, never when it comes.
appeals = Table(
    "appeals",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guid", String(12), nullable=False, unique=True, info=held("appeals.guid")),
    Column("created_at", UtcDateTime, nullable=False, info=held("appeals.created_at")),
    # NULL where no check, key or policy has named the site.
    Column("site_id", ForeignKey("sites.id", ondelete="SET NULL")),
    Column("language", String(2), nullable=False, info=held("appeals.language")),
    Column("email_hash", String(64), info=held("appeals.email_hash")),
    Column("reference", String(32), info=held("appeals.reference")),
    Column("message", Text, nullable=False, info=held("appeals.message")),
    # Of the network, under a key of its own: it cannot be joined with the addresses of comments.
    Column("ip_hash", String(64), info=held("appeals.ip_hash")),
    Column("resolved_at", UtcDateTime, info=held("appeals.resolved_at")),
    Column("outcome", String(10), info=held("appeals.outcome")),
    Column("resolved_by", Text),
    Column("note", Text, info=held("appeals.note")),
    CheckConstraint("outcome IN ('released', 'kept', 'no-record', 'duplicate')", name="outcome"),
    CheckConstraint("(resolved_at IS NULL) = (outcome IS NULL)", name="resolved"),
    Index(None, "created_at"),
    Index(None, "resolved_at"),
    Index(None, "ip_hash", "created_at"),
    Index(None, "email_hash", "created_at"),
    Index(None, "reference", "created_at"),
)
