"""The tables, as SQLAlchemy Core objects; how they come about and change is in ``migrations``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

from service.declaration.stored import held

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


#: How SQLite keeps a moment, for statements that go to its driver directly.
UTC_TEXT = "%Y-%m-%d %H:%M:%S.%f"


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment with its zone on the Python side, UTC on the database's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        utc = value.astimezone(dt.UTC)
        # SQLite keeps text without a zone.
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        moment: dt.datetime = value
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


# SQLite numbers rows by itself only in a column of type INTEGER.
_RowId = BigInteger().with_variant(Integer(), "sqlite")


def _comment_columns(table: str) -> list[Column[Any]]:
    """What is kept of a comment, the same in ``checks`` and ``feedback``.

    E-mail and IP address only as keyed hashes; of the e-mail address the domain in clear, since the model
    reads it. The user agent and the visitor's own request (``POST_*``, ``HTTP_*``) are not kept.
    """
    return [
        Column("body", Text, nullable=False, info=held(f"{table}.body")),
        Column("author", Text, nullable=False, info=held(f"{table}.author")),
        Column(
            "email_hash",
            String(64),
            info=held(f"{table}.email_hash"),
        ),
        Column("email_domain", Text, nullable=False, info=held(f"{table}.email_domain")),
        Column("url", Text, nullable=False, info=held(f"{table}.url")),
        Column(
            "ip_hash",
            String(64),
            info=held(f"{table}.ip_hash"),
        ),
        Column(
            "permalink",
            Text,
            nullable=False,
            info=held(f"{table}.permalink"),
        ),
        Column(
            "kind",
            Text,
            nullable=False,
            info=held(f"{table}.kind"),
        ),
        Column("tags", JSON, nullable=False, info=held(f"{table}.tags")),
        Column("site_lang", Text, nullable=False, info=held(f"{table}.site_lang")),
        Column(
            "referrer",
            Text,
            nullable=False,
            info=held(f"{table}.referrer"),
        ),
        Column("honeypot", Text, info=held(f"{table}.honeypot")),
        Column("nonce", Text, nullable=False, info=held(f"{table}.nonce")),
        Column(
            "user_role",
            Text,
            nullable=False,
            info=held(f"{table}.user_role"),
        ),
    ]


meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("hint", String(4), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    # site or admin
    Column("scope", String(10), nullable=False, server_default="site"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("display", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

key_sites = Table(
    "key_sites",
    metadata,
    Column("key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
)

checks = Table(
    "checks",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True, info=held("checks.guid")),
    Column("created_at", UtcDateTime, nullable=False, info=held("checks.created_at")),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    *_comment_columns("checks"),
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
    CheckConstraint("decision IN ('ham', 'unsure', 'spam')", name="decision"),
    CheckConstraint("answer IN ('true', 'false', 'hold')", name="answer"),
    Index(None, "site_id", "content_hash"),
    # A site's latest checks, without a look at all it ever had.
    Index(None, "site_id", "id"),
    Index(None, "created_at"),
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
    Column("id", _RowId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True, info=held("feedback.guid")),
    Column("created_at", UtcDateTime, nullable=False, info=held("feedback.created_at")),
    Column("label", String(4), nullable=False, info=held("feedback.label")),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("check_id", ForeignKey("checks.id", ondelete="SET NULL")),
    *_comment_columns("feedback"),
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

site_policies = Table(
    "site_policies",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    # What is NULL is left to the settings and the model.
    Column("budget_per_thousand", Float),
    Column("unsure", String(10)),
    Column("discard", Boolean, nullable=False),
    Column("log_only", Boolean, nullable=False),
    Column("counts_silence", Boolean, nullable=False),
    # Whether the site is told of corrections: off, public, private (its addresses may be of a private network).
    Column("webhook", String(10), nullable=False, server_default="off"),
    # The key that the site expects, encrypted under the secret.
    Column("webhook_key", Text),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("unsure IN ('publish', 'hold', 'spam')", name="unsure"),
)

list_entries = Table(
    "list_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column(
        "side",
        String(5),
        nullable=False,
        info=held("list_entries.side"),
    ),
    Column(
        "kind",
        String(10),
        nullable=False,
        info=held("list_entries.kind"),
    ),
    Column(
        "value",
        Text,
        nullable=False,
        info=held("list_entries.value"),
    ),
    Column(
        "hint",
        Text,
        nullable=False,
        info=held("list_entries.hint"),
    ),
    Column("created_at", UtcDateTime, nullable=False, info=held("list_entries.created_at")),
    CheckConstraint("side IN ('allow', 'deny')", name="side"),
    CheckConstraint("kind IN ('email', 'domain', 'ip', 'word')", name="kind"),
    UniqueConstraint("site_id", "kind", "value"),
)

# What the budget of a site means as cut-offs; can be computed again from `checks` and `feedback` at any time.
calibrations = Table(
    "calibrations",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("model_version", Text, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("content", JSON, nullable=False, info=held("calibrations.content")),
)

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
    Column("id", _RowId, primary_key=True),
    Column("run_id", ForeignKey("training_runs.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("stage", String(20), nullable=False),
    Index(None, "run_id"),
)

model_events = Table(
    "model_events",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("move_id", String(32), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(10), nullable=False),
    Column("version", Text, nullable=False),
    Column("replaced", Text),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    CheckConstraint("what IN ('promote', 'rollback', 'release')", name="what"),
)

# One row per site that was ever taught: what a verdict there rests on beside the model.
site_learning = Table(
    "site_learning",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    # Rises with everything that changes what the site has learnt.
    Column("version", Integer, nullable=False),
    # Numbers of checks that were let through and that new labels must not carry away.
    Column("anchors", JSON, nullable=False, server_default="[]"),
)

# Worked out from the feedback and kept so that not every worker has to; may be deleted at any time.
site_weights = Table(
    "site_weights",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("model_version", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("weights", LargeBinary, nullable=False, info=held("site_weights.weights")),
)
