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


def _notice(words: str) -> dict[str, str]:
    """Say in the commenter's words what a column holds; the privacy notice lists them."""
    return {"notice": words}


def _comment_columns() -> list[Column[Any]]:
    """What is kept of a comment, the same in ``checks`` and ``feedback``.

    E-mail and IP address only as keyed hashes; of the e-mail address the domain in clear, since the model
    reads it. The user agent and the visitor's own request (``POST_*``, ``HTTP_*``) are not kept.
    """
    return [
        Column("body", Text, nullable=False, info=_notice("the text of the comment, as it was written")),
        Column("author", Text, nullable=False, info=_notice("the author's name, as it was written")),
        Column(
            "email_hash",
            String(64),
            info=_notice(
                "the e-mail address, only as a keyed hash: without the operator's secret it cannot be traced back"
            ),
        ),
        Column(
            "email_domain", Text, nullable=False, info=_notice("the part of the e-mail address behind the @")
        ),
        Column("url", Text, nullable=False, info=_notice("the author's website, as it was written")),
        Column(
            "ip_hash",
            String(64),
            info=_notice(
                "the IP address, only as a keyed hash: without the operator's secret it cannot be traced back"
            ),
        ),
        Column(
            "permalink",
            Text,
            nullable=False,
            info=_notice("the address of the page under which the comment stands"),
        ),
        Column(
            "kind",
            Text,
            nullable=False,
            info=_notice("the sort of comment: comment, reply, trackback and so on"),
        ),
        Column("tags", JSON, nullable=False, info=_notice("the page's tags")),
        Column("site_lang", Text, nullable=False, info=_notice("the site's languages")),
        Column(
            "referrer",
            Text,
            nullable=False,
            info=_notice("the page from which the browser came, if the site passes it on"),
        ),
        Column("honeypot", Text, info=_notice("what was typed into a form field that people cannot see")),
        Column("nonce", Text, nullable=False, info=_notice("whether the form's hidden number came back")),
        Column(
            "user_role",
            Text,
            nullable=False,
            info=_notice("the author's role on the site, if the author has an account there"),
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
    Column("guid", String(32), nullable=False, unique=True, info=_notice("a random name")),
    Column("created_at", UtcDateTime, nullable=False, info=_notice("when it came")),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    *_comment_columns(),
    Column(
        "content_hash",
        String(64),
        nullable=False,
        info=_notice("a keyed hash of the comment, to find it again when it is corrected"),
    ),
    Column("recheck_reason", Text, nullable=False, info=_notice("why the site asked again")),
    Column(
        "callback",
        Text,
        nullable=False,
        info=_notice("the address at which the site would like to be told of a correction"),
    ),
    Column("is_test", Boolean, nullable=False, info=_notice("whether it was a test")),
    Column(
        "score", Float, nullable=False, info=_notice("the score: how likely the comment is spam, from 0 to 1")
    ),
    Column("log_odds", Float, nullable=False, info=_notice("the same on another scale")),
    Column("decision", String(10), nullable=False, info=_notice("ham, unsure or spam")),
    Column("answer", String(10), nullable=False, info=_notice("what the site was told")),
    Column(
        "discard",
        Boolean,
        nullable=False,
        info=_notice("whether the site was told that nobody need see the comment"),
    ),
    Column(
        "model_version", Text, nullable=False, info=_notice("the version of the model that gave the score")
    ),
    # 0 if the site had taught nothing yet.
    Column(
        "site_version",
        Integer,
        nullable=False,
        server_default="0",
        info=_notice("how far the site's own moderators had taught the filter by then"),
    ),
    Column(
        "clues",
        JSON,
        nullable=False,
        info=_notice("the reasons for the score, which may quote words of the comment"),
    ),
    Column(
        "decided_by", String(20), nullable=False, info=_notice("whether the model or a fixed rule decided")
    ),
    # Of what was let through: of what was not, nobody looks for copies.
    Column(
        "sketch",
        LargeBinary(128),
        info=_notice("a fingerprint of its words, to find near-copies of what turns out to be spam"),
    ),
    # NULL where nobody counted: switched off, or the count failed.
    Column(
        "company",
        JSON(none_as_null=True),
        info=_notice(
            "how many earlier comments under other names had much of its wording, its opening words or a linked"
            " domain, as was counted for the score"
        ),
    ),
    # Set where the site's policy is to log only.
    Column(
        "would_answer",
        String(10),
        info=_notice("what the site would have been told, if it only tries this service out"),
    ),
    # Both set where the client named its request, so that it may send it again.
    Column(
        "request_hash",
        String(64),
        info=_notice("a keyed hash of the name that the site gave to its request"),
    ),
    Column(
        "request_content_hash",
        String(64),
        info=_notice("a keyed hash of the request, to know it again if it is repeated"),
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
        info=_notice(
            "up to eleven numbers worked out from its wording, its opening words and the domains it links to,"
            " which near-copies have in common"
        ),
    ),
    Column(
        "sort",
        SmallInteger,
        nullable=False,
        info=_notice("of each number, which of these it was worked out from"),
    ),
    Column("check_id", ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column(
        "author",
        BigInteger,
        nullable=False,
        info=_notice("a number worked out from the author's name, to tell other names by"),
    ),
    Column(
        "content",
        BigInteger,
        nullable=False,
        info=_notice("a part of the keyed hash of the comment, so that it is not taken for its own copy"),
    ),
    Column("created_at", UtcDateTime, nullable=False, info=_notice("when it came")),
    Column(
        "is_ham",
        Boolean,
        nullable=False,
        info=_notice("whether a moderator or a rule of the site has said that it is no spam"),
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
    Column("guid", String(32), nullable=False, unique=True, info=_notice("a random name")),
    Column("created_at", UtcDateTime, nullable=False, info=_notice("when it came")),
    Column(
        "label", String(4), nullable=False, info=_notice("what a moderator of the site said: ham or spam")
    ),
    Column("key_id", ForeignKey("api_keys.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("check_id", ForeignKey("checks.id", ondelete="SET NULL")),
    *_comment_columns(),
    Column(
        "content_hash",
        String(64),
        nullable=False,
        info=_notice("a keyed hash of the comment, to find it again when it is corrected"),
    ),
    Column(
        "reporter_hash", String(64), info=_notice("the moderator's name on the site, only as a keyed hash")
    ),
    Column("claimed_answer", String(5), info=_notice("what the site remembers to have been told")),
    Column("is_test", Boolean, nullable=False, info=_notice("whether it was a test")),
    # Which daily count it raised, so that a later change of mind can take exactly that back.
    Column("counted_as", String(20), info=_notice("which of the statistics it counted in")),
    Column(
        "source",
        String(10),
        nullable=False,
        server_default="wire",
        info=_notice(
            "whether it came from the site's software, from an import of older comments or from an admin"
        ),
    ),
    Column(
        "written_at",
        UtcDateTime,
        info=_notice("when the comment was written, if it was imported with its date"),
    ),
    # Deferred: the successor is written after its predecessor points to it, in one transaction.
    Column("superseded_by", ForeignKey("feedback.guid", deferrable=True, initially="DEFERRED")),
    Column(
        "state",
        String(10),
        nullable=False,
        server_default="learnt",
        info=_notice("whether the site's filter learns from it"),
    ),
    # The site_learning version from which on it counts; None while it does not.
    Column("learnt_at", Integer, info=_notice("since when the site's filter counts it")),
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
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("spam", Integer, nullable=False, server_default="0"),
    Column("ham", Integer, nullable=False, server_default="0"),
    Column("missed_spam", Integer, nullable=False, server_default="0"),
    Column("false_positives", Integer, nullable=False, server_default="0"),
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
        info=_notice("whether comments that match are always let through or always taken for spam"),
    ),
    Column(
        "kind",
        String(10),
        nullable=False,
        info=_notice("whether it is about an e-mail address, a domain, IP addresses or words"),
    ),
    Column(
        "value",
        Text,
        nullable=False,
        info=_notice(
            "what is looked for: a domain, words, or a range of IP addresses, which a moderator has written down"
            " and which stands there in clear, since a range cannot be hashed; an e-mail address only as a keyed"
            " hash"
        ),
    ),
    Column(
        "hint",
        Text,
        nullable=False,
        info=_notice(
            "of an e-mail address the first letter and the part behind the @, to tell entries apart"
        ),
    ),
    Column("created_at", UtcDateTime, nullable=False, info=_notice("when it was written down")),
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
    Column("content", JSON, nullable=False),
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
    Column("weights", LargeBinary, nullable=False),
)
