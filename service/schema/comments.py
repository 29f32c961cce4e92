"""What is kept of comments and of what people said of them, with what is counted."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    false,
    text,
)

from service.declaration.stored import held
from service.schema.columns import RowId, UtcDateTime, comment_columns, metadata

checks = Table(
    "checks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True, info=held("checks.guid")),
    Column("created_at", UtcDateTime, nullable=False, info=held("checks.created_at")),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    *comment_columns("checks"),
    Column(
        "content_hash",
        String(64),
        nullable=False,
        info=held("checks.content_hash"),
    ),
    Column("recheck_reason", Text, nullable=False, info=held("checks.recheck_reason")),
    Column(
        "callback",
        Text,
        nullable=False,
        info=held("checks.callback"),
    ),
    Column("is_test", Boolean, nullable=False, info=held("checks.is_test")),
    Column("score", Float, nullable=False, info=held("checks.score")),
    Column("log_odds", Float, nullable=False, info=held("checks.log_odds")),
    Column("decision", String(10), nullable=False, info=held("checks.decision")),
    Column("answer", String(10), nullable=False, info=held("checks.answer")),
    Column(
        "discard",
        Boolean,
        nullable=False,
        info=held("checks.discard"),
    ),
    Column("model_version", Text, nullable=False, info=held("checks.model_version")),
    # 0 if the site had taught nothing yet.
    Column(
        "site_version",
        Integer,
        nullable=False,
        server_default="0",
        info=held("checks.site_version"),
    ),
    Column(
        "clues",
        JSON,
        nullable=False,
        info=held("checks.clues"),
    ),
    # With the weights of the clues they add up to log_odds; NULL in checks of earlier releases.
    Column("bias", Float, info=held("checks.bias")),
    Column("rest", Float, info=held("checks.rest")),
    Column("decided_by", String(20), nullable=False, info=held("checks.decided_by")),
    # Of what was let through: of what was not, nobody looks for copies.
    Column(
        "sketch",
        LargeBinary(128),
        info=held("checks.sketch"),
    ),
    # NULL where nobody counted: switched off, or the count failed.
    Column(
        "company",
        JSON(none_as_null=True),
        info=held("checks.company"),
    ),
    # Set where the site's policy is to log only.
    Column(
        "would_answer",
        String(10),
        info=held("checks.would_answer"),
    ),
    # Both set where the client named its request, so that it may send it again.
    Column(
        "request_hash",
        String(64),
        info=held("checks.request_hash"),
    ),
    Column(
        "request_content_hash",
        String(64),
        info=held("checks.request_content_hash"),
    ),
    # Kept, but used for nothing: not learnt from, not counted as company, not compared.
    Column("restricted", Boolean, nullable=False, server_default=false(), info=held("checks.restricted")),
    CheckConstraint("decision IN ('ham', 'unsure', 'spam')", name="decision"),
    CheckConstraint("answer IN ('true', 'false', 'hold')", name="answer"),
    Index(None, "site_id", "content_hash"),
    # A site's latest checks, without a look at all it ever had.
    Index(None, "site_id", "id"),
    Index(None, "created_at"),
    # A person's comments, when that person asks about them.
    Index(None, "email_hash"),
    Index(
        "uq_checks_request",
        "key_id",
        "request_hash",
        unique=True,
        sqlite_where=text("request_hash IS NOT NULL"),
        postgresql_where=text("request_hash IS NOT NULL"),
    ),
)

# By what near-copies find each other; see model/company.py. The rows stand in the order in which they are looked
# up, since a check looks up some ten of them and nothing else is asked of them often.
company_marks = Table(
    "company_marks",
    metadata,
    Column(
        "value",
        BigInteger,
        nullable=False,
        info=held("company_marks.value"),
    ),
    Column(
        "sort",
        SmallInteger,
        nullable=False,
        info=held("company_marks.sort"),
    ),
    Column("check_id", ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column(
        "author",
        BigInteger,
        nullable=False,
        info=held("company_marks.author"),
    ),
    Column(
        "content",
        BigInteger,
        nullable=False,
        info=held("company_marks.content"),
    ),
    Column("created_at", UtcDateTime, nullable=False, info=held("company_marks.created_at")),
    Column(
        "is_ham",
        Boolean,
        nullable=False,
        info=held("company_marks.is_ham"),
    ),
    PrimaryKeyConstraint("value", "sort", "check_id"),
    Index(None, "check_id"),
    Index(
        "ix_company_marks_ham",
        "site_id",
        "value",
        sqlite_where=text("is_ham"),
        postgresql_where=text("is_ham"),
    ),
    sqlite_with_rowid=False,
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True, info=held("feedback.guid")),
    Column("created_at", UtcDateTime, nullable=False, info=held("feedback.created_at")),
    Column("label", String(4), nullable=False, info=held("feedback.label")),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("check_id", ForeignKey("checks.id", ondelete="SET NULL")),
    *comment_columns("feedback"),
    Column(
        "content_hash",
        String(64),
        nullable=False,
        info=held("feedback.content_hash"),
    ),
    Column("reporter_hash", String(64), info=held("feedback.reporter_hash")),
    Column("claimed_answer", String(5), info=held("feedback.claimed_answer")),
    Column("is_test", Boolean, nullable=False, info=held("feedback.is_test")),
    # Which daily count it raised, so that a later change of mind can take exactly that back.
    Column("counted_as", String(20), info=held("feedback.counted_as")),
    Column(
        "source",
        String(10),
        nullable=False,
        server_default="wire",
        info=held("feedback.source"),
    ),
    Column(
        "written_at",
        UtcDateTime,
        info=held("feedback.written_at"),
    ),
    # Deferred: the successor is written after its predecessor points to it, in one transaction.
    Column("superseded_by", ForeignKey("feedback.guid", deferrable=True, initially="DEFERRED")),
    Column(
        "state",
        String(10),
        nullable=False,
        server_default="learnt",
        info=held("feedback.state"),
    ),
    # The site_learning version from which on it counts; None while it does not.
    Column("learnt_at", Integer, info=held("feedback.learnt_at")),
    Column("restricted", Boolean, nullable=False, server_default=false(), info=held("feedback.restricted")),
    CheckConstraint("label IN ('ham', 'spam')", name="label"),
    CheckConstraint("counted_as IN ('missed_spam', 'false_positives')", name="counted_as"),
    CheckConstraint("source IN ('wire', 'import', 'admin')", name="source"),
    # One effective label per comment and site, however many moderators click at once.
    Index(
        "uq_feedback_effective",
        "site_id",
        "content_hash",
        "is_test",
        unique=True,
        sqlite_where=text("superseded_by IS NULL"),
        postgresql_where=text("superseded_by IS NULL"),
    ),
    Index(None, "check_id"),
    Index(None, "created_at"),
)

daily_counts = Table(
    "daily_counts",
    metadata,
    Column("day", Date, primary_key=True),
    Column("key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("calls", Integer, nullable=False, server_default="0", info=held("daily_counts.calls")),
    Column("spam", Integer, nullable=False, server_default="0", info=held("daily_counts.spam")),
    Column("ham", Integer, nullable=False, server_default="0", info=held("daily_counts.ham")),
    Column("missed_spam", Integer, nullable=False, server_default="0", info=held("daily_counts.missed_spam")),
    Column(
        "false_positives",
        Integer,
        nullable=False,
        server_default="0",
        info=held("daily_counts.false_positives"),
    ),
)
