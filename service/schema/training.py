"""Retrainings and the versions of the model that they led to."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from service.schema.columns import RowId, UtcDateTime, metadata

training_runs = Table(
    "training_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True),
    # 1 while the run is requested or running, NULL once it has ended: so there is one at a time, whoever asks.
    Column("slot", Integer, unique=True),
    Column("state", String(10), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("holder", Text),
    Column("heartbeat_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("cancelled_by", Text),
    Column("stage", String(20), nullable=False, server_default=""),
    Column("fraction", Float, nullable=False, server_default="0"),
    Column("counts", JSON),
    Column("fingerprint", String(64)),
    Column("champion", Text),
    Column("challenger", Text),
    Column("reason", Text),
    Column("report", JSON),
    Column("error", Text),
    CheckConstraint(
        "state IN ('requested', 'running', 'promoted', 'refused', 'failed', 'cancelled')", name="state"
    ),
    CheckConstraint("origin IN ('command', 'schedule', 'api')", name="origin"),
    CheckConstraint("slot = 1", name="slot"),
)

training_events = Table(
    "training_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", ForeignKey("training_runs.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("stage", String(20), nullable=False),
    Index(None, "run_id"),
)

model_events = Table(
    "model_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("move_id", String(32), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(10), nullable=False),
    Column("version", Text, nullable=False),
    Column("replaced", Text),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    CheckConstraint("what IN ('promote', 'rollback', 'release')", name="what"),
)
