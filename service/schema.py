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
    String,
    Table,
    Text,
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
    CheckConstraint("decision IN ('ham', 'unsure', 'spam')", name="decision"),
    CheckConstraint("answer IN ('true', 'false', 'hold')", name="answer"),
    Index(None, "site_id", "content_hash"),
    Index(None, "created_at"),
    # The newest of one site, whatever others sent since.
    Index("ix_checks_site_id_id", "site_id", "id"),
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
