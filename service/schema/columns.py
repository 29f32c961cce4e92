"""What the tables share: their metadata, their types, and the columns that hold a comment."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Integer, MetaData, String, Text
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


#: The largest number that a row may have; SQLite cannot even look for one beyond it.
MAX_ROW_ID = 2**63 - 1
# SQLite numbers rows by itself only in a column of type INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def comment_columns(table: str) -> list[Column[Any]]:
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
